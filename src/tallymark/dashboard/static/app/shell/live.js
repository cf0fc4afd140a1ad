// Who is there now: actors with an event in the last five minutes.
import { html } from "../core/html.js";
import { useAnswer } from "../core/answer.js";
import { shown } from "../core/format.js";
import { project } from "../core/project.js";

const EVERY = 10_000;

/** A dot with the number. */
export function Live() {
  const answer = useAnswer("/v1/live", { project: project.value.name }, { every: EVERY });
  if (!answer.data) return null;
  const { actors, events } = answer.data;
  return html`<span class="live" title=${`${events} events in the last five minutes`}><span class=${actors ? "dot on" : "dot"} aria-hidden="true"></span>${shown(actors, "count")} now</span>`;
}
