// The course of a number in a strip: gaps where nothing is known, the unfinished end dashed.
import { html } from "../core/html.js";

const WIDTH = 120;
const HEIGHT = 28;

/** `values` oldest first, null for gaps; `open` says that the last one is not finished. */
export function Sparkline({ values, open = false }) {
  const known = values.filter((value) => value !== null && value !== undefined);
  if (known.length < 2) return html`<svg class="sparkline" viewBox="0 0 ${WIDTH} ${HEIGHT}" aria-hidden="true"></svg>`;
  const most = Math.max(...known);
  const least = Math.min(0, ...known);
  const x = (place) => (place / (values.length - 1)) * (WIDTH - 2) + 1;
  const y = (value) => HEIGHT - 2 - ((value - least) / (most - least || 1)) * (HEIGHT - 4);
  const whole = open ? values.slice(0, -1) : values;
  const [before, last] = values.slice(-2);
  const isKnown = (value) => value !== null && value !== undefined;
  return html`<svg class="sparkline" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">
    <path d=${path(whole, x, y)} />
    ${open && isKnown(before) && isKnown(last) &&
      html`<path class="open" d=${`M${x(values.length - 2)} ${y(before)}L${x(values.length - 1)} ${y(last)}`} />`}
  </svg>`;
}

function path(values, x, y) {
  let pen = "M";
  let drawn = "";
  values.forEach((value, place) => {
    if (value === null || value === undefined) return void (pen = "M");
    drawn += `${pen}${x(place).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = "L";
  });
  return drawn;
}
