// The questions of a quiz: how hard each is against how well it tells learners apart, as a plot and a table; one of them opened.
import { html } from "../../core/html.js";
import { useAnswer } from "../../core/answer.js";
import { shown } from "../../core/format.js";
import { follow, go, hrefWith } from "../../core/place.js";
import { Panel } from "../../parts/panel.js";
import { Table } from "../../parts/table.js";
import { asked, pathOf } from "./asked.js";

const SIZE = 360;
const EDGE = 40;

/** Panels of the questions; `answer` is that of `items`, `question` the one that is opened. */
export function Items({ quiz, answer, question }) {
  const items = answer.data?.items ?? [];
  const columns = [
    { key: "questionId", label: "Question", render: (row) => html`<a href=${hrefWith({ question: row.questionId })} onClick=${follow}>${row.questionId}</a>` },
    { key: "n", label: "Attempts", unit: "count" }, { key: "skips", label: "Skips", unit: "count" }, { key: "facility", label: "Facility", unit: "share" },
    { key: "discriminationIndex", label: "Discrimination", unit: "number" }, { key: "discriminationEfficiency", label: "Efficiency", unit: "number" },
    { key: "medianTimeMs", label: "Median time", unit: "ms" }, { key: "said", label: "Notes" },
  ];
  const rows = items.map((item) => ({ ...item, said: item.notes.map((note) => note.replaceAll("_", " ")).join(", ") }));
  const table = answer.data && { columns: columns.map(({ key, label, unit }) => ({ key, label, unit })), rows };
  return html`
    <${Panel} title="Questions" answer=${answer} table=${table} height=${SIZE} span=${6} empty="No question was met in this period."><${Table} columns=${columns} rows=${rows} caption="Questions" /><//>
    <${Panel} title="Hard against telling" help="Facility against discrimination" answer=${answer} table=${table} height=${SIZE} span=${6}><${Plot} items=${items} /><//>
    ${question && html`<${Item} key=${question} quiz=${quiz} question=${question} />`}`;
}

// Facility to the right, discrimination upwards; below zero better learners fail, which is the doubtful corner.
function Plot({ items }) {
  const placed = items.filter((item) => item.facility !== null && item.discriminationIndex !== null);
  if (!placed.length) return html`<p class="nothing">No question is graded.</p>`;
  const least = Math.min(-0.2, ...placed.map((item) => item.discriminationIndex));
  const most = Math.max(0.6, ...placed.map((item) => item.discriminationIndex));
  const x = (value) => EDGE + value * (SIZE - EDGE - 24);
  const y = (value) => SIZE - EDGE - ((value - least) / (most - least)) * (SIZE - EDGE - 12);
  return html`<svg class="plot" viewBox="0 0 ${SIZE} ${SIZE}" role="group" aria-label="Questions by facility and discrimination">
    <rect class="doubtful" x=${x(0)} y=${y(0.1)} width=${x(1) - x(0)} height=${y(least) - y(0.1)} />
    <text class="tick" x=${x(1) - 4} y=${y(least) - 6} text-anchor="end">Doubtful: doesn't tell, or misleads</text>
    <line x1=${x(0)} x2=${x(1)} y1=${y(0)} y2=${y(0)} /><line x1=${x(0)} x2=${x(0)} y1=${y(most)} y2=${y(least)} />
    ${[0, 0.5, 1].map((value) => html`<text class="tick" x=${x(value)} y=${SIZE - EDGE + 16} text-anchor="middle">${shown(value, "share")}</text>`)}
    ${[least, 0, most].map((value) => html`<text class="tick" x=${EDGE - 6} y=${y(value) + 4} text-anchor="end">${shown(value)}</text>`)}
    <text class="tick" x=${x(0.5)} y=${SIZE - 6} text-anchor="middle">Facility: share of right answers</text>
    ${placed.map((item) => html`<a href=${hrefWith({ question: item.questionId })} onClick=${(event) => { event.preventDefault(); go({ question: item.questionId }); }}
      aria-label=${`${item.questionId}: facility ${shown(item.facility, "share")}, discrimination ${shown(item.discriminationIndex)}`}>
      <circle class=${item.discriminationIndex < 0.1 ? "doubt" : ""} cx=${x(item.facility)} cy=${y(item.discriminationIndex)} r="7" /><title>${item.questionId}</title>
    </a>`)}
  </svg>`;
}

function Item({ quiz, question }) {
  const answer = useAnswer(pathOf(quiz, `items/${encodeURIComponent(question)}`), asked());
  const item = answer.data?.item;
  const columns = [
    { key: "answer", label: "Answer" }, { key: "right", label: "Right" }, { key: "n", label: "Attempts", unit: "count" }, { key: "share", label: "Share", unit: "share" },
    { key: "pointBiserial", label: "Point-biserial", unit: "number" }, { key: "said", label: "Notes" },
  ];
  const rows = (item?.answers ?? []).map((one) => ({
    ...one, answer: one.other ? "(others)" : one.answer || "(empty)", right: one.correct === null ? "" : one.correct ? "yes" : "no", said: one.notes.map((note) => note.replaceAll("_", " ")).join(", "),
  }));
  const times = item && `Median time ${shown(item.medianTimeMs, "ms")}, 90 % within ${shown(item.p90TimeMs, "ms")}; guessing alone gives ${shown(item.randomGuessScore, "share")}.`;
  return html`<${Panel} title=${`Answers to ${question}`} answer=${answer} table=${item && { columns, rows }} height=${120} span=${12} note=${times}
    tools=${html`<a href=${hrefWith({ question: null })} onClick=${follow}>Close</a>`}>
    <${Table} columns=${columns} rows=${rows} caption=${`Answers to ${question}`} />
  <//>`;
}
