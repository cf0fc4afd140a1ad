// How the server does.
import { html } from "../core/html.js";

/** The page. */
export default function Operations() {
  return html`<p class="span-12">Operations</p>`;
}
