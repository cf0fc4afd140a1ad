// The report of a month: active apps, success rates, errors, and every counter by network.
import { html } from "../../core/html.js";
import { useAnswer } from "../../core/answer.js";
import { today } from "../../core/days.js";
import { exactly, shown } from "../../core/format.js";
import { zone } from "../../core/period.js";
import { chosen, go } from "../../core/place.js";
import { project } from "../../core/project.js";
import { Panel } from "../../parts/panel.js";
import { Table } from "../../parts/table.js";

const COLUMNS = [
  { key: "network", label: "Network" }, { key: "metric", label: "Counter" }, { key: "value", label: "Sum", unit: "count" }, { key: "uniqueApps", label: "Apps", unit: "count" },
];
const MONTHS = 13;
const SHOWN = 12;

/** The panel. */
export function Report() {
  const months = lastMonths(today(zone.value));
  const month = months.includes(chosen("month")) ? chosen("month") : months[0];
  const answer = useAnswer("/sdk/api/v1/export", { project: project.value.name, month });
  const rows = answer.data?.details ?? [];
  const picker = html`<label class="picker"><span class="unseen">Month</span>
    <select value=${month} onChange=${(event) => go({ month: event.target.value })}>${months.map((one) => html`<option value=${one}>${one}</option>`)}</select>
  </label>`;
  return html`<${Panel} title="Report of a month" answer=${answer} table=${answer.data && { columns: COLUMNS, rows }} height=${280} span=${12} tools=${picker} empty="No counter came in this month."
    note=${answer.data && `${answer.data.final ? "Final: it changes no more." : "Not final yet."} ${rows.length > SHOWN ? `${rows.length} rows; the menu shows and keeps all.` : ""}`}>
    ${answer.data && html`<${Summary} summary=${answer.data.summary} />`}
    <${Table} columns=${COLUMNS} rows=${rows.slice(0, SHOWN)} caption="Counters of the month" />
  <//>`;
}

// Of each field its words: "restoreSuccessRate" is "Restore success rate"; rates are told in percent already.
function Summary({ summary }) {
  const { errorDistribution, ...numbers } = summary;
  const facts = Object.entries(numbers).map(([name, value]) => [words(name), value, name.endsWith("Rate") ? "share" : "count"]);
  const errors = Object.entries(errorDistribution ?? {}).sort((one, other) => other[1] - one[1]);
  return html`<dl class="facts">
    ${facts.map(([name, value, unit]) => {
      const told = unit === "share" && value !== null ? value / 100 : value;
      return html`<div><dt>${name}</dt><dd data-value=${value} title=${exactly(told, unit)}>${shown(told, unit)}</dd></div>`;
    })}
    ${errors.length > 0 && html`<div><dt>Errors, by code</dt><dd class="small">${errors.map(([code, percent]) => `${code} ${shown(percent / 100, "share")}`).join(", ")}</dd></div>`}
  </dl>`;
}

const words = (name) => name.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`).replace(/^./, (letter) => letter.toUpperCase());

// This month and those before it, newest first.
function lastMonths(day) {
  const [year, month] = day.split("-").map(Number);
  return Array.from({ length: MONTHS }, (_, back) => new Date(Date.UTC(year, month - 1 - back, 1)).toISOString().slice(0, 7));
}
