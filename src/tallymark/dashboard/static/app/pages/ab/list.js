// The experiments of a project, the running ones first.
import { html } from "../../core/html.js";
import { useAnswer } from "../../core/answer.js";
import { follow, hrefWith } from "../../core/place.js";
import { project } from "../../core/project.js";
import { dayName } from "../../core/days.js";
import { Panel } from "../../parts/panel.js";
import { Table } from "../../parts/table.js";

const ORDER = ["running", "draft", "stopped", "shipped", "archived"];

/** The panel. */
export function ExperimentList() {
  const answer = useAnswer("/v1/experiments", { project: project.value.name });
  const rows = [...(answer.data?.experiments ?? [])].sort((one, other) => ORDER.indexOf(one.status) - ORDER.indexOf(other.status)).map(shownRow);
  const columns = [
    { key: "name", label: "Experiment", render: (row) => html`<a href=${hrefWith({ experiment: row.key })} onClick=${follow}>${row.name}</a>` },
    { key: "status", label: "State", render: (row) => html`<${State} status=${row.status} />` },
    { key: "variants", label: "Variants" },
    { key: "since", label: "Since" },
    { key: "days", label: "Days", unit: "count" },
    { key: "hypothesis", label: "Hypothesis" },
  ];
  return html`<${Panel} title="Experiments" answer=${answer} table=${{ columns: columns.map(({ key, label, unit }) => ({ key, label, unit })), rows }} height=${120} span=${12}
    empty="No experiment is defined yet: tallymark experiments create makes one.">
    <${Table} columns=${columns} rows=${rows} caption="Experiments" />
  <//>`;
}

/** The state of an experiment, in words and with a dot. */
export function State({ status }) {
  return html`<span class="state"><span class=${status === "running" ? "dot on" : "dot"} aria-hidden="true"></span>${status}</span>`;
}

function shownRow(experiment) {
  const { startedAt, stoppedAt } = experiment;
  const end = stoppedAt ? Date.parse(stoppedAt) : Date.now();
  return {
    key: experiment.key,
    name: experiment.name || experiment.key,
    status: experiment.status,
    hypothesis: experiment.hypothesis,
    variants: experiment.variants.map((variant) => variant.key).join(", "),
    since: startedAt ? dayName(startedAt.slice(0, 10)) : "",
    days: startedAt ? Math.max(0, Math.floor((end - Date.parse(startedAt)) / 86_400_000)) : null,
  };
}
