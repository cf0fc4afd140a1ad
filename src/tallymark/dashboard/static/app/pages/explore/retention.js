// Who comes back: cohorts by what they began with, and what counts as coming back.
import { html } from "../../core/html.js";
import { useAnswer } from "../../core/answer.js";
import { filters, segments } from "../../core/filters.js";
import { days } from "../../core/period.js";
import { chosen, go } from "../../core/place.js";
import { project } from "../../core/project.js";
import { cohortTable, HeatMap } from "../../parts/heat_map.js";
import { Panel } from "../../parts/panel.js";
import { EventPicker, useEventNames } from "./event_picker.js";

/** Lengths of periods by what the API calls them. */
export const LENGTHS = { day: "Days", week: "Weeks", month: "Months" };

/** What questions about behaviour have in common. */
export function commonBehaviour() {
  const [from, to] = days.value;
  return { project: project.value.name, from, to, filter: filters.value, segment: segments.value };
}

/** The builder and its heat map. */
export function Retention() {
  const names = useEventNames();
  const [cohort, returning] = [chosen("cohort", "first"), chosen("returning", "any")];
  const each = chosen("each") in LENGTHS ? chosen("each") : "week";
  const answer = useAnswer("/v1/retention", { ...commonBehaviour(), cohort, returning, period: each });
  const drawn = answer.data?.window.period ?? each;
  return html`<div class="span-12 chooser" role="group" aria-label="What is asked">
      <${EventPicker} label="Began with" value=${cohort} names=${names} others=${[["first", "Their first event ever"]]} onPick=${(event) => go({ cohort: event === "first" ? null : event })} />
      <${EventPicker} label="Came back with" value=${returning} names=${names} others=${[["any", "Any event"]]} onPick=${(event) => go({ returning: event === "any" ? null : event })} />
      <${Lengths} each=${each} lengths=${LENGTHS} />
    </div>
    <${Panel} title="Retention" help="Of the actors who began in a period, how many came back in later ones." answer=${answer} table=${answer.data && cohortTable(answer.data.cohorts)} height=${280} span=${12}
      note="Each row is who began in that period, each column a later period. Dashed ones are not over.">
      ${answer.data && html`<${HeatMap} cohorts=${answer.data.cohorts} overall=${answer.data.overall} period=${drawn} />`}
    <//>`;
}

/** A choice of the length of periods, in the address as `each`. */
export function Lengths({ each, lengths }) {
  return html`<div class="tabs" role="group" aria-label="Length of periods">
    ${Object.entries(lengths).map(([name, label]) => html`<button type="button" aria-pressed=${name === each} onClick=${() => go({ each: name })}>${label}</button>`)}
  </div>`;
}
