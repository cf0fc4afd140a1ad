// How good answers are, by evaluator and version, over time; and whether confidence can be believed.
import { html, useMemo } from "../../core/html.js";
import { useAnswer } from "../../core/answer.js";
import { shown } from "../../core/format.js";
import { LineChart } from "../../parts/line_chart.js";
import { Panel } from "../../parts/panel.js";
import { Table } from "../../parts/table.js";
import { asked } from "./asked.js";

const SCORES = { voice_quality: "Overall", voice_relevance: "Relevance", voice_correctness: "Correctness", voice_helpfulness: "Helpfulness", voice_safety: "Safety" };
const TOKENS = ["series-1", "series-2", "series-3", "series-4", "series-5"];

/** The panels. */
export function Quality() {
  const answer = useAnswer("/voice/stats/quality", asked());
  return html`<${Course} answer=${answer} /><${Versions} answer=${answer} /><${Calibration} answer=${answer} />`;
}

function Course({ answer }) {
  const told = answer.data;
  const drawn = useMemo(() => told && {
    buckets: told.metrics.voice_quality.series.map((point) => point.t),
    series: Object.entries(SCORES).map(([name, label], place) => ({ label, unit: "number", token: TOKENS[place], faint: place > 0, values: told.metrics[name].series.map((point) => point.value) })),
  }, [told]);
  const columns = [{ key: "t", label: "From" }, ...Object.entries(SCORES).map(([key, label]) => ({ key, label, unit: "number" }))];
  const rows = drawn ? drawn.buckets.map((t, n) => ({ t, ...Object.fromEntries(Object.keys(SCORES).map((name, place) => [name, drawn.series[place].values[n]])) })) : [];
  return html`<${Panel} title="Quality" help="Means of scores from 1 to 5" answer=${answer} table=${drawn && { columns, rows }} height=${260} span=${12} hidden
    note=${told?.evaluator && `Judged by ${told.evaluator}; the thick line is the overall score.`}>
    ${drawn && html`<${LineChart} buckets=${drawn.buckets} series=${drawn.series} grain=${told.window.grain} height=${240} />`}
  <//>`;
}

function Versions({ answer }) {
  const columns = [{ key: "key", label: "Evaluator and version" }, { key: "voice_evaluations", label: "Judged", unit: "count" }, ...Object.entries(SCORES).map(([key, label]) => ({ key, label, unit: "number" }))];
  const rows = answer.data?.evaluators ?? [];
  return html`<${Panel} title="By evaluator" answer=${answer} table=${answer.data && { columns, rows }} height=${140}><${Table} columns=${columns} rows=${rows} caption="Scores by evaluator and version" /><//>`;
}

function Calibration({ answer }) {
  const columns = [{ key: "band", label: "Confidence" }, { key: "outcomes", label: "Answers", unit: "count" }, { key: "confidence", label: "Said", unit: "share" }, { key: "success", label: "Succeeded", unit: "share" }, { key: "gap", label: "Gap", unit: "share" }];
  const rows = answer.data?.calibration?.bands ?? [];
  const error = answer.data?.calibration?.ece;
  return html`<${Panel} title="Whether confidence can be believed" answer=${answer} table=${answer.data && { columns, rows }} height=${140}
    note=${error !== undefined && error !== null && `Expected calibration error: ${shown(error, "share")}.`}>
    <${Table} columns=${columns} rows=${rows} caption="Calibration" />
  <//>`;
}
