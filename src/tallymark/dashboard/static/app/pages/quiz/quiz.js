// A quiz as a page: its numbers, how scores lie, its questions, how far learners come and who comes back.
import { html, useMemo } from "../../core/html.js";
import { useAnswer } from "../../core/answer.js";
import { exactly, instant, shown } from "../../core/format.js";
import { chosen, follow, hrefWith } from "../../core/place.js";
import { grain, zone } from "../../core/period.js";
import { Columns } from "../../parts/columns.js";
import { FunnelSteps, funnelTable } from "../../parts/funnel.js";
import { cohortTable, HeatMap } from "../../parts/heat_map.js";
import { LineChart } from "../../parts/line_chart.js";
import { Failed, Panel } from "../../parts/panel.js";
import { Table } from "../../parts/table.js";
import { asked, pathOf, PolicyPicker } from "./asked.js";
import { Items } from "./items.js";

/** The page of the quiz with that id. */
export function QuizPage({ quiz }) {
  const numbers = useAnswer(pathOf(quiz, "metrics"), { ...asked(), aggregation: grain.value === "hour" ? "day" : grain.value });
  const statistics = useAnswer(pathOf(quiz, "statistics"), asked());
  const items = useAnswer(pathOf(quiz, "items"), asked());
  if (numbers.error && !numbers.data) return html`<div class="span-12"><${Back} /><${Failed} error=${numbers.error} retry=${numbers.retry} /></div>`;
  return html`<${Back} />
    <${Numbers} quiz=${quiz} answer=${numbers} />
    <${Scores} answer=${statistics} />
    <${Statistics} answer=${statistics} />
    <${Items} quiz=${quiz} answer=${items} question=${chosen("question")} />
    <${Steps} quiz=${quiz} />
    <${Cohorts} quiz=${quiz} />
    <${Learners} quiz=${quiz} />`;
}

function Back() {
  return html`<p class="span-12"><a href=${hrefWith({ quiz: null, question: null })} onClick=${follow}>All quizzes</a></p>`;
}

function Numbers({ quiz, answer }) {
  const told = answer.data;
  const drawn = useMemo(() => told && {
    buckets: told.series.map((row) => row.t),
    series: [{ label: "Attempts", unit: "count", token: "series-1", values: told.series.map((row) => row.totalAttempts) }, { label: "Submitted", unit: "count", token: "series-3", faint: true, values: told.series.map((row) => row.submitted) }],
  }, [told]);
  const columns = [
    { key: "t", label: "From" }, { key: "totalAttempts", label: "Attempts", unit: "count" }, { key: "learners", label: "Learners", unit: "count" }, { key: "submitted", label: "Submitted", unit: "count" },
    { key: "completionRate", label: "Completion", unit: "share" }, { key: "averageScore", label: "Average score", unit: "number" }, { key: "timeSpent", label: "Time spent", unit: "seconds" },
  ];
  const facts = told && [
    ["Attempts", told.totalAttempts, "count"], ["Learners", told.learners, "count"], ["Completion", told.completionRate, "share"],
    ["Average score", told.averageScore, "number"], ["Time spent", told.timeSpent, "seconds"], ["Abandoned", told.abandoned, "count"],
  ];
  return html`<${Panel} title=${quiz} answer=${answer} table=${told && { columns, rows: told.series }} height=${280} span=${12} hidden tools=${html`<${PolicyPicker} />`}>
    ${facts && html`<${Facts} facts=${facts} />`}
    ${drawn && html`<${LineChart} buckets=${drawn.buckets} series=${drawn.series} grain=${told.aggregation} height=${200} />`}
  <//>`;
}

function Facts({ facts }) {
  return html`<dl class="facts">${facts.map(([name, value, unit]) => html`<div><dt>${name}</dt><dd data-value=${value} title=${exactly(value, unit)}>${shown(value, unit)}</dd></div>`)}</dl>`;
}

