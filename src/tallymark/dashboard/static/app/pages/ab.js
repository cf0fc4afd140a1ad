// Experiments: which there are, one of them as a page, and below the list the numbers of the app.
import { html } from "../core/html.js";
import { chosen } from "../core/place.js";
import { Board } from "./board.js";
import { ExperimentPage } from "./ab/experiment.js";
import { ExperimentList } from "./ab/list.js";

/** The page. */
export default function Experiments() {
  const key = chosen("experiment");
  if (key) return html`<${ExperimentPage} key=${key} experiment=${key} />`;
  return html`<${ExperimentList} /><${Board} pack="ab" />`;
}
