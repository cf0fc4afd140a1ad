// People who leave an address, and what they agree to; their addresses only for who may see them, and only when asked.
import { html, useState } from "../../core/html.js";
import { useAnswer } from "../../core/answer.js";
import { exactly, instant, shown } from "../../core/format.js";
import { days, zone } from "../../core/period.js";
import { metricOf, project } from "../../core/project.js";
import { mayChange } from "../../core/session.js";
import { answerable, common } from "../../core/question.js";
import { Delta } from "../../parts/delta.js";
import { Panel } from "../../parts/panel.js";
import { TableSheet } from "../../parts/table.js";

const NAMES = ["new_leads", "lead_captures", "lead_capture_rate", "time_to_capture", "form_starts", "form_submits", "form_completion_rate", "consents", "consent_withdrawals"];

/** The panel. */
export function Leads() {
  const names = answerable(NAMES);
  const answer = useAnswer(names.length ? "/v1/query" : null, { ...common(), metrics: names.join(",") });
  const [open, setOpen] = useState(false);
  if (!names.length) return null;
  const rows = names.map((name) => ({ name, label: metricOf(name)?.label ?? name, value: answer.data?.metrics[name]?.value ?? null, previous: answer.data?.metrics[name]?.previous ?? null }));
  const columns = [{ key: "label", label: "Number" }, { key: "value", label: "Value", unit: "number" }, { key: "previous", label: "Before", unit: "number" }];
  const tools = mayChange() && html`<button type="button" class="plain link" data-no-picture onClick=${() => setOpen(true)}>Who they are</button>`;
  return html`<${Panel} title="Leads, forms and consent" answer=${answer} table=${answer.data && { columns, rows }} height=${240} tools=${tools}>
    <table class="table">
      <thead><tr><th scope="col">Number</th><th scope="col" class="number">Value</th><th scope="col" class="number">Change</th></tr></thead>
      <tbody>${rows.map((row) => html`<${Row} row=${row} />`)}</tbody>
    </table>
    ${open && html`<${People} onClose=${() => setOpen(false)} />`}
  <//>`;
}

function Row({ row }) {
  const metric = metricOf(row.name);
  return html`<tr>
    <td title=${metric?.help}>${row.label}</td>
    <td class="number" title=${exactly(row.value, metric?.unit)} data-value=${row.value}>${shown(row.value, metric?.unit)}</td>
    <td class="number"><${Delta} value=${row.value} previous=${row.previous} unit=${metric?.unit} good=${metric?.good} /></td>
  </tr>`;
}

function People({ onClose }) {
  const [from, to] = days.value;
  const answer = useAnswer("/web/v1/leads", { propertyId: project.value.name, from, to, limit: 1_000 }, { every: 0 });
  const columns = [{ key: "email", label: "Address" }, { key: "form", label: "Form" }, { key: "at", label: "When" }];
  const rows = (answer.data?.leads ?? []).map((lead) => ({ ...lead, at: instant(lead.capturedAt ?? lead.createdAt, zone.value) }));
  return html`<${TableSheet} title="Leads" columns=${columns} rows=${rows} onClose=${onClose} tools=${answer.error && html`<span class="error-text">${answer.error.message}</span>`} />`;
}
