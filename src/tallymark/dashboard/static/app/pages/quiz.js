// What the pack declares.
import { html } from "../core/html.js";
import { Board } from "./board.js";

/** The page. */
export default function Quiz() {
  return html`<${Board} pack="quiz" />`;
}
