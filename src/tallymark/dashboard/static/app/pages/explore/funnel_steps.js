// The steps of a funnel: what each counts, and what must be true besides. In the address a step is what the API takes.
import { html, useState } from "../../core/html.js";
import { OPERATORS } from "../../core/filters.js";
import { allChosen } from "../../core/place.js";
import { catalogue } from "../../core/project.js";
import { Dialog } from "../../parts/dialog.js";
import { EventPicker } from "./event_picker.js";

/** The steps of the address, as `{event, where}`; those that can't be read are left out. */
export function stepsChosen() {
  return allChosen("step").flatMap((text) => {
    if (!text.startsWith("{")) return [{ event: text, where: {} }];
    try {
      const { name, event, where = {} } = JSON.parse(text);
      return [{ name, event: Array.isArray(event) && event.length === 1 ? event[0] : event, where }];
    } catch {
      return [];
    }
  });
}

/** A step as the API takes it. */
export function writtenStep({ name, event, where }) {
  const bare = typeof event === "string" && !Object.keys(where).length && !name;
  return bare ? event : JSON.stringify({ ...(name ? { name } : {}), event, ...(Object.keys(where).length ? { where } : {}) });
}

const events = (step) => [step.event].flat().join(" or ");

function condition([column, test]) {
  const { op = "is", values = [test].flat() } = typeof test === "object" && !Array.isArray(test) ? test : {};
  return `${column} ${OPERATORS[op] ?? op} ${values.join(" or ")}`;
}

/** The list of steps with what changes them; `onChange` gets the new ones. */
export function StepList({ steps, names, onChange }) {
  const [asked, ask] = useState(null);
  const put = (place, step) => onChange(steps.map((one, n) => (n === place ? step : one)));
  const swap = (place) => onChange(steps.map((one, n) => (n === place ? steps[place - 1] : n === place - 1 ? steps[place] : one)));
  return html`<ol class="step-list">
    ${steps.map((step, place) => html`<li key=${place}>
      <${EventPicker} label=${html`<span class="muted">${place + 1}.</span>`} value=${events(step)} names=${names} onPick=${(event) => put(place, { event, where: step.where })} />
      ${Object.entries(step.where).map((one) => html`<span class="chip">${condition(one)}
        <button type="button" aria-label=${`Take the condition away: ${condition(one)}`} onClick=${() => put(place, { ...step, where: Object.fromEntries(Object.entries(step.where).filter(([key]) => key !== one[0])) })}>×</button>
      </span>`)}
      <button type="button" class="plain" aria-label=${`Where: add a condition to step ${place + 1}`} onClick=${() => ask(place)}>Where</button>
      <button type="button" class="plain" aria-label=${`Move step ${place + 1} up`} disabled=${place === 0} onClick=${() => swap(place)}>↑</button>
      <button type="button" class="plain" aria-label=${`Leave out step ${place + 1}`} disabled=${steps.length <= 2} onClick=${() => onChange(steps.filter((_, n) => n !== place))}>×</button>
    </li>`)}
    ${asked !== null && html`<${WhereForm} onClose=${() => ask(null)} onAdd=${(where) => put(asked, { ...steps[asked], where: { ...steps[asked].where, ...where } })} />`}
  </ol>`;
}

function WhereForm({ onAdd, onClose }) {
  const [column, setColumn] = useState("");
  const [op, setOp] = useState("is");
  const [value, setValue] = useState("");
  const add = (event) => {
    event.preventDefault();
    onAdd({ [column]: { op, values: [value] } });
    onClose();
  };
  return html`<${Dialog} title="Only events where" onClose=${onClose}>
    <form class="form" onSubmit=${add}>
      <label>Column, or property as props.name <input autofocus required list="step-columns" value=${column} onInput=${(event) => setColumn(event.target.value)} /></label>
      <datalist id="step-columns">${catalogue.value.dimensions.map((one) => html`<option value=${one.name}>${one.label}</option>`)}</datalist>
      <label>Holds <select value=${op} onChange=${(event) => setOp(event.target.value)}>${Object.entries(OPERATORS).map(([name, words]) => html`<option value=${name}>${words}</option>`)}</select></label>
      <label>Value <input required value=${value} onInput=${(event) => setValue(event.target.value)} /></label>
      <div class="actions"><button type="submit" class="main">Add</button></div>
    </form>
  <//>`;
}
