// The chart of the chosen tile: its course, that of the comparison as a thin line, and notes on days as flags.
import { html, useMemo } from "../core/html.js";
import { go } from "../core/place.js";
import { useAnnotations } from "../core/annotations.js";
import { addDays } from "../core/days.js";
import { days, grain, grains } from "../core/period.js";
import { metricOf } from "../core/project.js";
import { bucketName, LineChart } from "./line_chart.js";
import { Panel } from "./panel.js";
import { chosenMetric } from "./tiles.js";

const WORDS = { hour: "Hours", day: "Days", week: "Weeks", month: "Months" };

/** The panel of the chosen one of these metrics; `answer` is that of `/v1/query` for all of them. */
export function MainChart({ names, answer, open, span = 12 }) {
  const name = chosenMetric(names) ?? "";
  const metric = metricOf(name);
  const found = answer.data?.metrics[name];
  const drawnGrain = answer.data?.window.grain ?? grain.value;
  const { annotations } = useAnnotations();
  const drawn = useMemo(() => found && metric && drawing(metric, found, answer.data), [found, metric]);
  const flags = useMemo(() => annotations.map(({ day, text }) => ({ bucket: bucketOf(day, found?.series ?? []), text })), [annotations, found]);
  const sealed = answer.data?.freshness.sealedDays.length;
  const remark = [found && found.accuracy !== "exact" && `≈ ${found.accuracy}.`, sealed > 0 && `${sealed} days of this period are sealed: their events have expired, and their numbers stay as published.`].filter(Boolean).join(" ");
  const tools = html`<div class="tabs" role="group" aria-label="Grain" data-no-picture>
    ${grains.value.map((one) => html`<button type="button" aria-pressed=${one === grain.value} onClick=${() => go({ grain: one })}>${WORDS[one]}</button>`)}
  </div>`;
  return html`<${Panel} title=${metric?.label ?? name} help=${metric?.help} answer=${answer} table=${drawn?.table} height=${280} span=${span} tools=${tools} hidden note=${remark}>
    ${drawn && html`<${LineChart} buckets=${drawn.buckets} series=${drawn.series} grain=${drawnGrain} open=${open} flags=${flags} onBrush=${drawnGrain === "hour" ? null : zoom} />`}
  <//>`;
}

function drawing(metric, found, data) {
  const buckets = found.series.map((point) => point.t);
  const grainOf = data.window.grain;
  const before = found.previousSeries ?? [];
  const series = [{ label: metric.label, unit: metric.unit, token: "series-1", values: found.series.map((point) => point.value) }];
  if (before.length) {
    series.push({
      label: "Before", unit: metric.unit, token: "muted", faint: true, values: buckets.map((_, n) => before[n]?.value ?? null),
      labels: buckets.map((_, n) => (before[n] ? bucketName(before[n].t, grainOf) : "Before")),
    });
  }
  const columns = [{ key: "t", label: WORDS[grainOf].slice(0, -1) }, { key: "value", label: metric.label, unit: metric.unit }];
  if (before.length) columns.push({ key: "previous", label: "Before", unit: metric.unit });
  const rows = found.series.map((point, n) => ({ t: point.t, value: point.value, previous: before[n]?.value ?? null }));
  return { buckets, series, table: { columns, rows } };
}

// The bucket that a day lies in: the last one that begins no later.
function bucketOf(day, series) {
  let bucket = day;
  for (const { t } of series) if (t.slice(0, 10) <= day) bucket = t;
  return bucket;
}

function zoom(first, last) {
  const ends = { week: 6, month: 30 }[grain.value] ?? 0;
  const to = addDays(last.slice(0, 10), ends);
  go({ from: first.slice(0, 10), to: to < days.value[1] ? to : days.value[1], period: null, grain: null });
}
