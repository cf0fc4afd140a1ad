// The period and what it is compared with.
import { html, useState } from "../core/html.js";
import { go } from "../core/place.js";
import { addDays, countDays, isDay, spanName, today } from "../core/days.js";
import { COMPARISONS, comparedDays, comparison, days, periodName, PERIODS, zone } from "../core/period.js";
import { shortcut } from "../core/keyboard.js";
import { Icon } from "../parts/icon.js";
import { Menu } from "../parts/menu.js";

const pick = (name) => go({ period: name, from: null, to: null, grain: null });

for (const [name, { label, key }] of Object.entries(PERIODS)) {
  if (key) shortcut(key, label, () => pick(name));
}
shortcut("c", "Compare with the period before, or with nothing", () => go({ compare: comparison.value === "none" ? null : "none" }));

/** The period, with steps to the one before and the one after. */
export function PeriodPicker() {
  const [first, last] = days.value;
  const label = periodName.value === "custom" ? spanName(first, last) : PERIODS[periodName.value].label;
  const step = (way) => {
    const by = way * countDays(first, last);
    go({ from: addDays(first, by), to: addDays(last, by), period: null });
  };
  return html`<div class="period">
    <button type="button" class="plain" aria-label="Earlier" title="Earlier" onClick=${() => step(-1)}><${Icon} name="left" /></button>
    <${Menu} title=${`Period: ${spanName(first, last)}`} label=${html`<span class="period-name">${label}</span> <span aria-hidden="true">▾</span>`}>
      ${(close) => html`
        ${Object.entries(PERIODS).map(([name, { label: words, key }]) => html`<button type="button" aria-pressed=${periodName.value === name} onClick=${() => { pick(name); close(); }}>${words}${key && html`<kbd>${key}</kbd>`}</button>`)}
        <${OwnDays} close=${close} />`}
    <//>
    <button type="button" class="plain" aria-label="Later" title="Later" disabled=${last >= today(zone.value)} onClick=${() => step(1)}><${Icon} name="right" /></button>
    <${Menu} className="compare" title="Compare with" label=${html`<span>${comparison.value === "none" ? "No comparison" : `vs ${spanName(...comparedDays.value)}`}</span> <span aria-hidden="true">▾</span>`}>
      ${(close) => Object.entries(COMPARISONS).map(([name, words]) => html`<button type="button" aria-pressed=${comparison.value === name} onClick=${() => { go({ compare: name === "previous" ? null : name }); close(); }}>${words}</button>`)}
    <//>
  </div>`;
}

function OwnDays({ close }) {
  const [[first, last], setDays] = useState(days.value);
  const use = (event) => {
    event.preventDefault();
    go({ from: first, to: last, period: null, grain: null });
    close();
  };
  return html`<form class="own-days" onSubmit=${use}>
    <label>From <input type="date" required value=${first} max=${last} onInput=${(event) => setDays([event.target.value, last])} /></label>
    <label>To <input type="date" required value=${last} min=${first} onInput=${(event) => setDays([first, event.target.value])} /></label>
    <button type="submit" disabled=${!isDay(first) || !isDay(last) || first > last}>Show these days</button>
  </form>`;
}
