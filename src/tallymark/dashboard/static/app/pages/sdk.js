// SDKs: what the pack declares, and the report of a month.
import { html } from "../core/html.js";
import { Board } from "./board.js";
import { Report } from "./sdk/report.js";

/** The page. */
export default function Sdk() {
  return html`<${Board} pack="sdk"><${Report} /><//>`;
}
