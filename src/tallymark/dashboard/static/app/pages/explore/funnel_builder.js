// A funnel of any steps, or one that is declared; admins keep theirs under a name.
import { html, useState } from "../../core/html.js";
import { forgetAnswers, useAnswer } from "../../core/answer.js";
import { send } from "../../core/api.js";
import { shown } from "../../core/format.js";
import { chosen, go } from "../../core/place.js";
import { catalogue, project } from "../../core/project.js";
import { mayChange } from "../../core/session.js";
import { Confirm, Dialog } from "../../parts/dialog.js";
import { FunnelSteps, funnelTable } from "../../parts/funnel.js";
import { Panel } from "../../parts/panel.js";
import { Table } from "../../parts/table.js";
import { useEventNames } from "./event_picker.js";
import { StepList, stepsChosen, writtenStep } from "./funnel_steps.js";
import { commonBehaviour } from "./retention.js";

const WITHIN = { "30m": "30 minutes", "1h": "1 hour", "12h": "12 hours", "1d": "1 day", "7d": "7 days", "30d": "30 days" };
const MOST_STEPS = 20;

/** The builder and its answer. */
export function FunnelBuilder() {
  const names = useEventNames();
  const declared = useAnswer("/v1/funnels/declared", { project: project.value.name });
  const found = stepsChosen();
  const steps = found.length >= 2 ? found : usual(declared.data?.funnels, names);
  const [within, by] = [chosen("within", "7d"), chosen("by")];
  const change = (next) => go({ step: next.map(writtenStep) });
  const answer = useAnswer(steps.length >= 2 ? "/v1/funnels" : null, { ...commonBehaviour(), step: steps.map(writtenStep), within, by });
  return html`<section class="panel span-12 lead-panel" aria-label="Steps of the funnel">
      <${Declared} funnels=${declared.data?.funnels ?? []} again=${declared.retry} />
      <${StepList} steps=${steps} names=${names} onChange=${change} />
      <div class="chooser">
        ${steps.length < MOST_STEPS && html`<button type="button" disabled=${!names?.length} onClick=${() => change([...steps, { event: names[0], where: {} }])}>Add a step</button>`}
        <label>Within <select value=${within} onChange=${(event) => go({ within: event.target.value })}>
          ${!(within in WITHIN) && html`<option value=${within} selected>${within}</option>`}
          ${Object.entries(WITHIN).map(([value, label]) => html`<option value=${value} selected=${value === within}>${label}</option>`)}
        </select></label>
        <label>By <select value=${by} onChange=${(event) => go({ by: event.target.value })}>
          <option value="">Nothing</option>
          ${catalogue.value.dimensions.map((one) => html`<option value=${one.name} selected=${one.name === by}>${one.label}</option>`)}
        </select></label>
        ${mayChange() && steps.length >= 2 && html`<${Keep} steps=${steps} within=${within} again=${declared.retry} />`}
      </div>
    </section>
    <${Panel} title="Funnel" answer=${answer} table=${answer.data && funnelTable(answer.data.steps)} height=${220} span=${12} hidden note=${remark(answer.data)}>
      ${answer.data && html`<${FunnelSteps} steps=${answer.data.steps} />`}
    <//>
    ${by && answer.data?.by === by && html`<${Groups} by=${by} answer=${answer} />`}`;
}

// Without a choice: the first declared funnel, else the two most frequent events.
function usual(funnels, names) {
  if (!funnels || !names) return [];
  if (funnels.length) return funnels[0].steps.map((step) => ({ where: {}, ...step, event: step.event.length === 1 ? step.event[0] : step.event }));
  return names.slice(0, 2).map((event) => ({ event, where: {} }));
}

function remark(data) {
  if (!data) return null;
  const { entered, completed, conversion, medianSeconds } = data.overall;
  const whole = `${shown(completed, "count")} of ${shown(entered, "count")} took every step (${shown(conversion, "share")})${medianSeconds === null ? "" : `, half of them within ${shown(medianSeconds, "seconds")}`}.`;
  return data.complete ? whole : `${whole} Some may still go on.`;
}

function Groups({ by, answer }) {
  const { groups, steps } = answer.data;
  const label = catalogue.value.dimension.get(by)?.label ?? by;
  const columns = [
    { key: "key", label }, ...steps.map((step, n) => ({ key: `s${n}`, label: step.name, unit: "count" })), { key: "conversion", label: "Of all", unit: "share" },
  ];
  const rows = groups.map((group) => ({ key: group.key || "(none)", conversion: group.overall.conversion, ...Object.fromEntries(group.steps.map((step, n) => [`s${n}`, step.actors])) }));
  return html`<${Panel} title=${`By ${label.toLowerCase()}`} answer=${answer} table=${{ columns, rows }} height=${160} span=${12}>
    <${Table} columns=${columns} rows=${rows} caption=${`The funnel by ${label.toLowerCase()}`} />
  <//>`;
}

function Declared({ funnels, again }) {
  const [leaving, leave] = useState(null);
  if (!funnels.length) return null;
  const open = (funnel) => go({ step: funnel.steps.map((step) => JSON.stringify(step)), within: funnel.within });
  return html`<div class="chooser" role="group" aria-label="Declared funnels">
    <span class="muted">Declared:</span>
    ${funnels.map((funnel) => html`<span class="chip"><button type="button" class="plain link" onClick=${() => open(funnel)}>${funnel.title || funnel.name}</button>
      ${mayChange() && funnel.declaredBy === "project" && html`<button type="button" aria-label=${`Forget ${funnel.title || funnel.name}`} onClick=${() => leave(funnel)}>×</button>`}
    </span>`)}
    ${leaving && html`<${Confirm} title="Forget a funnel" word="Forget it" onClose=${() => leave(null)}
      what=${`The funnel “${leaving.title || leaving.name}” is no longer declared. Its events stay, so it can be made again.`}
      act=${async () => { await send("DELETE", `/v1/funnels/${encodeURIComponent(leaving.name)}`, undefined, { project: project.value.name }); forgetAnswers(); again(); }} />`}
  </div>`;
}

function Keep({ steps, within, again }) {
  const [open, setOpen] = useState(false);
  const [title, setTitle] = useState("");
  const [failed, setFailed] = useState(null);
  const name = title.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "").slice(0, 60);
  const keep = async (event) => {
    event.preventDefault();
    try {
      await send("PUT", `/v1/funnels/${name}`, { title, steps: steps.map(({ name: step, event: on, where }) => ({ ...(step ? { name: step } : {}), event: on, where })), within }, { project: project.value.name });
      forgetAnswers();
      again();
      setOpen(false);
    } catch (error) {
      setFailed(error);
    }
  };
  return html`<button type="button" onClick=${() => setOpen(true)}>Declare it</button>
    ${open && html`<${Dialog} title="Declare this funnel" onClose=${() => setOpen(false)}>
      <form class="form" onSubmit=${keep}>
        <p>Everybody who reads the project sees it; a funnel of the same name is replaced.</p>
        <label>Title <input autofocus required maxlength="200" value=${title} onInput=${(event) => setTitle(event.target.value)} /></label>
        ${name && html`<p class="muted">Its name is <code>${name}</code>.</p>`}
        ${failed && html`<p class="error-text" role="alert">${failed.message}</p>`}
        <div class="actions"><button type="submit" class="main" disabled=${!name}>Declare it</button></div>
      </form>
    <//>`}`;
}
