// How an effect and its sequential interval came about, asked day by day: where the interval leaves zero, one may decide.
import { html, useEffect, useMemo, useState } from "../../core/html.js";
import { get } from "../../core/api.js";
import { addDays, countDays, today } from "../../core/days.js";
import { zone } from "../../core/period.js";
import { project } from "../../core/project.js";
import { LineChart } from "../../parts/line_chart.js";
import { Panel } from "../../parts/panel.js";

const POINTS = 8;

/** The panel of the experiment's first metric. */
export function Course({ experiment, metric }) {
  const [found, setFound] = useState({ data: null, error: null, loading: true });
  const [asked, ask] = useState(0);
  const days = useMemo(() => pointsOf(experiment), [experiment.startedAt, experiment.stoppedAt]);
  useEffect(() => {
    const stop = new AbortController();
    collect(experiment.key, metric.name, days, stop.signal, (data) => setFound({ data, error: null, loading: false })).catch(
      (error) => error.name === "AbortError" || setFound({ data: null, error, loading: false }),
    );
    return () => stop.abort();
  }, [experiment.key, metric.name, days, asked]);
  const variant = metric.variants.find((one) => !one.control)?.variant;
  const drawn = useMemo(() => found.data && drawing(days, found.data, variant), [found.data, variant]);
  const answer = { ...found, retry: () => ask((n) => n + 1) };
  return html`<${Panel} title=${`${metric.name}, ${variant} over time`} answer=${answer} table=${drawn?.table} height=${240} span=${12} hidden
    note="The effect in the metric's own unit, between the bounds that hold whenever you look.">
    ${drawn && html`<${LineChart} buckets=${days} series=${drawn.series} grain="day" height=${240} />`}
  <//>`;
}

// Asks one day after the other, the last one first, so that others' questions don't wait; tells what there is each time.
async function collect(key, metric, days, signal, tell) {
  const found = days.map(() => null);
  for (let place = days.length - 1; place >= 0; place -= 1) {
    const parameters = { project: project.value.name, metric, to: days[place] };
    found[place] = await get(`/ab/v1/experiments/${encodeURIComponent(key)}/results`, parameters, signal);
    tell([...found]);
  }
}

// At most so many days from the second one on, the last included.
function pointsOf({ startedAt, stoppedAt }) {
  const first = addDays(startedAt.slice(0, 10), 1);
  const last = (stoppedAt ?? "").slice(0, 10) || today(zone.value);
  const length = Math.max(1, countDays(first, last));
  const step = Math.max(1, Math.ceil(length / POINTS));
  const days = [];
  for (let back = 0; back < length; back += step) days.unshift(addDays(last, -back));
  return days;
}

function drawing(days, answers, variant) {
  const found = answers.map((answer) => answer?.metrics[0].variants.find((one) => one.variant === variant));
  const rows = found.map((one, n) => ({ t: days[n], effect: one?.absolute?.effect ?? null, low: one?.sequential?.low ?? null, high: one?.sequential?.high ?? null }));
  const line = (label, key, token, more = {}) => ({ label, unit: "number", token, values: rows.map((row) => row[key]), ...more });
  return {
    series: [line("Effect", "effect", "series-1"), line("Lower bound", "low", "series-2", { dashed: true }), line("Upper bound", "high", "series-3", { dashed: true })],
    table: { columns: [{ key: "t", label: "Day" }, { key: "effect", label: "Effect", unit: "number" }, { key: "low", label: "Lower bound", unit: "number" }, { key: "high", label: "Upper bound", unit: "number" }], rows },
  };
}
