// One learner's numbers, in total and by quiz.
import { html } from "../../core/html.js";
import { useAnswer } from "../../core/answer.js";
import { instant, shown } from "../../core/format.js";
import { follow, hrefWith } from "../../core/place.js";
import { zone } from "../../core/period.js";
import { Panel } from "../../parts/panel.js";
import { Table } from "../../parts/table.js";
import { asked } from "./asked.js";

/** The page of a learner, by the id that events name them by. */
export function LearnerPage({ user }) {
  const answer = useAnswer(`/quiz/api/v1/analytics/user/${encodeURIComponent(user)}/metrics`, asked());
  const rows = answer.data?.quizzes ?? [];
  const columns = [
    { key: "quizId", label: "Quiz", render: (row) => html`<a href=${hrefWith({ learner: null, quiz: row.quizId })} onClick=${follow}>${row.quizId}</a>` },
    { key: "attempts", label: "Attempts", unit: "count" }, { key: "averageScore", label: "Average score", unit: "number" }, { key: "totalTimeSpent", label: "Time spent", unit: "seconds" },
  ];
  return html`<p class="span-12"><a href=${hrefWith({ learner: null })} onClick=${follow}>All quizzes</a></p>
    <${Panel} title=${`Learner ${user}`} answer=${answer} height=${120} span=${12}>${answer.data && html`<${Facts} told=${answer.data} />`}<//>
    <${Panel} title="By quiz" answer=${answer} table=${{ columns: columns.map(({ key, label, unit }) => ({ key, label, unit })), rows }} height=${120} span=${12} empty="Nothing of this learner in this period.">
      <${Table} columns=${columns} rows=${rows} caption="By quiz" />
    <//>`;
}

function Facts({ told }) {
  const facts = [
    ["Quizzes completed", shown(told.quizzesCompleted, "count")], ["Attempts", shown(told.attempts, "count")], ["Average score", shown(told.averageScore)],
    ["Time spent", shown(told.totalTimeSpent, "seconds")], ["Last active", instant(told.lastActivity, zone.value)],
  ];
  return html`<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}
