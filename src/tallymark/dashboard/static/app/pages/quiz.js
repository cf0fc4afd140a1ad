// Quizzes: which there are, one of them or one of its learners as a page, and below the list the numbers of all.
import { html } from "../core/html.js";
import { chosen } from "../core/place.js";
import { Board } from "./board.js";
import { LearnerPage } from "./quiz/learner.js";
import { QuizList } from "./quiz/list.js";
import { QuizPage } from "./quiz/quiz.js";

/** The page. */
export default function Quizzes() {
  if (chosen("learner")) return html`<${LearnerPage} key=${chosen("learner")} user=${chosen("learner")} />`;
  if (chosen("quiz")) return html`<${QuizPage} key=${chosen("quiz")} quiz=${chosen("quiz")} />`;
  return html`<${QuizList} /><${Board} pack="quiz" />`;
}
