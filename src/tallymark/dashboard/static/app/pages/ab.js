// What the pack declares.
import { html } from "../core/html.js";
import { Board } from "./board.js";

/** The page. */
export default function Ab() {
  return html`<${Board} pack="ab" />`;
}