function Scores({ answer }) {
  const rows = answer.data?.histogram ?? [];
  const table = answer.data && { columns: [{ key: "band", label: "Score, percent" }, { key: "attempts", label: "Attempts", unit: "count" }], rows };
  return html`<${Panel} title="Scores" answer=${answer} table=${table} height=${200} hidden>
    <${Columns} rows=${rows.map((row) => ({ label: row.band, value: row.attempts }))} />
  <//>`;
}

// Of each number: its name, its unit, and what it says in plain words.
const STATISTICS = [
  ["mean", "Mean", "The average score, in percent."],
  ["median", "Median", "Half of the attempts score less."],
  ["standardDeviation", "Standard deviation", "How far scores lie apart (n - 1)."],
  ["skewness", "Skewness", "Below zero: a tail of low scores."],
  ["kurtosis", "Kurtosis", "Above zero: more very high and very low scores than usual."],
  ["cronbachAlpha", "Cronbach's alpha", "How far the questions measure the same; 0.7 and more is relied on."],
  ["standardError", "Standard error of measurement", "A score would vary by so much if the quiz were taken again."],
];

function Statistics({ answer }) {
  const told = answer.data;
  const rows = told ? [...STATISTICS.map(([key, name, says]) => ({ name, value: told[key], says })), { name: "Retake gain", value: told.retakes.gain, says: `Of the ${told.retakes.learners} learners who came again: last less first score.` }] : [];
  const columns = [{ key: "name", label: "Number" }, { key: "value", label: "Value", unit: "number" }, { key: "says", label: "What it says" }];
  return html`<${Panel} title="How far scores can be relied on" answer=${answer} table=${told && { columns, rows }} height=${200} note=${told?.notes.length ? `Notes: ${told.notes.map((note) => note.replaceAll("_", " ")).join(", ")}.` : null}>
    <${Table} columns=${columns} rows=${rows} caption="Statistics" />
  <//>`;
}

function Steps({ quiz }) {
  const { attempts: _, ...days } = asked();
  const answer = useAnswer(pathOf(quiz, "funnel"), days, { every: 0 });
  const steps = answer.data?.steps ?? [];
  return html`<${Panel} title="How far learners come" answer=${answer} table=${answer.data && funnelTable(steps)} height=${240}>
    <${FunnelSteps} steps=${steps} />
  <//>`;
}

function Cohorts({ quiz }) {
  const { attempts: _, ...days } = asked();
  const answer = useAnswer(pathOf(quiz, "retention"), { ...days, period: "week" }, { every: 0 });
  const cohorts = answer.data?.cohorts ?? [];
  return html`<${Panel} title="Who comes back" help="Learners by the week they first began, and how many are back in later ones" answer=${answer} table=${answer.data && cohortTable(cohorts)} height=${240}>
    <${HeatMap} cohorts=${cohorts} period="week" />
  <//>`;
}

function Learners({ quiz }) {
  const { attempts: _, ...days } = asked();
  const answer = useAnswer(pathOf(quiz, "learners"), days);
  const columns = [
    { key: "user", label: "Learner" }, { key: "attempts", label: "Attempts", unit: "count" }, { key: "bestScore", label: "Best", unit: "number" }, { key: "lastScore", label: "Last", unit: "number" },
    { key: "timeSpent", label: "Time spent", unit: "seconds" }, { key: "last", label: "Last active" },
  ];
  const rows = (answer.data?.learners ?? []).map((one) => ({ ...one, last: instant(one.lastAttempt, zone.value) }));
  return html`<${Panel} title="Learners" help="By a hash of their ids: nobody can be found by it" answer=${answer} table=${answer.data && { columns, rows }} height=${240} span=${12} note=${rows.length > 10 ? `${rows.length} learners; the menu shows all.` : null}>
    <${Table} columns=${columns} rows=${rows.slice(0, 10)} caption="Learners" />
  <//>`;
}
