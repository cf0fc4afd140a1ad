// Rows of a breakdown: bars behind text, largest first, with the share; a click filters, a second one does so no more.
import { html, useState } from "../core/html.js";
import { useAnswer } from "../core/answer.js";
import { exactly, shown } from "../core/format.js";
import { isFiltered, toggle } from "../core/filters.js";
import { dimensionOf, metricOf } from "../core/project.js";
import { answerable, common } from "../core/question.js";
import { Delta } from "./delta.js";
import { Panel } from "./panel.js";
import { TableSheet } from "./table.js";

const ROWS = 8;
const ALL = 1_000;
const ROW_HEIGHT = 32;

/**
 * A panel of breakdowns. `views` are `{by, metrics, title?}`: one is shown, tabs change it. The first metric orders.
 */
export function Breakdown({ title, views, span = 6 }) {
  const known = views.map((view) => ({ ...view, metrics: answerable(view.metrics) })).filter((view) => dimensionOf(view.by) && view.metrics.length);
  const [place, choose] = useState(0);
  const [sheet, setSheet] = useState(false);
  const view = known[Math.min(place, known.length - 1)];
  const answer = useAnswer(view ? "/v1/query" : null, view && { ...common(), metrics: view.metrics.join(","), by: view.by, limit: ROWS });
  if (!view) return html`<${Panel} title=${title} height=${(ROWS + 1) * ROW_HEIGHT} span=${span}><p class="nothing">These numbers are not known under this filter.</p><//>`;
  const rows = answer.data?.by === view.by ? answer.data.breakdown : [];
  const shownAnswer = answer.data && answer.data.by !== view.by ? { ...answer, data: null } : answer;
  const tabs = known.length > 1 && html`<div class="tabs" role="tablist" aria-label=${title} data-no-picture>
    ${known.map((one, n) => html`<button type="button" role="tab" aria-selected=${one.by === view.by} onClick=${() => choose(n)}>${one.title ?? dimensionOf(one.by).label}</button>`)}
  </div>`;
  return html`<${Panel} title=${title} help=${dimensionOf(view.by).help} answer=${shownAnswer} table=${tableOf(view, rows)} height=${(ROWS + 1) * ROW_HEIGHT} span=${span} tools=${tabs}>
    <${Bars} view=${view} rows=${rows} whole=${answer.data?.metrics[view.metrics[0]]?.value} />
    ${rows.length === ROWS && html`<button type="button" class="plain link" data-no-picture onClick=${() => setSheet(true)}>Show all</button>`}
    ${sheet && html`<${AllRows} title=${title} view=${view} onClose=${() => setSheet(false)} />`}
  <//>`;
}

function Bars({ view, rows, whole }) {
  const [first, ...others] = view.metrics.map(metricOf);
  const most = Math.max(...rows.map((row) => row[first.name] ?? 0), 0);
  return html`<table class="bars">
    <thead><tr>
      <th scope="col">${dimensionOf(view.by).label}</th>
      ${[first, ...others].map((metric) => html`<th scope="col" class="number" title=${metric.help}>${metric.label}</th>`)}
      ${first.unit === "count" && html`<th scope="col" class="number" title="Of the whole period">Share</th>`}
    </tr></thead>
    <tbody>${rows.map((row) => html`<${Bar} view=${view} row=${row} most=${most} whole=${whole} metrics=${[first, ...others]} />`)}</tbody>
  </table>`;
}

function Bar({ view, row, most, whole, metrics }) {
  const [first] = metrics;
  const on = isFiltered(view.by, row.key);
  const width = most > 0 ? `${((row[first.name] ?? 0) / most) * 100}%` : "0";
  const other = row.key === "(other)";
  const label = row.key === "" ? "(none)" : row.key;
  return html`<tr>
    <th scope="row">
      <span class="bar" style=${`width:${width}`}></span>
      ${other
        ? html`<span class="bar-label" title="Keys beyond the 1,000 largest of a day">${label}</span>`
        : html`<button type="button" class="bar-label row-pick" data-row aria-pressed=${on} title=${on ? `No longer only ${label}` : `Only ${label}`} onClick=${() => toggle(view.by, row.key)}>${label}</button>`}
    </th>
    ${metrics.map((metric) => html`<td class="number" title=${exactly(row[metric.name], metric.unit)} data-value=${row[metric.name]}>${shown(row[metric.name], metric.unit)}</td>`)}
    ${first.unit === "count" && html`<td class="number muted">${whole ? shown(row[first.name] / whole, "share") : "–"}</td>`}
  </tr>`;
}

function AllRows({ title, view, onClose }) {
  const answer = useAnswer("/v1/query", { ...common(), metrics: view.metrics.join(","), by: view.by, limit: ALL }, { every: 0 });
  const table = tableOf(view, answer.data?.breakdown ?? []);
  const pick = (row) => { toggle(view.by, row.key); onClose(); };
  return html`<${TableSheet} title=${`${title}: ${dimensionOf(view.by).label}`} columns=${withDelta(view, table.columns)} rows=${table.rows} onPick=${pick} onClose=${onClose} />`;
}

function withDelta(view, columns) {
  const metric = metricOf(view.metrics[0]);
  const change = { key: "previous", label: "Change", unit: "number", render: (row) => html`<${Delta} value=${row[metric.name]} previous=${row.previous} unit=${metric.unit} good=${metric.good} />` };
  return [...columns.slice(0, 2), change, ...columns.slice(2)];
}

function tableOf(view, rows) {
  const first = view.metrics[0];
  return {
    columns: [
      { key: "key", label: dimensionOf(view.by).label },
      ...view.metrics.map((name) => ({ key: name, label: metricOf(name).label, unit: metricOf(name).unit })),
    ],
    rows: rows.map((row) => ({ ...row, previous: row.previous?.[first] ?? null })),
  };
}
