// The first row: a tile for each metric, with what it was before and its course. The chosen one's chart stands below.
import { html } from "../core/html.js";
import { chosen, go } from "../core/place.js";
import { exactly, shown } from "../core/format.js";
import { metricOf } from "../core/project.js";
import { Failed } from "./panel.js";
import { Delta } from "./delta.js";
import { Sparkline } from "./sparkline.js";

/** The metric whose chart is shown, of these. */
export const chosenMetric = (names) => (names.includes(chosen("metric")) ? chosen("metric") : names[0]);

/**
 * A tile for each of these metrics; `answer` is that of `/v1/query` for those that are `known` under the filters there
 * are. `open` as in `Sparkline`.
 */
export function Tiles({ names, known = names, answer, open }) {
  if (answer.error && !answer.data) return html`<section class="span-12"><${Failed} error=${answer.error} retry=${answer.retry} /></section>`;
  return html`<div class="tiles span-12 ${answer.loading && answer.data ? "busy" : ""}" role="group" aria-label="Numbers of the period">
    ${names.map((name) => html`<${Tile} name=${name} found=${answer.data?.metrics[name]} open=${open} known=${known.includes(name)} chosen=${name === chosenMetric(known)} />`)}
  </div>`;
}

function Tile({ name, found, open, known, chosen: isChosen }) {
  const metric = metricOf(name);
  if (metric && !known) return html`<div class="tile" title="Not known under this filter"><span class="tile-label">${metric.label}</span><span class="tile-number muted">–</span></div>`;
  if (!found || !metric) return html`<div class="tile"><span class="tile-label">${metric?.label ?? name}</span><div class="skeleton"></div></div>`;
  const near = found.accuracy !== "exact";
  const tip = `${metric.label}: ${exactly(found.value, metric.unit)}${near ? ` (${found.accuracy})` : ""}. ${metric.help}`;
  return html`<button type="button" class="tile" aria-pressed=${isChosen} data-metric=${name} data-value=${found.value} title=${tip}
    onClick=${() => go({ metric: name })}>
    <span class="tile-label">${metric.label}</span>
    <span class="tile-number">${near && found.value !== null && "≈ "}${shown(found.value, metric.unit)}</span>
    <${Delta} value=${found.value} previous=${found.previous} unit=${metric.unit} good=${metric.good} />
    <${Sparkline} values=${found.series.map((point) => point.value)} open=${open} />
  </button>`;
}
