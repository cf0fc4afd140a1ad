// Websites: traffic, where it comes from, what it leads to.
import { html } from "../core/html.js";
import { Board } from "./board.js";

/** The page. */
export default function Web() {
  return html`<${Board} pack="web" />`;
}
