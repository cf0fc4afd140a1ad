// An experiment as a page: what it tries, what came of it so far, and whether that can be trusted.
import { html, useState } from "../../core/html.js";
import { send } from "../../core/api.js";
import { forgetAnswers, useAnswer } from "../../core/answer.js";
import { follow, hrefWith } from "../../core/place.js";
import { instant, shown } from "../../core/format.js";
import { zone } from "../../core/period.js";
import { project } from "../../core/project.js";
import { mayChange } from "../../core/session.js";
import { Confirm } from "../../parts/dialog.js";
import { Intervals } from "../../parts/intervals.js";
import { Failed, Panel } from "../../parts/panel.js";
import { Table } from "../../parts/table.js";
import { State } from "./list.js";
import { Course } from "./course.js";

const here = () => ({ project: project.value.name });

/** The page of the experiment with that key. */
export function ExperimentPage({ experiment: key }) {
  const one = useAnswer(`/v1/experiments/${encodeURIComponent(key)}`, here());
  const began = Boolean(one.data?.experiment.startedAt);
  const results = useAnswer(began ? `/ab/v1/experiments/${encodeURIComponent(key)}/results` : null, here());
  const audit = useAnswer(`/v1/experiments/${encodeURIComponent(key)}/audit`, here());
  if (one.error && !one.data) return html`<div class="span-12"><${Failed} error=${one.error} retry=${one.retry} /></div>`;
  const experiment = one.data?.experiment;
  const again = () => { forgetAnswers(); one.retry(); results.retry(); audit.retry(); };
  return html`
    <p class="span-12"><a href=${hrefWith({ experiment: null })} onClick=${follow}>All experiments</a></p>
    ${experiment && html`<${Head} experiment=${experiment} again=${again} />`}
    ${results.data && html`<${Warnings} results=${results.data} />`}
    ${began && html`<${Units} answer=${results} /><${Effects} answer=${results} />`}
    ${began && results.data?.metrics.map((metric) => html`<${Metric} key=${metric.name} metric=${metric} />`)}
    ${began && results.data && html`<${Course} experiment=${experiment} metric=${results.data.metrics[0]} />`}
    <${Log} answer=${audit} />`;
}

function Head({ experiment, again }) {
  return html`<section class="panel span-12 lead-panel">
    <div class="lead">
      <h2>${experiment.name || experiment.key}</h2>
      <${State} status=${experiment.status} />
      ${mayChange() && html`<${Acts} experiment=${experiment} again=${again} />`}
    </div>
    ${experiment.hypothesis && html`<p>${experiment.hypothesis}</p>`}
    <p class="muted">${experiment.variants.map((variant) => `${variant.key} (weight ${variant.weight})`).join(", ")}; ${shown(experiment.coverage, "share")} of all units take part${experiment.startedAt ? `; since ${instant(experiment.startedAt, zone.value)}` : ""}.</p>
  </section>`;
}

const ACTS = {
  start: { word: "Start", from: ["draft", "stopped"], what: "Units get variants from now on." },
  stop: { word: "Stop", from: ["running"], what: "Everybody gets control from now on. It can be started again." },
  archive: { word: "Archive", from: ["stopped", "shipped"], what: "It is put away for good; its results stay." },
};

function Acts({ experiment, again }) {
  const [act, ask] = useState(null);
  const path = `/v1/experiments/${encodeURIComponent(experiment.key)}`;
  const ships = ["running", "stopped"].includes(experiment.status) ? experiment.variants.map((variant) => variant.key) : [];
  const done = async (name, body) => { await send("POST", `${path}/${name}`, body, here()); again(); };
  return html`<span class="acts">
    ${Object.entries(ACTS).filter(([, { from }]) => from.includes(experiment.status)).map(([name, { word, what }]) => html`
      <button type="button" onClick=${() => ask({ name, word, what })}>${word}</button>`)}
    ${ships.map((variant) => html`<button type="button" onClick=${() => ask({ name: "ship", word: `Ship ${variant}`, what: `Everybody gets ${variant} from now on.`, body: { variant } })}>Ship ${variant}</button>`)}
    ${act && html`<${Confirm} title=${`${act.word}: ${experiment.name || experiment.key}`} what=${act.what} word=${act.word} onClose=${() => ask(null)} act=${() => done(act.name, act.body)} />`}
  </span>`;
}

function Warnings({ results }) {
  const told = results.warnings.map((warning) => (typeof warning === "string" ? warning : warning.message));
  const harmed = results.metrics.filter((metric) => metric.guardrail && metric.verdict === "harmed");
  told.push(...harmed.map((metric) => `The guardrail ${metric.name} is harmed.`));
  if (!told.length) return null;
  return html`<div class="span-12 warning" role="alert">${told.map((text) => html`<p>${text}</p>`)}</div>`;
}

