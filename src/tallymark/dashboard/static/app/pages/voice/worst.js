// The worst answers, with what the judge said; who may change things says what they think of one.
import { html, useState } from "../../core/html.js";
import { send } from "../../core/api.js";
import { forgetAnswers, useAnswer } from "../../core/answer.js";
import { instant } from "../../core/format.js";
import { zone } from "../../core/period.js";
import { project } from "../../core/project.js";
import { mayChange, session } from "../../core/session.js";
import { Dialog } from "../../parts/dialog.js";
import { Panel } from "../../parts/panel.js";
import { asked } from "./asked.js";

const SCORES = ["relevance", "correctness", "helpfulness", "safety", "overall"];

/** The panel. */
export function Worst() {
  const answer = useAnswer("/voice/stats/quality", asked());
  const [reviewed, review] = useState(null);
  const rows = (answer.data?.worst ?? []).map((one) => ({ ...one, when: instant(one.at, zone.value), score: one.evaluation?.overall, rationale: one.evaluation?.rationale }));
  const columns = [
    { key: "when", label: "When" }, { key: "intent", label: "Intent" }, { key: "transcript", label: "Asked" }, { key: "response", label: "Answered" }, { key: "score", label: "Overall", unit: "number" }, { key: "rationale", label: "Why" },
  ];
  return html`<${Panel} title="Worst answers" answer=${answer} table=${answer.data && { columns, rows }} height=${240} span=${12} empty="No answer was judged in this period.">
    <ul class="examples">${rows.map((row) => html`<li key=${row.exchangeId}>
      <p><b>${row.transcript ?? "(no text)"}</b> <span class="muted">${row.intent}, ${row.when}</span></p>
      <p>${row.response ?? "(no answer)"}</p>
      <p class="muted">${row.score} of 5. ${row.rationale}</p>
      ${mayChange() && html`<button type="button" class="plain link" onClick=${() => review(row)}>Review</button>`}
    </li>`)}</ul>
    ${reviewed && html`<${Review} row=${reviewed} onClose=${() => review(null)} />`}
  <//>`;
}

function Review({ row, onClose }) {
  const [scores, setScores] = useState({});
  const [comment, setComment] = useState("");
  const [reviewer, setReviewer] = useState(session.value.name);
  const [failed, setFailed] = useState(null);
  const store = async (event) => {
    event.preventDefault();
    try {
      await send("POST", "/v1/reviews", { exchangeId: row.exchangeId, reviewer, scores, ...(comment ? { comment } : {}) }, { project: project.value.name });
      forgetAnswers();
      onClose();
    } catch (error) {
      setFailed(error);
    }
  };
  return html`<${Dialog} title="What do you say?" onClose=${onClose}>
    <form class="form" onSubmit=${store}>
      <p><b>${row.transcript}</b></p><p>${row.response}</p>
      ${SCORES.map((name) => html`<label>${name}, 1 to 5 <input type="number" min="1" max="5" required=${name === "overall"} value=${scores[name] ?? ""} onInput=${(event) => setScores(scored(scores, name, event.target.value))} /></label>`)}
      <label>Comment <textarea rows="2" maxlength="1000" value=${comment} onInput=${(event) => setComment(event.target.value)}></textarea></label>
      <label>Reviewer <input required value=${reviewer} onInput=${(event) => setReviewer(event.target.value)} /></label>
      ${failed && html`<p class="error-text" role="alert">${failed.message}</p>`}
      <div class="actions"><button type="submit" class="main">Store the review</button></div>
    </form>
  <//>`;
}

function scored(scores, name, text) {
  const { [name]: _, ...others } = scores;
  return text === "" ? others : { ...others, [name]: Number(text) };
}
