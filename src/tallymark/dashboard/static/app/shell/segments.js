// Segments: filters that a project keeps under a key. One is used like a filter; the present filters can become one.
import { html, useState } from "../core/html.js";
import { send } from "../core/api.js";
import { forgetAnswers, useAnswer } from "../core/answer.js";
import { filters, segments } from "../core/filters.js";
import { go } from "../core/place.js";
import { project } from "../core/project.js";
import { mayChange } from "../core/session.js";
import { Dialog } from "../parts/dialog.js";
import { said } from "./filter_bar.js";

const here = () => ({ project: project.value.name });

/** The sheet. */
export function SegmentsSheet({ onClose }) {
  const answer = useAnswer("/v1/segments", here(), { every: 0 });
  const [failed, setFailed] = useState(null);
  const act = async (method, key, body) => {
    try {
      await send(method, `/v1/segments/${encodeURIComponent(key)}`, body, here());
      if (method === "DELETE") go({ segment: segments.value.filter((one) => one !== key) });
      setFailed(null);
      forgetAnswers();
      answer.retry();
    } catch (error) {
      setFailed(error);
    }
  };
  const found = answer.data?.segments ?? [];
  return html`<${Dialog} title="Segments" onClose=${onClose}>
    ${mayChange() && html`<${Keep} onKeep=${(key, title) => act("PUT", key, { title, filters: filters.value })} />`}
    ${failed && html`<p class="error-text" role="alert">${failed.message}</p>`}
    ${answer.data && !found.length && html`<p class="nothing">No segment is kept yet.</p>`}
    <ul class="rows">${found.map((segment) => html`<li key=${segment.key}>
      <button type="button" class="plain link" aria-pressed=${segments.value.includes(segment.key)} title=${segment.filters.map(said).join(", ")} onClick=${() => { use(segment.key); onClose(); }}>${segment.title || segment.key}</button>
      ${mayChange() && html`<button type="button" class="plain" aria-label=${`Delete ${segment.title || segment.key}`} onClick=${() => act("DELETE", segment.key)}>Delete</button>`}
    </li>`)}</ul>
  <//>`;
}

function use(key) {
  go({ segment: segments.value.includes(key) ? segments.value.filter((one) => one !== key) : [...segments.value, key] });
}

function Keep({ onKeep }) {
  const [title, setTitle] = useState("");
  if (!filters.value.length) return html`<p class="muted">Add filters first: they can be kept here as a segment.</p>`;
  const keep = (event) => {
    event.preventDefault();
    onKeep(keyOf(title), title);
    setTitle("");
  };
  return html`<form class="form" onSubmit=${keep}>
    <p>${filters.value.map(said).join(", ")}</p>
    <label>Keep these filters as <input required maxlength="60" pattern=".*[A-Za-z0-9].*" value=${title} onInput=${(event) => setTitle(event.target.value)} /></label>
    <div class="actions"><button type="submit" class="main">Keep</button></div>
  </form>`;
}

// Letters, digits and dashes, as keys may have.
const keyOf = (title) => title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 64);
