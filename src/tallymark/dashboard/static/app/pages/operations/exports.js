// Files of the project's data: ordered, followed while they are written, kept, cancelled.
import { html, useState } from "../../core/html.js";
import { useAnswer } from "../../core/answer.js";
import { send } from "../../core/api.js";
import { instant, shown } from "../../core/format.js";
import { days } from "../../core/period.js";
import { catalogue, project } from "../../core/project.js";
import { Confirm } from "../../parts/dialog.js";
import { Panel } from "../../parts/panel.js";
import { Table } from "../../parts/table.js";
import { actAndRetry, FormDialog } from "./form.js";
import { bytes, plain } from "./system.js";

const WHAT = { metrics: "Metrics, by day", rollups: "Rollups, as they are published", events: "Raw events" };
const FORMATS = ["csv", "xlsx", "json", "jsonl", "parquet", "arrow"];
const OPEN = ["waiting", "running"];
const OFTEN = 2_000;
const SELDOM = 30_000;

/** The panel. */
export function Exports() {
  const [busy, setBusy] = useState(false);
  const [act, setAct] = useState(null);
  const answer = useAnswer("/v1/exports", { project: project.value.name }, { every: busy ? OFTEN : SELDOM });
  const rows = answer.data?.exports ?? [];
  const unfinished = rows.some((row) => OPEN.includes(row.status));
  if (unfinished !== busy) setBusy(unfinished);
  const columns = [
    { key: "createdAt", label: "Ordered (UTC)", render: (row) => instant(row.createdAt) }, { key: "what", label: "What" }, { key: "format", label: "Format" },
    { key: "days", label: "Days", render: (row) => `${row.range.from} – ${row.range.to}` }, { key: "status", label: "State", render: (row) => html`<${State} row=${row} />` },
    { key: "rows", label: "Rows", unit: "count" }, { key: "bytes", label: "Size", render: (row) => bytes(row.bytes) },
    { key: "acts", label: "Act", render: (row) => html`<${RowActs} row=${row} onRemove=${() => setAct({ remove: row })} />` },
  ];
  const tools = html`<button type="button" onClick=${() => setAct({ order: true })}>Order an export</button>`;
  return html`<${Panel} title="Exports" answer=${answer} table=${{ columns: plain(columns), rows: rows.map((row) => ({ ...row, days: `${row.range.from} – ${row.range.to}` })) }} height=${100} span=${12} tools=${tools} empty="Nothing was exported yet.">
      <${Table} columns=${columns} rows=${rows} caption=${`Exports of ${project.value.name}`} />
    <//>
    ${act?.order && html`<${Order} onClose=${() => setAct(null)} order=${(draft) => actAndRetry(answer, () => send("POST", "/v1/exports", draft))} />`}
    ${act?.remove && html`<${Confirm} title=${OPEN.includes(act.remove.status) ? "Cancel an export" : "Delete a file"} word=${OPEN.includes(act.remove.status) ? "Cancel it" : "Delete it"} onClose=${() => setAct(null)}
      what=${`${act.remove.fileName} is not there any more afterwards. It can be ordered again.`} act=${() => actAndRetry(answer, () => send("DELETE", `/v1/exports/${act.remove.id}`))} />`}`;
}

function State({ row }) {
  if (row.status === "failed") return html`<span class="bad">! ${row.error?.message ?? row.error ?? "failed"}</span>`;
  if (row.status === "running") return html`<progress max="1" value=${row.progress.share ?? 0} aria-label="Written"></progress> ${shown(row.progress.rows, "count")} rows`;
  return row.status;
}

function RowActs({ row, onRemove }) {
  return html`<span class="row-acts">
    ${row.downloadUrl && html`<a href=${here(row.downloadUrl)} download=${row.fileName} aria-label=${`Download ${row.fileName}`}>Download</a>`}
    <button type="button" class="plain link" aria-label=${`${OPEN.includes(row.status) ? "Cancel" : "Delete"} ${row.fileName}`} onClick=${onRemove}>${OPEN.includes(row.status) ? "Cancel" : "Delete"}</button>
  </span>`;
}

// The link may name another host than the one this page came from; the file is served by both.
const here = (link) => {
  const { pathname, search } = new URL(link, location.origin);
  return pathname.startsWith("/v1/exports/") ? pathname + search : link;
};

function Order({ onClose, order }) {
  const [what, setWhat] = useState("metrics");
  const act = (form) => order({
    project: project.value.name, what, format: form.get("format"), range: { from: form.get("from"), to: form.get("to") },
    ...(what === "metrics" ? { metrics: form.getAll("metrics"), ...(form.get("by") ? { by: form.get("by") } : {}) } : {}),
  });
  return html`<${FormDialog} title="Order an export" word="Order" onClose=${onClose} act=${act}>
    <label>What <select value=${what} onChange=${(event) => setWhat(event.target.value)}>${Object.entries(WHAT).map(([name, words]) => html`<option value=${name}>${words}</option>`)}</select></label>
    <label>Format <select name="format">${FORMATS.map((name) => html`<option>${name}</option>`)}</select></label>
    <label>From <input name="from" type="date" required value=${days.value[0]} /></label>
    <label>To <input name="to" type="date" required value=${days.value[1]} /></label>
    ${what === "metrics" && html`
      <label>Metrics <select name="metrics" multiple required size="6">${catalogue.value.metrics.map((one, n) => html`<option value=${one.name} selected=${n === 0} title=${one.help}>${one.label}</option>`)}</select></label>
      <label>By <select name="by"><option value="">Nothing</option>${catalogue.value.dimensions.map((one) => html`<option value=${one.name}>${one.label}</option>`)}</select></label>`}
  <//>`;
}
