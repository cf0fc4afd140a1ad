// How a number stands to the one before: arrow and sign say it, the colour only whether that is good.
import { html } from "../core/html.js";
import { difference, exactly } from "../core/format.js";

/** `good` is "up", "down" or "neither". */
export function Delta({ value, previous, unit, good = "neither" }) {
  const by = difference(value, previous, unit);
  if (!by) return html`<span class="delta muted" title="There is nothing to compare it with">–</span>`;
  const kind = by.sign === 0 || good === "neither" ? "even" : (by.sign > 0) === (good === "up") ? "good" : "bad";
  return html`<span class="delta ${kind}" title=${`Before: ${exactly(previous, unit)}`}>${by.arrow} ${by.text}</span>`;
}