function Units({ answer }) {
  const srm = answer.data?.srm;
  const rows = Object.entries(answer.data?.exposedUnits ?? {}).map(([variant, units]) => ({ variant, units, expected: srm.expected?.[variant] ?? null }));
  const columns = [{ key: "variant", label: "Variant" }, { key: "units", label: "Units", unit: "count" }, { key: "expected", label: "Expected", unit: "number" }];
  const remark = srm && srm.pValue !== null && `Split as the weights say, unless p is small: p = ${srm.pValue.toPrecision(2)}.`;
  return html`<${Panel} title="Units" answer=${answer} table=${{ columns, rows }} height=${120} span=${4} note=${remark}>
    <${Table} columns=${columns} rows=${rows} caption="Units by variant" />
  <//>`;
}

const SHOWS = { good: "a gain", bad: "a loss", open: "nothing yet" };

// A variant's effect on a metric: "good" where it is shown to go the wanted way, "bad" the other, else "open".
function verdict(metric, variant) {
  if (!variant.significant) return "open";
  return (variant.absolute.effect > 0) === (metric.direction === "up") ? "good" : "bad";
}

function Effects({ answer }) {
  const rows = (answer.data?.metrics ?? []).flatMap((metric) => metric.variants.filter((variant) => !variant.control).map((variant) => ({
    label: `${metric.name}: ${variant.variant}`, effect: variant.relative?.effect ?? null, low: variant.relative?.low ?? null, high: variant.relative?.high ?? null,
    sequential: sequentialShare(metric, variant), p: variant.adjustedPValue ?? variant.pValue, chance: variant.bayes?.chanceToWin ?? null, verdict: verdict(metric, variant),
  })));
  const table = {
    columns: [
      { key: "label", label: "Metric and variant" }, { key: "effect", label: "Effect", unit: "share" }, { key: "low", label: "From", unit: "share" },
      { key: "high", label: "To", unit: "share" }, { key: "p", label: "p", unit: "p" }, { key: "chance", label: "Chance to win", unit: "share" }, { key: "shows", label: "Shows" },
    ],
    rows: rows.map((row) => ({ ...row, shows: SHOWS[row.verdict] })),
  };
  return html`<${Panel} title="Effects against control" answer=${answer} table=${table} height=${160} span=${8} hidden
    note="Thick: the interval of a planned sample. Thin: the one that holds whenever you look. Clear of zero and green is a gain, red a loss.">
    <${Intervals} rows=${rows} />
  <//>`;
}

// The sequential interval as a share of control's value, as the other one is; null where either is not known.
function sequentialShare(metric, variant) {
  const base = metric.variants.find((one) => one.control)?.value;
  const { low, high } = variant.sequential ?? {};
  const known = base > 0 && low !== null && low !== undefined && high !== null && high !== undefined;
  return known ? { low: low / base, high: high / base } : null;
}

function Metric({ metric }) {
  const unit = ["conversion", "retention"].includes(metric.kind) ? "share" : "number";
  const columns = [
    { key: "variant", label: "Variant" }, { key: "n", label: "Units", unit: "count" }, { key: "value", label: "Value", unit },
    { key: "effect", label: "Effect", unit: "share" }, { key: "p", label: "p", unit: "p" }, { key: "chance", label: "Chance to win", unit: "share" },
    { key: "needed", label: "Units needed", unit: "count" }, { key: "shows", label: "Shows" },
  ];
  const rows = metric.variants.map((variant) => ({
    variant: variant.variant, n: variant.n, value: variant.value, effect: variant.relative?.effect ?? null, p: variant.adjustedPValue ?? variant.pValue,
    chance: variant.bayes?.chanceToWin ?? null, needed: variant.power?.unitsNeeded ?? null, shows: variant.control ? "" : SHOWS[verdict(metric, variant)],
  }));
  const what = [metric.guardrail && "guardrail", `should go ${metric.direction}`, metric.verdict].filter(Boolean).join("; ");
  return html`<${Panel} title=${metric.name} table=${{ columns, rows }} height=${100} span=${6} note=${`${metric.kind}: ${what}.`}>
    <${Table} columns=${columns} rows=${rows} caption=${metric.name} />
  <//>`;
}

function Log({ answer }) {
  const columns = [{ key: "at", label: "When" }, { key: "action", label: "What" }, { key: "by", label: "By whom" }, { key: "detail", label: "Detail" }];
  const rows = (answer.data?.audit ?? []).map((deed) => ({ ...deed, at: instant(deed.at, zone.value), detail: Object.keys(deed.detail).length ? JSON.stringify(deed.detail) : "" }));
  return html`<${Panel} title="Decision log" answer=${answer} table=${{ columns, rows }} height=${100} span=${12}>
    <${Table} columns=${columns} rows=${rows} caption="Decision log" />
  <//>`;
}
