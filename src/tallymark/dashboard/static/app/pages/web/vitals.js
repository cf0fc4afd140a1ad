// Web vitals: what three of four page loads stay below, and how many are good, fair and poor.
import { html } from "../../core/html.js";
import { useAnswer } from "../../core/answer.js";
import { exactly, shown } from "../../core/format.js";
import { metricOf } from "../../core/project.js";
import { answerable, common } from "../../core/question.js";
import { Delta } from "../../parts/delta.js";
import { Panel } from "../../parts/panel.js";

const VITALS = { lcp: "Largest paint (LCP)", inp: "Response to input (INP)", cls: "Layout shift (CLS)", fcp: "First paint (FCP)", ttfb: "First byte (TTFB)" };
const PARTS = ["p75", "p95", "good", "fair", "poor"];

/** The panel. */
export function Vitals() {
  const names = answerable(Object.keys(VITALS).flatMap((vital) => PARTS.map((part) => `${vital}_${part}`)));
  const answer = useAnswer(names.length ? "/v1/query" : null, { ...common(), metrics: names.join(",") });
  const told = answer.data?.metrics;
  const rows = told ? Object.entries(VITALS).map(([vital, label]) => ({ label, vital, ...Object.fromEntries(PARTS.map((part) => [part, told[`${vital}_${part}`]?.value ?? null])), before: told[`${vital}_p75`]?.previous ?? null })) : [];
  if (!names.length) return null;
  const columns = [{ key: "label", label: "Vital" }, ...["p75", "p95"].map((key) => ({ key, label: key, unit: "number" })), ...["good", "fair", "poor"].map((key) => ({ key, label: key, unit: "share" }))];
  return html`<${Panel} title="Web vitals" help="p75: three of four page loads stay below" answer=${answer} table=${told && { columns, rows }} height=${240}>
    <table class="vitals">
      <thead><tr><th scope="col">Vital</th><th scope="col" class="number">p75 ≈</th><th scope="col" class="number">Change</th><th scope="col">Good, fair, poor</th></tr></thead>
      <tbody>${rows.map((row) => html`<${Vital} row=${row} />`)}</tbody>
    </table>
  <//>`;
}

function Vital({ row }) {
  const unit = metricOf(`${row.vital}_p75`)?.unit ?? "ms";
  const said = ["good", "fair", "poor"].map((part) => `${shown(row[part], "share")} ${part}`).join(", ");
  return html`<tr>
    <th scope="row">${row.label}</th>
    <td class="number" title=${exactly(row.p75, unit)} data-value=${row.p75}>${shown(row.p75, unit)}</td>
    <td class="number"><${Delta} value=${row.p75} previous=${row.before} unit=${unit} good="down" /></td>
    <td>${row.good === null
      ? html`<span class="muted">–</span>`
      : html`<span class="stack" title=${said}>${["good", "fair", "poor"].map((part) => html`<span class=${`stack-${part}`} style=${`width:${row[part] * 100}%`}></span>`)}</span><span class="unseen">${said}</span><span class="stack-word" aria-hidden="true">${shown(row.good, "share")} good</span>`}</td>
  </tr>`;
}
