// Intervals around zero: the effect as a dot, the interval of a fixed sample thick, the one that may be looked at any day thin.
import { html } from "../core/html.js";
import { shown } from "../core/format.js";

const WIDTH = 520;
const ROW = 44;
const LEFT = 150;
const RIGHT = 16;

/**
 * `rows` are `{label, effect, low, high, sequential: {low, high} | null, verdict: "good" | "bad" | "open"}`, shares that 0
 * stands for no change. Rows without an interval are left out.
 */
export function Intervals({ rows }) {
  const drawn = rows.filter((row) => row.low !== null && row.low !== undefined);
  if (!drawn.length) return html`<p class="nothing">There is not enough to compare yet.</p>`;
  const ends = drawn.flatMap((row) => [row.low, row.high, row.sequential?.low ?? 0, row.sequential?.high ?? 0, 0]);
  const [least, most] = [Math.max(-2, Math.min(...ends)), Math.min(3, Math.max(...ends))];
  const x = (value) => LEFT + ((Math.min(Math.max(value, least), most) - least) / (most - least || 1)) * (WIDTH - LEFT - RIGHT);
  const height = drawn.length * ROW + 28;
  return html`<svg class="intervals" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Effects with their intervals">
    <line class="zero" x1=${x(0)} x2=${x(0)} y1="0" y2=${height - 24} />
    ${drawn.map((row, place) => html`<g transform=${`translate(0 ${place * ROW + ROW / 2})`} class=${row.verdict}>
      <text x="0" y="4">${row.label}</text>
      ${row.sequential && html`<line class="thin" x1=${x(row.sequential.low)} x2=${x(row.sequential.high)} y1="0" y2="0" />`}
      <line class="thick" x1=${x(row.low)} x2=${x(row.high)} y1="0" y2="0" />
      <circle cx=${x(row.effect)} cy="0" r="4" />
    </g>`)}
    ${ticksOf(least, most).map((value) => html`<text class="tick" x=${x(value)} y=${height - 6} text-anchor=${value === least ? "start" : value === most ? "end" : "middle"}>${value === 0 ? "0" : shown(value, "share")}</text>`)}
  </svg>`;
}

// The ends, and zero where it is not close to one.
function ticksOf(least, most) {
  const room = (most - least) * 0.15;
  return [least < -room || least === 0 ? least : null, 0, most > room ? most : null].filter((value, place, all) => value !== null && all.indexOf(value) === place);
}
