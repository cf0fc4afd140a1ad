// The process: its checks, what waits, what is free, and what it does by the clock.
import { html } from "../../core/html.js";
import { useAnswer } from "../../core/answer.js";
import { exactly, instant, NOTHING, shown } from "../../core/format.js";
import { Panel } from "../../parts/panel.js";
import { Table } from "../../parts/table.js";

const OFTEN = 10_000;
const CHECKS = { engine: "Engine", control: "Control store", spool: "Spool", disk: "Disk" };
const STATES = { ok: "All is well", degraded: "The engine is away; events wait in the spool", unavailable: "Events are not taken" };

/** A number of bytes as people read it. */
export function bytes(value) {
  if (value === null || value === undefined) return NOTHING;
  const place = Math.min(4, Math.floor(Math.log2(Math.max(value, 1)) / 10));
  return `${Number((value / 1024 ** place).toFixed(place > 1 ? 1 : 0))} ${["B", "KiB", "MiB", "GiB", "TiB"][place]}`;
}

/** The panels. */
export function System() {
  const answer = useAnswer("/v1/system", {}, { every: OFTEN });
  const { data } = answer;
  return html`<${Panel} title="System" answer=${answer} height=${190} span=${12} note=${data && `Version ${data.version}, up for ${shown(data.uptimeSeconds, "seconds")}. Counts are of this process since its start.`}>
      ${data && html`<p class="state" data-status=${data.status}><span class="dot ${data.status === "ok" ? "on" : ""}" aria-hidden="true"></span><strong>${STATES[data.status]}</strong></p>
        <ul class="checks">${Object.entries(data.checks).map(([name, text]) => html`<li><span class=${text === "ok" ? "good" : "bad"} aria-hidden="true">${text === "ok" ? "✓" : "!"}</span> ${CHECKS[name] ?? name}: ${text}</li>`)}</ul>
        <${Facts} data=${data} />`}
    <//>
    <${Jobs} answer=${answer} />
    <${Runs} answer=${answer} />`;
}

function Facts({ data }) {
  const asked = data.cache.fromMemory + data.cache.fromShared + data.cache.computed;
  const cached = asked ? (asked - data.cache.computed) / asked : null;
  return html`<dl class="facts">
    <${Fact} label="Events taken" value=${data.events.accepted} text=${shown(data.events.accepted, "count")} />
    <${Fact} label="Events refused" value=${data.events.rejected} text=${shown(data.events.rejected, "count")} />
    <${Fact} label="Waiting to be written" value=${data.queue.events} text=${shown(data.queue.events, "count")} />
    <${Fact} label="A commit takes" value=${data.queue.commits} text=${data.queue.commits ? shown((data.queue.commitSeconds / data.queue.commits) * 1000, "ms") : NOTHING} />
    <${Fact} label=${`In the spool, of ${bytes(data.spool.limitBytes)}`} value=${data.spool.bytes} text=${bytes(data.spool.bytes)} />
    <${Fact} label=${`Disk free, of ${bytes(data.disk.totalBytes)}`} value=${data.disk.freeBytes} text=${bytes(data.disk.freeBytes)} />
    <${Fact} label="Answered from a cache" value=${cached} text=${shown(cached, "share")} />
  </dl>`;
}

function Fact({ label, value, text }) {
  return html`<div><dt>${label}</dt><dd data-value=${value} title=${exactly(value)}>${text}</dd></div>`;
}

function Jobs({ answer }) {
  const rows = answer.data?.jobs ?? [];
  const columns = [
    { key: "name", label: "Job" }, { key: "lastAt", label: "Last run", render: (row) => instant(row.lastAt) }, { key: "lastSeconds", label: "Took", unit: "seconds" },
    { key: "error", label: "Outcome", render: (row) => (row.error ? html`<span class="bad">! ${row.error}</span>` : row.lastAt ? "Well" : "Not yet run") },
    { key: "nextAt", label: "Next", render: (row) => instant(row.nextAt) },
  ];
  return html`<${Panel} title="Jobs" help="What the server does by the clock. Times are UTC." answer=${answer} table=${{ columns: plain(columns), rows }} height=${240} span=${6} empty="This process does nothing by the clock.">
    <div class="scroll-down"><${Table} columns=${columns} rows=${rows} caption="Jobs of the clock" /></div>
  <//>`;
}

function Runs({ answer }) {
  const rows = answer.data?.runs ?? [];
  const columns = [
    { key: "startedAt", label: "Began", render: (row) => instant(row.startedAt) }, { key: "job", label: "Run" }, { key: "project", label: "Project", render: (row) => row.project ?? "all" },
    { key: "status", label: "Outcome", render: (row) => html`<span class=${row.status === "failed" ? "bad" : ""}>${row.status === "failed" && "! "}${row.status}${row.detail && `: ${row.detail}`}</span>` },
  ];
  return html`<${Panel} title="Latest runs" help="What was published, swept, purged or asked for. Times are UTC." answer=${answer} table=${{ columns: plain(columns), rows }} height=${240} span=${6} empty="Nothing has run yet.">
    <div class="scroll-down"><${Table} columns=${columns} rows=${rows} caption="Latest runs, the newest first" /></div>
  <//>`;
}

/** Columns without what they draw and without acts, for the table behind a panel. */
export const plain = (columns) => columns.filter((column) => column.key !== "acts").map(({ key, label, unit }) => ({ key, label, unit }));
