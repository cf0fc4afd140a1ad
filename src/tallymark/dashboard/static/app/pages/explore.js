// Any metric by any dimension.
import { html } from "../core/html.js";

/** The page. */
export default function Explore() {
  return html`<p class="span-12">Explore</p>`;
}
