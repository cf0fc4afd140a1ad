// The queue of judges, and what today took of what a day may take.
import { html } from "../../core/html.js";
import { useAnswer } from "../../core/answer.js";
import { instant, shown } from "../../core/format.js";
import { zone } from "../../core/period.js";
import { project } from "../../core/project.js";
import { Panel } from "../../parts/panel.js";
import { Table } from "../../parts/table.js";

const COLUMNS = [
  { key: "evaluator", label: "Evaluator" }, { key: "status", label: "State" }, { key: "waiting", label: "Waiting", unit: "count" }, { key: "running", label: "Running", unit: "count" },
  { key: "done", label: "Judged", unit: "count" }, { key: "dead", label: "Given up", unit: "count" }, { key: "since", label: "Waits since" },
];

/** The panel. */
export function Judging() {
  const answer = useAnswer("/v1/evaluations/status", { project: project.value.name });
  const rows = (answer.data?.evaluators ?? []).map((one) => ({ ...one, status: one.pauseReason ? `${one.status}: ${one.pauseReason}` : one.status, since: one.oldestWaiting ? instant(one.oldestWaiting, zone.value) : "" }));
  return html`<${Panel} title="Judging" answer=${answer} table=${answer.data && { columns: COLUMNS, rows }} height=${180} empty="No evaluator is defined: tallymark evaluators create makes one."
    note=${answer.data && spent(answer.data)}>
    <${Table} columns=${COLUMNS} rows=${rows} caption="Judging" />
  <//>`;
}

function spent({ spent: today, budgets, usedUp }) {
  const of = (value, most, unit) => `${shown(value, unit)}${most ? ` of ${shown(most, unit)}` : ""}`;
  const said = `Today: ${of(today.tokens, budgets.dailyTokens, "count")} tokens, ${of(today.costUsd, budgets.dailyUsd, "usd")}, ${shown(today.requests, "count")} requests.`;
  return usedUp ? `${said} The budget is used up: judging goes on tomorrow, UTC.` : said;
}
