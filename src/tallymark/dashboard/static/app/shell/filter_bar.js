// The filters as chips, and a form for another one.
import { html, useSignal, useState } from "../core/html.js";
import { go } from "../core/place.js";
import { add, drop, filters, OPERATORS, parsed, segments, written } from "../core/filters.js";
import { useAnswer } from "../core/answer.js";
import { asked } from "../core/period.js";
import { catalogue, dimensionOf, project } from "../core/project.js";
import { shortcut } from "../core/keyboard.js";
import { Dialog } from "../parts/dialog.js";
import { Icon } from "../parts/icon.js";

let show = () => {};
shortcut("f", "Add a filter", () => show());

/** The chips of the filters and segments there are, and a button for another. */
export function FilterBar() {
  const open = useSignal(false);
  show = () => (open.value = true);
  return html`<div class="filters" role="group" aria-label="Filters">
    ${segments.value.map((key) => html`<${Chip} text=${`Segment ${key}`} onDrop=${() => go({ segment: segments.value.filter((one) => one !== key) })} />`)}
    ${filters.value.map((filter) => html`<${Chip} text=${said(filter)} onDrop=${() => drop(filter)} />`)}
    <button type="button" class="plain" title="Add a filter (f)" onClick=${show}><${Icon} name="filter" /> Filter</button>
    ${open.value && html`<${FilterForm} onClose=${() => (open.value = false)} />`}
  </div>`;
}

function Chip({ text, onDrop }) {
  return html`<span class="chip">${text}<button type="button" aria-label=${`Take the filter away: ${text}`} onClick=${onDrop}><${Icon} name="close" size="12" /></button></span>`;
}

/** A filter in words. */
export function said(filter) {
  const found = parsed(filter);
  if (!found) return filter;
  const label = dimensionOf(found.dimension)?.label ?? found.dimension;
  return `${label} ${OPERATORS[found.operator]} ${found.values.map((value) => value || "(none)").join(" or ")}`;
}

function FilterForm({ onClose }) {
  const dimensions = catalogue.value?.dimensions ?? [];
  const [dimension, setDimension] = useState(dimensions[0]?.name);
  const [operator, setOperator] = useState("is");
  const [value, setValue] = useState("");
  const use = (event) => {
    event.preventDefault();
    add(written(dimension, operator, [value]));
    onClose();
  };
  return html`<${Dialog} title="Add a filter" onClose=${onClose}>
    <form class="form" onSubmit=${use}>
      <label>Where <select autofocus value=${dimension} onChange=${(event) => setDimension(event.target.value)}>
        ${dimensions.map((one) => html`<option value=${one.name}>${one.label}</option>`)}
      </select></label>
      <label>Holds <select value=${operator} onChange=${(event) => setOperator(event.target.value)}>
        ${Object.entries(OPERATORS).map(([name, words]) => html`<option value=${name}>${words}</option>`)}
      </select></label>
      <label>Value <input list="filter-values" value=${value} onInput=${(event) => setValue(event.target.value)} /></label>
      <${Values} dimension=${dimension} />
      <div class="actions"><button type="submit" class="main">Add</button></div>
    </form>
  <//>`;
}

// The most frequent values of a dimension, by the first metric that has it.
function Values({ dimension }) {
  const metric = catalogue.value?.metrics.find((one) => one.unit === "count" && one.dimensions.includes(dimension));
  const question = metric && { project: project.value.name, metrics: metric.name, by: dimension, limit: 50, from: asked.value.from, to: asked.value.to };
  const answer = useAnswer(question ? "/v1/query" : null, question);
  return html`<datalist id="filter-values">${(answer.data?.breakdown ?? []).map((row) => html`<option value=${row.key}></option>`)}</datalist>`;
}
