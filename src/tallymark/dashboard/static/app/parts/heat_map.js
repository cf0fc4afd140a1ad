// Cohorts as a heat map: a row each with its size, a column for each later period; the share is in words in every cell.
import { html } from "../core/html.js";
import { exactly, shown } from "../core/format.js";
import { bucketName } from "./line_chart.js";

// Text on the deepest cell is readable in light and dark.
const DEEPEST = 0.5;

/** `cohorts` and `overall` as `/v1/retention` gives them, `period` is "day", "week" or "month". */
export function HeatMap({ cohorts, overall, period }) {
  const most = Math.max(...cohorts.flatMap((cohort) => cohort.periods.slice(1).map((one) => one.share ?? 0)), 0.01);
  const numbers = cohorts[0]?.periods.map((one) => one.period) ?? [];
  return html`<div class="table-scroll" tabindex="0" role="region" aria-label="Cohorts">
    <table class="heat">
      <thead><tr><th scope="col">Began</th><th scope="col" class="number">Actors</th>${numbers.map((n) => html`<th scope="col">${n}</th>`)}</tr></thead>
      <tbody>
        ${cohorts.map((cohort) => html`<tr>
          <th scope="row">${bucketName(cohort.t, period, true)}</th>
          <td class="number">${shown(cohort.actors, "count")}</td>
          ${cohort.periods.map((one) => html`<${Cell} one=${one} most=${most} />`)}
        </tr>`)}
        ${overall && html`<tr class="heat-all"><th scope="row">All</th><td></td>${overall.map((one) => html`<td title=${`${exactly(one.actors)} of ${exactly(one.of)}`}>${shown(one.share, "share")}</td>`)}</tr>`}
      </tbody>
    </table>
  </div>`;
}

function Cell({ one, most }) {
  if (one.actors === null) return html`<td class="heat-cell"></td>`;
  if (one.share === null) return html`<td class="heat-cell open" title=${one.complete ? "" : "This period is not over"}>${one.period === 0 ? "" : shown(one.actors, "count")}</td>`;
  const depth = Math.min(1, one.share / most) * DEEPEST;
  return html`<td class="heat-cell" style=${`--depth:${Math.round(depth * 100)}%`} title=${`${exactly(one.actors)} came back`}>${shown(one.share, "share")}</td>`;
}

/** The table behind it. */
export function cohortTable(cohorts) {
  const numbers = cohorts[0]?.periods.map((one) => one.period) ?? [];
  return {
    columns: [{ key: "t", label: "Began" }, { key: "actors", label: "Actors", unit: "count" }, ...numbers.map((n) => ({ key: `p${n}`, label: `Period ${n}`, unit: "count" }))],
    rows: cohorts.map((cohort) => ({ t: cohort.t, actors: cohort.actors, ...Object.fromEntries(cohort.periods.map((one) => [`p${one.period}`, one.actors])) })),
  };
}
