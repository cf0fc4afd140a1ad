// How the rollups of each project stand, each day of the chosen one, and what computes them anew.
import { html, useState } from "../../core/html.js";
import { forgetAnswers, useAnswer } from "../../core/answer.js";
import { send, sendForLines } from "../../core/api.js";
import { addDays, countDays, dayName, today } from "../../core/days.js";
import { instant, shown } from "../../core/format.js";
import { days, zone } from "../../core/period.js";
import { follow, hrefWith } from "../../core/place.js";
import { project } from "../../core/project.js";
import { Confirm } from "../../parts/dialog.js";
import { Panel } from "../../parts/panel.js";
import { Table } from "../../parts/table.js";
import { FormDialog } from "./form.js";
import { plain } from "./system.js";

/** The panels. */
export function Rollups({ everything }) {
  const answer = useAnswer("/v1/rollup/status", everything ? {} : { project: project.value.name });
  const rows = (answer.data?.projects ?? []).map((one) => ({ ...one, stale: one.staleDays.length }));
  const columns = [
    { key: "project", label: "Project", render: (row) => html`<a href=${hrefWith({ project: row.project })} onClick=${follow}>${row.project}</a>` },
    { key: "rolledUpThrough", label: "Through", render: (row) => (row.rolledUpThrough ? dayName(row.rolledUpThrough) : "–") },
    { key: "lagSeconds", label: "Behind by", unit: "seconds" }, { key: "days", label: "Days", unit: "count" }, { key: "stale", label: "Stale", unit: "count" },
    { key: "sealedDays", label: "Sealed", unit: "count" }, { key: "events", label: "Events", unit: "count" },
    { key: "lastRun", label: "Last run (UTC)", render: (row) => instant(row.lastRun) }, { key: "lastRunSeconds", label: "Took", unit: "seconds" },
  ];
  return html`<${Panel} title="Rollups" help="How far the numbers of each project are." answer=${answer} table=${{ columns: plain(columns), rows }} height=${120} span=${12}>
      <${Table} columns=${columns} rows=${rows} caption="Rollups by project" />
    <//>
    <${Days} answer=${answer} status=${rows.find((row) => row.project === project.value.name)} />`;
}

const STATES = {
  fresh: ["Rolled up", "The numbers hold every event."], stale: ["Stale", "Events came that the numbers don't hold yet."],
  sealed: ["Sealed", "The events have expired; the numbers stay as published."], none: ["No numbers", "Nothing is published for it."],
};

function Days({ answer, status }) {
  const [from, to] = days.value;
  const counted = useAnswer("/v1/query", { project: project.value.name, metrics: "events", from, to, grain: "day" });
  const rows = status && counted.data?.window.from === from ? strip(from, to, status, counted.data) : [];
  const both = status ? { ...counted, error: counted.error ?? answer.error } : { ...answer, data: null };
  return html`<${Panel} title=${`Days of ${project.value.name}`} answer=${both} height=${120} span=${12} hidden
    table=${{ columns: [{ key: "day", label: "Day" }, { key: "label", label: "State" }, { key: "events", label: "Events", unit: "count" }], rows }}>
    <div class="strip" aria-hidden="true">${rows.map((row) => html`<span class="strip-day ${row.state}" data-day=${row.day} data-state=${row.state} title=${`${dayName(row.day)}: ${row.label}, ${shown(row.events, "count")} events`}></span>`)}</div>
    <ul class="legend" aria-hidden="true">${Object.entries(STATES).map(([state, [label, help]]) => html`<li title=${help}><span class="strip-day ${state}"></span>${label} (${rows.filter((row) => row.state === state).length})</li>`)}</ul>
    <${Acts} again=${() => { forgetAnswers(); answer.retry(); counted.retry(); }} />
  <//>`;
}

function strip(from, to, status, { metrics, freshness }) {
  const events = new Map(metrics.events.series.map((point) => [point.t, point.value]));
  return Array.from({ length: countDays(from, to) }, (_, n) => addDays(from, n)).map((day) => {
    const state = stateOf(day, status, freshness, events.get(day));
    return { day, state, label: STATES[state][0], events: events.get(day) ?? null };
  });
}

function stateOf(day, status, freshness, events) {
  if (status.staleDays.includes(day)) return "stale";
  if (freshness.sealedDays.includes(day)) return "sealed";
  return events ? "fresh" : "none";
}

function Acts({ again }) {
  const [open, setOpen] = useState(null);
  const [progress, setProgress] = useState(null);
  const { name } = project.value;
  const run = async () => {
    const done = await send("POST", "/v1/rollup/run", undefined, { project: name });
    setProgress({ words: `${done.refreshed} ${done.refreshed === 1 ? "day was" : "days were"} refreshed.` });
    again();
  };
  return html`<div class="acts" data-no-picture>
      <button type="button" onClick=${() => setOpen("run")}>Refresh what is stale</button>
      <button type="button" onClick=${() => setOpen("backfill")}>Compute days again</button>
    </div>
    <${Progress} progress=${progress} />
    ${open === "run" && html`<${Confirm} title="Refresh what is stale" word="Refresh" what=${`The stale days of ${name} are computed from their events, and published.`} onClose=${() => setOpen(null)} act=${run} />`}
    ${open === "backfill" && html`<${FormDialog} title="Compute days again" word="Compute" onClose=${() => setOpen(null)} act=${(form) => begin(form, name, setProgress, again)}>
      <p>The days of ${name} are computed from their events, changed or not. Sealed ones are left as they are.</p>
      <label>From <input name="from" type="date" required value=${days.value[0]} max=${today(zone.value)} /></label>
      <label>To <input name="to" type="date" required value=${days.value[1]} max=${today(zone.value)} /></label>
    <//>`}`;
}

// The dialog closes at once; what is done is told below, day by day.
function begin(form, name, setProgress, again) {
  const [from, to] = [form.get("from"), form.get("to")].sort();
  const of = countDays(from, to);
  const outcomes = {};
  let failed = null;
  let done = 0;
  const tell = (last, over = false) => setProgress({ done, of, over, words: told(outcomes, last, failed) });
  const onLine = (line) => {
    if (line.error) failed = line.error.message ?? String(line.error);
    else {
      done += 1;
      outcomes[line.outcome] = (outcomes[line.outcome] ?? 0) + 1;
    }
    tell(line.day);
  };
  tell(null);
  sendForLines("POST", "/v1/rollup/backfill", undefined, { project: name, from, to }, onLine)
    .catch((error) => (failed = error.message))
    .finally(() => { tell(null, true); again(); });
}

function told(outcomes, day, failed) {
  const counts = Object.entries(outcomes).map(([outcome, n]) => `${n} ${outcome}`).join(", ");
  return [day && `${dayName(day)}.`, counts && `Days: ${counts}.`, failed && `It ended early. ${failed}`].filter(Boolean).join(" ") || "It begins.";
}

function Progress({ progress }) {
  if (!progress) return null;
  return html`<div class="progress" role="status" data-no-picture>
    ${progress.of && html`<progress max=${progress.of} value=${progress.over ? progress.of : progress.done} aria-label="Days computed"></progress>`}
    <span>${progress.over && "Done. "}${progress.words}</span>
  </div>`;
}
