// Who comes back: cohorts by their first event, as a heat map.
import { html } from "../core/html.js";
import { useAnswer } from "../core/answer.js";
import { filters, segments } from "../core/filters.js";
import { addDays, countDays } from "../core/days.js";
import { days } from "../core/period.js";
import { chosen, go } from "../core/place.js";
import { project } from "../core/project.js";
import { cohortTable, HeatMap } from "./heat_map.js";
import { Panel } from "./panel.js";

const PERIODS = { day: "Days", week: "Weeks", month: "Months" };
const SHORT = 14;
const LATER = { day: 7, week: 8, month: 6 };

/** The panel; short periods show the eight weeks up to their end. */
export function Retention({ span = 6 }) {
  const period = chosen("cohorts") in PERIODS ? chosen("cohorts") : "week";
  const [first, to] = days.value;
  const from = period === "day" || countDays(first, to) > SHORT * (period === "month" ? 6 : 2) ? first : addDays(to, period === "month" ? -180 : -55);
  const answer = useAnswer("/v1/retention", { project: project.value.name, from, to, period, periods: LATER[period], filter: filters.value, segment: segments.value });
  const cohorts = (answer.data?.cohorts ?? []).slice(-12);
  const tools = html`<div class="tabs" role="group" aria-label="Cohorts" data-no-picture>
    ${Object.entries(PERIODS).map(([name, label]) => html`<button type="button" aria-pressed=${name === period} onClick=${() => go({ cohorts: name })}>${label}</button>`)}
  </div>`;
  return html`<${Panel} title="Who comes back" help="Actors by the period of their first event ever, and how many of them are back in each later one" answer=${answer}
    table=${answer.data && cohortTable(cohorts)} height=${280} span=${span} tools=${tools}>
    <${HeatMap} cohorts=${cohorts} overall=${answer.data?.overall} period=${period} />
  <//>`;
}
