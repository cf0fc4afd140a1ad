// Voice assistants: what the pack declares, how quick each stage is, how good answers are, what they cost, what waits to be judged.
import { html } from "../core/html.js";
import { Board } from "./board.js";
import { Judging } from "./voice/judging.js";
import { Latency } from "./voice/latency.js";
import { Quality } from "./voice/quality.js";
import { Worst } from "./voice/worst.js";

/** The page. */
export default function Voice() {
  return html`<${Board} pack="voice"><${Latency} /><${Judging} /><${Quality} /><${Worst} /><//>`;
}
