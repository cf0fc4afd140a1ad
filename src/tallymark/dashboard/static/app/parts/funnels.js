// The declared funnels of a project, one at a time.
import { html } from "../core/html.js";
import { useAnswer } from "../core/answer.js";
import { filters, segments } from "../core/filters.js";
import { shown } from "../core/format.js";
import { days } from "../core/period.js";
import { chosen, go } from "../core/place.js";
import { project } from "../core/project.js";
import { FunnelSteps, funnelTable } from "./funnel.js";
import { Panel } from "./panel.js";

/** The panel. */
export function Funnels({ span = 6 }) {
  const declared = useAnswer("/v1/funnels/declared", { project: project.value.name }, { every: 0 });
  const funnels = declared.data?.funnels ?? [];
  const name = funnels.some((one) => one.name === chosen("funnel")) ? chosen("funnel") : funnels[0]?.name;
  const [from, to] = days.value;
  const answer = useAnswer(name ? "/v1/funnels" : null, { project: project.value.name, name, from, to, filter: filters.value, segment: segments.value });
  const steps = answer.data?.steps ?? [];
  const overall = answer.data?.overall;
  const picker = funnels.length > 1 && html`<label class="picker"><span class="unseen">Funnel</span>
    <select value=${name} onChange=${(event) => go({ funnel: event.target.value })}>${funnels.map((one) => html`<option value=${one.name}>${one.title || one.name}</option>`)}</select>
  </label>`;
  const remark = overall && `${shown(overall.conversion, "share")} of ${shown(overall.entered, "count")} come through${answer.data.complete ? "" : "; some may still go on"}.`;
  return html`<${Panel} title="Funnel" answer=${name || !declared.data ? (name ? answer : declared) : { ...declared, data: { steps: [] } }} table=${answer.data && funnelTable(steps)} height=${280} span=${span} tools=${picker} note=${remark}>
    ${funnels.length === 0 ? html`<p class="nothing">No funnel is declared: tallymark funnels set makes one.</p>` : html`<${FunnelSteps} steps=${steps} />`}
  <//>`;
}
