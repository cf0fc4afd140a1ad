// What questions about quizzes have in common: the days and which attempts count.
import { html } from "../../core/html.js";
import { chosen, go } from "../../core/place.js";
import { days } from "../../core/period.js";
import { project } from "../../core/project.js";

const POLICIES = { all: "All attempts", first: "First", last: "Last", best: "Best" };

/** Which of a learner's attempts count. */
export const policy = () => (chosen("attempts", "all") in POLICIES ? chosen("attempts", "all") : "all");

/** The parameters of a question. */
export const asked = () => ({ project: project.value.name, startDate: days.value[0], endDate: days.value[1], attempts: policy() });

/** The address of a question about a quiz. */
export const pathOf = (quiz, rest) => `/quiz/api/v1/analytics/quiz/${encodeURIComponent(quiz)}/${rest}`;

/** Chooses which attempts count. */
export function PolicyPicker() {
  return html`<div class="tabs" role="group" aria-label="Attempts that count" data-no-picture>
    ${Object.entries(POLICIES).map(([name, label]) => html`<button type="button" aria-pressed=${policy() === name} onClick=${() => go({ attempts: name === "all" ? null : name })}>${label}</button>`)}
  </div>`;
}
