// The quizzes of a project with their numbers, and a way to one learner's.
import { html, useState } from "../../core/html.js";
import { useAnswer } from "../../core/answer.js";
import { follow, go, hrefWith } from "../../core/place.js";
import { project } from "../../core/project.js";
import { Panel } from "../../parts/panel.js";
import { Table } from "../../parts/table.js";
import { asked, PolicyPicker } from "./asked.js";

/** The panel. */
export function QuizList() {
  const answer = useAnswer("/quiz/api/v1/analytics/quizzes", asked());
  const known = useAnswer("/quiz/api/v1/quizzes", { project: project.value.name });
  const titles = new Map((known.data?.quizzes ?? []).map((quiz) => [quiz.quizId, quiz]));
  const rows = (answer.data?.quizzes ?? []).map((quiz) => ({ ...quiz, title: titles.get(quiz.quizId)?.title || quiz.quizId, owner: titles.get(quiz.quizId)?.owner ?? "" }));
  const columns = [
    { key: "title", label: "Quiz", render: (row) => html`<a href=${hrefWith({ quiz: row.quizId })} onClick=${follow}>${row.title}</a>` },
    { key: "owner", label: "Owner" }, { key: "totalAttempts", label: "Attempts", unit: "count" }, { key: "learners", label: "Learners", unit: "count" },
    { key: "completionRate", label: "Completion", unit: "share" }, { key: "averageScore", label: "Average score", unit: "number" }, { key: "timeSpent", label: "Time spent", unit: "seconds" },
  ];
  return html`<${Panel} title="Quizzes" answer=${answer} table=${{ columns: columns.map(({ key, label, unit }) => ({ key, label, unit })), rows }} height=${120} span=${12} tools=${html`<${PolicyPicker} />`}>
    <${Table} columns=${columns} rows=${rows} caption="Quizzes" />
    <${LearnerForm} />
  <//>`;
}

function LearnerForm() {
  const [user, setUser] = useState("");
  const open = (event) => { event.preventDefault(); go({ learner: user.trim() }); };
  return html`<form class="inline-form" onSubmit=${open} data-no-picture>
    <label>Numbers of one learner <input required placeholder="Their user id" value=${user} onInput=${(event) => setUser(event.target.value)} /></label>
    <button type="submit">Show</button>
  </form>`;
}
