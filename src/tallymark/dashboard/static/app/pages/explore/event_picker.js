// The names of events that a project has, to choose from.
import { html } from "../../core/html.js";
import { useAnswer } from "../../core/answer.js";
import { days } from "../../core/period.js";
import { project } from "../../core/project.js";

const MOST = 500;

/** Names of events of the period, the most frequent first; null while they are on their way. */
export function useEventNames() {
  const [from, to] = days.value;
  const answer = useAnswer("/v1/query", { project: project.value.name, metrics: "events", by: "event", limit: MOST, from, to });
  return answer.data?.breakdown.map((row) => row.key).filter((name) => name && name !== "(other)") ?? null;
}

/** A choice of one of these `names`, or of what else may stand there: `others` are `[value, label]`. */
export function EventPicker({ label, value, names, others = [], onPick }) {
  const known = others.some(([one]) => one === value) || names?.includes(value);
  return html`<label>${label} <select value=${value} onChange=${(event) => onPick(event.target.value)}>
    ${others.map(([one, words]) => html`<option value=${one} selected=${one === value}>${words}</option>`)}
    ${!known && value && html`<option value=${value} selected>${value}</option>`}
    ${(names ?? []).map((name) => html`<option value=${name} selected=${name === value}>${name}</option>`)}
  </select></label>`;
}
