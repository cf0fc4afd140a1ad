// The page of a project without packs: what the core counts.
import { html } from "../core/html.js";
import { Board } from "./board.js";

/** The page. */
export default function Core() {
  return html`<${Board} pack="core" />`;
}
