// A dialog with a form for an act that may fail, and what follows an act: every answer is asked anew.
import { html, useState } from "../../core/html.js";
import { forgetAnswers } from "../../core/answer.js";
import { Dialog } from "../../parts/dialog.js";

/** Does `act`, forgets the answers kept, and asks `answer` anew. */
export async function actAndRetry(answer, act) {
  const done = await act();
  forgetAnswers();
  answer.retry();
  return done;
}

/** A form in a dialog: `act` gets its fields as an object of texts; it closes when that went well. */
export function FormDialog({ title, word, act, onClose, children }) {
  const [failed, setFailed] = useState(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await act(new FormData(event.currentTarget));
      onClose();
    } catch (error) {
      setFailed(error);
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <form class="form" onSubmit=${submit}>
      ${children}
      ${failed && html`<p class="error-text" role="alert">${failed.message}${failed.allowed ? ` Possible: ${failed.allowed.join(", ")}.` : ""}</p>`}
      <div class="actions"><button type="button" onClick=${onClose}>Leave it</button><button type="submit" class="main" disabled=${busy}>${word}</button></div>
    </form>
  <//>`;
}
