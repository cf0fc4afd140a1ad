// Columns of a histogram: from zero, labelled below, the exact number in the tip.
import { html } from "../core/html.js";
import { exactly, shown } from "../core/format.js";

const HEIGHT = 160;
const LABELLED_UP_TO = 14;

/** `rows` are `{label, value}` in order; `unit` is that of values. */
export function Columns({ rows, unit = "count", height = HEIGHT }) {
  const most = Math.max(...rows.map((row) => row.value ?? 0), 0);
  const step = Math.ceil(rows.length / LABELLED_UP_TO);
  return html`<div class="columns" style=${`height:${height + 24}px`} aria-hidden="true">
    ${rows.map((row, place) => html`<div class="column" title=${`${row.label}: ${exactly(row.value, unit)}`}>
      <span class="column-value">${rows.length <= LABELLED_UP_TO ? shown(row.value, unit) : ""}</span>
      <span class="column-bar" style=${`height:${most ? ((row.value ?? 0) / most) * (height - 20) : 0}px`}></span>
      <span class="column-label">${place % step === 0 ? row.label : ""}</span>
    </div>`)}
  </div>`;
}
