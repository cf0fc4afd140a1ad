// Metrics to choose from, found by their name, their label or what they mean.
import { html, useState } from "../../core/html.js";
import { catalogue } from "../../core/project.js";
import { Dialog } from "../../parts/dialog.js";

/** A dialog with every metric of the project; `onPick` gets the name of one, `taken` can't be had again. */
export function MetricPicker({ taken, onPick, onClose }) {
  const [words, search] = useState("");
  const found = catalogue.value.metrics.filter((metric) => fits(metric, words.toLowerCase().trim()));
  return html`<${Dialog} title="Choose a metric" wide onClose=${onClose}>
    <div class="sheet-tools">
      <input type="search" autofocus placeholder="Search" aria-label="Search the metrics" value=${words} onInput=${(event) => search(event.target.value)} />
      <span class="muted" role="status">${found.length} ${found.length === 1 ? "metric" : "metrics"}</span>
    </div>
    <ul class="choices">
      ${found.map((metric) => html`<li key=${metric.name}>
        <button type="button" data-choice=${metric.name} disabled=${taken.includes(metric.name)} onClick=${() => onPick(metric.name)}>
          <strong>${metric.label}</strong> <code>${metric.name}</code>
          <span class="muted">${metric.help}</span>
        </button>
      </li>`)}
    </ul>
  <//>`;
}

const fits = (metric, words) => !words || `${metric.name} ${metric.label} ${metric.help} ${metric.pack}`.toLowerCase().includes(words);
