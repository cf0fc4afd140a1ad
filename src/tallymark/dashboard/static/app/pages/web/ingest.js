// How what is sent arrives: taken, refused, and how long pages wait for their first byte.
import { html } from "../../core/html.js";
import { useAnswer } from "../../core/answer.js";
import { exactly, shown } from "../../core/format.js";
import { days } from "../../core/period.js";
import { project } from "../../core/project.js";
import { mayChange } from "../../core/session.js";
import { Panel } from "../../parts/panel.js";

/** The panel; for who is admin of the project. */
export function Ingest() {
  const [from, to] = days.value;
  const answer = useAnswer(mayChange() ? "/web/v1/metrics/summary" : null, { propertyId: project.value.name, from, to });
  if (!mayChange()) return null;
  const told = answer.data?.ingest;
  const facts = told ? [["Accepted", told.totalEventsAccepted, "count"], ["Refused", told.totalEventsRejected, "count"], ["Accepted, of all", told.successPct, "share"], ["First byte, 95 % within", told.p95TtfbMs, "ms"]] : [];
  const table = told && { columns: [{ key: "name", label: "Number" }, { key: "value", label: "Value", unit: "number" }], rows: facts.map(([name, value]) => ({ name, value })) };
  return html`<${Panel} title="What arrives" answer=${answer} table=${table} height=${80} span=${12} note=${answer.data && `Rolled up through ${answer.data.freshness.rolledUpThrough ?? "no day yet"}.`}>
    <dl class="facts">${facts.map(([name, value, unit]) => html`<div><dt>${name}</dt><dd data-value=${value} title=${exactly(value, unit)}>${shown(value, unit)}</dd></div>`)}</dl>
  <//>`;
}
