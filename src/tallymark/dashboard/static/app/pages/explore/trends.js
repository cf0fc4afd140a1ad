// Up to four metrics over time, by any dimension that they share.
import { html, useMemo, useState } from "../../core/html.js";
import { useAnswer } from "../../core/answer.js";
import { today } from "../../core/days.js";
import { days, grain, grains, zone } from "../../core/period.js";
import { chosen, go } from "../../core/place.js";
import { catalogue, dimensionOf, metricOf } from "../../core/project.js";
import { common } from "../../core/question.js";
import { Breakdown } from "../../parts/breakdown.js";
import { Icon } from "../../parts/icon.js";
import { bucketName, LineChart } from "../../parts/line_chart.js";
import { Panel } from "../../parts/panel.js";
import { Table } from "../../parts/table.js";
import { chosenMetric, Tiles } from "../../parts/tiles.js";
import { MetricPicker } from "./metric_picker.js";

const MOST = 4;
const GRAINS = { hour: "Hours", day: "Days", week: "Weeks", month: "Months" };

/** The metrics of the address, else the first two that the project's board shows. */
function metricsChosen() {
  const known = chosen("metrics").split(",").filter(metricOf).slice(0, MOST);
  if (known.length) return known;
  return (catalogue.value.boards.find((board) => board.tiles.length)?.tiles ?? ["events"]).slice(0, 2);
}

/** Their tiles, charts, breakdown and table. */
export function Trends() {
  const names = metricsChosen();
  const shared = catalogue.value.dimensions.filter((one) => names.every((name) => metricOf(name).dimensions.includes(one.name)));
  const by = shared.some((one) => one.name === chosen("by")) ? chosen("by") : "";
  const answer = useAnswer("/v1/query", { ...common(), metrics: names.join(","), grain: grain.value });
  const open = days.value[1] >= today(zone.value);
  const first = chosenMetric(names);
  const ordered = [first, ...names.filter((name) => name !== first)];
  return html`
    <${Chooser} names=${names} shared=${shared} by=${by} />
    <div class="span-12 as-many"><${Tiles} names=${names} answer=${answer} open=${open} /></div>
    ${unitsOf(names).map((unit) => html`<${Course} key=${unit} names=${names.filter((name) => metricOf(name).unit === unit)} answer=${answer} open=${open} />`)}
    ${by && html`<${Breakdown} key=${`${by} ${ordered}`} title=${`By ${dimensionOf(by).label.toLowerCase()}`} views=${[{ by, metrics: ordered }]} span=${12} />`}
    <${Numbers} names=${names} answer=${answer} />`;
}

const unitsOf = (names) => [...new Set(names.map((name) => metricOf(name).unit))];

function Chooser({ names, shared, by }) {
  const [picking, pick] = useState(false);
  const set = (metrics) => go({ metrics: metrics.join(","), metric: null });
  return html`<div class="span-12 chooser" role="group" aria-label="What is asked">
    ${names.map((name) => html`<span class="chip" title=${metricOf(name).help}>${metricOf(name).label}
      ${names.length > 1 && html`<button type="button" aria-label=${`Leave out ${metricOf(name).label}`} onClick=${() => set(names.filter((one) => one !== name))}><${Icon} name="close" size="12" /></button>`}
    </span>`)}
    ${names.length < MOST && html`<button type="button" onClick=${() => pick(true)}>Add a metric</button>`}
    <label>By <select value=${by} onChange=${(event) => go({ by: event.target.value })}>
      <option value="">Nothing</option>
      ${shared.map((one) => html`<option value=${one.name} selected=${one.name === by} title=${one.help}>${one.label}</option>`)}
    </select></label>
    <div class="tabs" role="group" aria-label="Grain">
      ${grains.value.map((one) => html`<button type="button" aria-pressed=${one === grain.value} onClick=${() => go({ grain: one })}>${GRAINS[one]}</button>`)}
    </div>
    ${picking && html`<${MetricPicker} taken=${names} onClose=${() => pick(false)} onPick=${(name) => { set([...names, name]); pick(false); }} />`}
  </div>`;
}

// Metrics of one unit share a chart, so that one axis is true for all of them.
function Course({ names, answer, open }) {
  const found = names.every((name) => answer.data?.metrics[name]) ? answer.data : null;
  const drawn = useMemo(() => found && { buckets: found.metrics[names[0]].series.map((point) => point.t), series: names.flatMap((name, n) => lines(name, found, n)) }, [found, names.join()]);
  return html`<${Panel} title=${names.map((name) => metricOf(name).label).join(", ")} answer=${found ? answer : { ...answer, data: null }} table=${found && tableOf(names, found)} height=${280} span=${12} hidden>
    ${drawn && html`<${LineChart} buckets=${drawn.buckets} series=${drawn.series} grain=${found.window.grain} open=${open} />
      <${Legend} series=${drawn.series} />`}
  <//>`;
}

function lines(name, found, n) {
  const { label, unit } = metricOf(name);
  const { series, previousSeries: before = [] } = found.metrics[name];
  const token = `series-${n + 1}`;
  const own = { label, unit, token, values: series.map((point) => point.value) };
  if (!before.length) return [own];
  const labels = series.map((_, place) => (before[place] ? `${label}, ${bucketName(before[place].t, found.window.grain, true)}` : `${label} before`));
  return [own, { label: `${label} before`, unit, token, faint: true, dashed: true, labels, values: series.map((_, place) => before[place]?.value ?? null) }];
}

function Legend({ series }) {
  return html`<ul class="legend" aria-hidden="true">
    ${series.map((one) => html`<li><span class="swatch" style=${`background:var(--${one.token})`}></span>${one.label}${one.faint && ", thin"}</li>`)}
  </ul>`;
}

function Numbers({ names, answer }) {
  const found = names.every((name) => answer.data?.metrics[name]) ? answer.data : null;
  const table = found && tableOf(names, found);
  return html`<${Panel} title="As a table" answer=${found ? answer : { ...answer, data: null }} table=${table} height=${200} span=${12}>
    ${table && html`<div class="scroll-down"><${Table} ...${table} caption="Metrics over time" /></div>`}
  <//>`;
}

function tableOf(names, found) {
  const compared = found.compareTo !== null;
  const columns = names.flatMap((name) => {
    const { label, unit } = metricOf(name);
    return [{ key: name, label, unit }, ...(compared ? [{ key: `${name} before`, label: `${label} before`, unit }] : [])];
  });
  const rows = found.metrics[names[0]].series.map(({ t }, n) => Object.fromEntries([["t", t], ...names.flatMap((name) => [
    [name, found.metrics[name].series[n]?.value ?? null], [`${name} before`, found.metrics[name].previousSeries?.[n]?.value ?? null],
  ])]));
  return { columns: [{ key: "t", label: GRAINS[found.window.grain].slice(0, -1) }, ...columns], rows };
}
