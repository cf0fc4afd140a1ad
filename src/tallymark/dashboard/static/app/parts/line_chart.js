// The course of numbers over time. uPlot draws; hovering tells all of a moment, brushing makes it the period.
import { html, useEffect, useRef, useState } from "../core/html.js";
import uPlot from "../../vendor/uplot.js";
import { exactly, shown } from "../core/format.js";
import { colour, theme } from "../core/theme.js";
import { dayName, seconds } from "../core/days.js";

const TICKS = 7;

/**
 * A chart of `series`: `{label, values, unit, token?, faint?, dashed?}` over `buckets` (days or instants as texts). The
 * last bucket is drawn dashed where it is `open`. `flags` are `{bucket, text}`; `onBrush(first, last)` gets buckets.
 */
export function LineChart({ buckets, series, grain, open = false, flags = [], height = 280, onBrush = null }) {
  const place = useRef(null);
  const [hover, setHover] = useState(null);
  const look = theme.value;
  useEffect(() => {
    const element = place.current;
    const chart = new uPlot(options(element, buckets, series, grain, open, flags, height, setHover, onBrush), data(buckets, series, open), element);
    const watcher = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height }));
    watcher.observe(element);
    return () => { watcher.disconnect(); chart.destroy(); };
  }, [buckets, series, grain, open, flags, height, look]);
  return html`<div class="chart">
    <div class="chart-canvas" ref=${place} style=${`height:${height}px`} aria-hidden="true"></div>
    ${hover !== null && buckets[hover.index] && html`<${Hover} at=${hover} bucket=${buckets[hover.index]} grain=${grain} series=${series} flags=${flags} />`}
  </div>`;
}

// The unfinished end is a series of its own, from the last finished point on.
function data(buckets, series, open) {
  const x = buckets.map(seconds);
  const end = buckets.length - 1;
  return [x, ...series.flatMap(({ values }) => {
    const whole = values.map((value) => value ?? null);
    if (!open || end < 1) return [whole];
    return [whole.map((value, n) => (n === end ? null : value)), whole.map((value, n) => (n >= end - 1 ? value : null))];
  })];
}

function options(element, buckets, series, grain, open, flags, height, setHover, onBrush) {
  const unit = series[0]?.unit ?? "number";
  const axis = { stroke: colour("muted"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  const finished = open && buckets.length > 1;
  return {
    width: element.clientWidth, height, padding: [12, 8, 0, 0], legend: { show: false },
    cursor: { drag: { x: Boolean(onBrush), y: false, setScale: false }, points: { size: 7 }, y: false },
    scales: { x: { time: true }, y: { range: (_, least, most) => [Math.min(0, least ?? 0), (most ?? 0) > 0 ? most * 1.06 : most < 0 ? 0 : 1] } },
    axes: [
      { ...axis, size: 28, grid: { show: false }, splits: () => ticks(buckets), values: (_, splits) => splits.map((at) => tickName(buckets, at, grain)) },
      { ...axis, size: 64, values: (_, splits) => splits.map((value) => shown(value, unit)), space: height / TICKS },
    ],
    series: [{}, ...series.flatMap((one) => lines(one, finished))],
    hooks: {
      setCursor: [(chart) => setHover(chart.cursor.idx === null || chart.cursor.left < 0 ? null : { index: chart.cursor.idx, left: chart.cursor.left, width: chart.width })],
      setSelect: [(chart) => brush(chart, buckets, onBrush)],
      draw: [(chart) => drawFlags(chart, flags)],
    },
  };
}

function lines({ label, token = "series-1", faint = false, dashed = false }, finished) {
  const line = { label, stroke: colour(token), width: faint ? 1 : 2, points: { show: false }, spanGaps: false };
  if (dashed) line.dash = [4, 4];
  if (!faint && !dashed) line.fill = `${colour(token)}14`;
  return finished ? [line, { ...line, dash: [3, 4], fill: undefined }] : [line];
}

function ticks(buckets) {
  const step = Math.max(1, Math.ceil(buckets.length / TICKS));
  return buckets.filter((_, n) => n % step === 0).map(seconds);
}

function tickName(buckets, at, grain) {
  const bucket = buckets.find((one) => seconds(one) === at);
  if (!bucket) return "";
  return bucketName(bucket, grain, true);
}

/** A bucket as people read it. */
export function bucketName(bucket, grain, brief = false) {
  if (grain === "hour") return brief ? bucket.slice(11, 16) : `${dayName(bucket.slice(0, 10))}, ${bucket.slice(11, 16)}`;
  const day = bucket.slice(0, 10);
  if (grain === "month") return new Intl.DateTimeFormat("en-GB", { month: "short", year: "numeric", timeZone: "UTC" }).format(Date.parse(day));
  if (grain === "week") return brief ? dayName(day, false) : `Week of ${dayName(day)}`;
  if (brief) return dayName(day, false);
  return `${new Intl.DateTimeFormat("en-GB", { weekday: "short", timeZone: "UTC" }).format(Date.parse(day))}, ${dayName(day)}`;
}

function brush(chart, buckets, onBrush) {
  if (!onBrush || chart.select.width < 8) return;
  const first = chart.posToIdx(chart.select.left);
  const last = chart.posToIdx(chart.select.left + chart.select.width);
  chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  onBrush(buckets[first], buckets[last]);
}

function drawFlags(chart, flags) {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour("warn");
  for (const { bucket } of flags) {
    const x = chart.valToPos(seconds(bucket), "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top + bbox.height);
    ctx.lineTo(x, bbox.top);
    ctx.stroke();
    ctx.fillRect(x, bbox.top, 8 * devicePixelRatio, 6 * devicePixelRatio);
  }
  ctx.restore();
}

function Hover({ at, bucket, grain, series, flags }) {
  const left = at.left > at.width / 2;
  const style = left ? `right:${at.width - at.left - 52}px` : `left:${at.left + 76}px`;
  const weekBefore = grain === "day" && at.index >= 7;
  return html`<div class="tip" style=${style} data-no-picture>
    <strong>${bucketName(bucket, grain)}</strong>
    ${series.map((one) => html`<div class="tip-row"><span class="swatch" style=${`background:var(--${one.token ?? "series-1"})`}></span>${one.labels?.[at.index] ?? one.label}<b title=${exactly(one.values[at.index], one.unit)}>${shown(one.values[at.index], one.unit)}</b></div>`)}
    ${weekBefore && html`<div class="tip-row muted"><span class="swatch"></span>Same weekday before<b>${shown(series[0].values[at.index - 7], series[0].unit)}</b></div>`}
    ${flags.filter((flag) => flag.bucket === bucket).map((flag) => html`<div class="tip-row"><span class="swatch flag"></span>${flag.text}</div>`)}
  </div>`;
}
