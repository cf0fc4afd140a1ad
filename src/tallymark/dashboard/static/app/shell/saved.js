// What can be kept of a view: saved under a title, shared by a link, and notes on days.
import { html, useState } from "../core/html.js";
import { forgetAnswers, useAnswer } from "../core/answer.js";
import { send } from "../core/api.js";
import { days } from "../core/period.js";
import { goTo, whole } from "../core/place.js";
import { project } from "../core/project.js";
import { mayChange } from "../core/session.js";
import { instant } from "../core/format.js";
import { dayName } from "../core/days.js";
import { Dialog } from "../parts/dialog.js";
import { Command } from "./empty.js";

const here = () => ({ project: project.value.name });

/** Views that were saved, and a form to save this one. */
export function ViewsSheet({ onClose }) {
  const answer = useAnswer("/v1/views", here(), { every: 0 });
  const again = useAgain(answer);
  return html`<${Dialog} title="Saved views" onClose=${onClose}>
    ${mayChange() && html`<${OneLine} label="Save this view as" word="Save" act=${(title) => again(send("POST", "/v1/views", { title, view: whole.value }, here()))} />`}
    <${Rows} rows=${answer.data?.views} nothing="No view is saved yet.">
      ${(view) => html`<button type="button" class="plain link" onClick=${() => { goTo(view.view); onClose(); }}>${view.title}</button>
        ${mayChange() && html`<button type="button" class="plain" aria-label=${`Delete ${view.title}`} onClick=${() => again(send("DELETE", `/v1/views/${view.id}`, undefined, here()))}>Delete</button>`}`}
    <//>
  <//>`;
}

/** Notes on the days of the period, and a form for another. */
export function NotesSheet({ onClose }) {
  const [from, to] = days.value;
  const [day, setDay] = useState(to);
  const answer = useAnswer("/v1/annotations", { ...here(), from, to });
  const again = useAgain(answer);
  return html`<${Dialog} title="Notes on days" onClose=${onClose}>
    ${mayChange() && html`<${OneLine} label="What happened" word="Add" act=${(text) => again(send("POST", "/v1/annotations", { day, text }, here()))}>
      <label>Day <input type="date" required value=${day} onInput=${(event) => setDay(event.target.value)} /></label>
    <//>`}
    <${Rows} rows=${answer.data?.annotations} nothing="No note on these days.">
      ${(note) => html`<span>${dayName(note.day)}: ${note.text}</span>
        ${mayChange() && html`<button type="button" class="plain" aria-label=${`Delete ${note.text}`} onClick=${() => again(send("DELETE", `/v1/annotations/${note.id}`, undefined, here()))}>Delete</button>`}`}
    <//>
  <//>`;
}

/** Links that show this project to others, and a form for a new one. */
export function SharesSheet({ onClose }) {
  const answer = useAnswer("/v1/shares", here(), { every: 0 });
  const again = useAgain(answer);
  const [made, setMade] = useState(null);
  const [password, setPassword] = useState("");
  const share = async (title) => {
    const draft = { title, view: whole.value, ...(password ? { password } : {}) };
    const { token } = await again(send("POST", "/v1/shares", draft, here()));
    setMade(`${location.origin}/#share=${token}`);
  };
  return html`<${Dialog} title="Share" onClose=${onClose}>
    <p class="muted">Whoever has the link sees this project's numbers, as a read key does, until it is revoked.</p>
    <${OneLine} label="Title" word="Make a link" act=${share}>
      <label>Password, if it needs one <input type="password" autocomplete="new-password" value=${password} onInput=${(event) => setPassword(event.target.value)} /></label>
    <//>
    ${made && html`<p>This link is shown this once.</p><${Command} text=${made} />`}
    <${Rows} rows=${answer.data?.shares} nothing="Nothing is shared yet.">
      ${(one) => html`<span>${one.title || one.id}, ${instant(one.createdAt)}${one.hasPassword ? ", with a password" : ""}</span>
        ${one.revokedAt
          ? html`<span class="muted">Revoked</span>`
          : html`<button type="button" class="plain" aria-label=${`Revoke ${one.title || one.id}`} onClick=${() => again(send("DELETE", `/v1/shares/${one.id}`, undefined, here()))}>Revoke</button>`}`}
    <//>
  <//>`;
}

// Waits for an act, and asks anew for what it changed.
function useAgain(answer) {
  return async (act) => {
    const done = await act;
    forgetAnswers();
    answer.retry();
    return done;
  };
}

function OneLine({ label, word, act, children }) {
  const [text, setText] = useState("");
  const [failed, setFailed] = useState(null);
  const go = async (event) => {
    event.preventDefault();
    try {
      await act(text);
      setText("");
      setFailed(null);
    } catch (error) {
      setFailed(error);
    }
  };
  return html`<form class="form" onSubmit=${go}>
    <label>${label} <input required maxlength="200" value=${text} onInput=${(event) => setText(event.target.value)} /></label>
    ${children}
    ${failed && html`<p class="error-text" role="alert">${failed.message}</p>`}
    <div class="actions"><button type="submit" class="main">${word}</button></div>
  </form>`;
}

function Rows({ rows, nothing, children: shown }) {
  if (!rows) return html`<div class="skeleton rows"></div>`;
  if (!rows.length) return html`<p class="nothing">${nothing}</p>`;
  return html`<ul class="rows">${rows.map((row) => html`<li key=${row.id}>${shown(row)}</li>`)}</ul>`;
}
