// A funnel as steps: how many took each, and how many left between two.
import { html } from "../core/html.js";
import { exactly, shown } from "../core/format.js";

/** `steps` as `/v1/funnels` gives them; `onLeft(step)` is called with the number of a step for those who left before it. */
export function FunnelSteps({ steps, onLeft = null }) {
  const most = steps[0]?.actors || 1;
  return html`<ol class="funnel">
    ${steps.map((step, place) => html`<li>
      ${place > 0 && html`<${Left} step=${step} place=${place} onLeft=${onLeft} />`}
      <div class="funnel-step" title=${`${step.name}: ${exactly(step.actors)}`}>
        <span class="bar" style=${`width:${(step.actors / most) * 100}%`}></span>
        <span class="funnel-name">${step.name}</span>
        <span class="funnel-number" data-value=${step.actors}>${shown(step.actors, "count")}</span>
        <span class="funnel-share">${shown(step.conversion, "share")}</span>
      </div>
    </li>`)}
  </ol>`;
}

function Left({ step, place, onLeft }) {
  const text = `↓ ${shown(step.stepConversion, "share")} went on, ${shown(step.dropped, "count")} left${step.medianSeconds === null ? "" : `, after ${shown(step.medianSeconds, "seconds")} (median)`}`;
  if (!onLeft) return html`<p class="funnel-left">${text}</p>`;
  return html`<p class="funnel-left"><button type="button" class="plain link" onClick=${() => onLeft(place + 1)}>${text}</button></p>`;
}

/** The table behind it. */
export function funnelTable(steps) {
  return {
    columns: [
      { key: "name", label: "Step" }, { key: "actors", label: "Actors", unit: "count" }, { key: "conversion", label: "Of all", unit: "share" },
      { key: "stepConversion", label: "Of the step before", unit: "share" }, { key: "dropped", label: "Left", unit: "count" },
      { key: "medianSeconds", label: "Median time", unit: "seconds" }, { key: "p90Seconds", label: "90 % within", unit: "seconds" },
    ],
    rows: steps,
  };
}
