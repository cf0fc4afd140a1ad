// How actors come and go, and on how many days they are active.
import { html, useMemo } from "../../core/html.js";
import { useAnswer } from "../../core/answer.js";
import { exactly, shown } from "../../core/format.js";
import { chosen, go } from "../../core/place.js";
import { Columns } from "../../parts/columns.js";
import { LineChart } from "../../parts/line_chart.js";
import { Panel } from "../../parts/panel.js";
import { EventPicker, useEventNames } from "./event_picker.js";
import { commonBehaviour, Lengths, LENGTHS } from "./retention.js";

const KINDS = [
  ["new", "New", "series-1"], ["returning", "Returning", "series-3"], ["resurrecting", "Back after a pause", "series-2"], ["dormant", "Stayed away", "series-6"],
];

function Event() {
  return html`<${EventPicker} label="Counts" value=${chosen("event")} names=${useEventNames()} others=${[["", "Any event"]]} onPick=${(event) => go({ event })} />`;
}

/** New, returning, resurrecting and dormant actors over time. */
export function Lifecycle() {
  const each = chosen("each") in LENGTHS ? chosen("each") : "week";
  const answer = useAnswer("/v1/lifecycle", { ...commonBehaviour(), period: each, event: chosen("event") });
  const rows = answer.data?.series;
  const drawn = useMemo(() => rows && {
    buckets: rows.map((row) => row.t),
    series: KINDS.map(([key, label, token]) => ({ label, token, unit: "count", values: rows.map((row) => row[key]) })),
  }, [rows]);
  const columns = [{ key: "t", label: "Period" }, { key: "actors", label: "Active", unit: "count" }, ...KINDS.map(([key, label]) => ({ key, label, unit: "count" }))];
  return html`<div class="span-12 chooser" role="group" aria-label="What is asked"><${Event} /><${Lengths} each=${each} lengths=${LENGTHS} /></div>
    <${Panel} title="Lifecycle" help="Who is new, was there the period before, came back after a pause, or stayed away." answer=${answer} table=${rows && { columns, rows }} height=${300} span=${12} hidden
      note="Back after a pause: not active in the period before, and not new. Stayed away: active in the period before, and not in this one.">
      ${drawn && html`<${LineChart} buckets=${drawn.buckets} series=${drawn.series} grain=${answer.data.window.period} open=${rows.at(-1)?.complete === false} />
        <ul class="legend" aria-hidden="true">${KINDS.map(([, label, token]) => html`<li><span class="swatch" style=${`background:var(--${token})`}></span>${label}</li>`)}</ul>`}
    <//>`;
}

const WITHIN = { week: "In a week", month: "In a month" };

/** On how many days of a week or month actors are active. */
export function Stickiness() {
  const each = chosen("each") in WITHIN ? chosen("each") : "week";
  const answer = useAnswer("/v1/stickiness", { ...commonBehaviour(), within: each, event: chosen("event") });
  const { overall = [], recent } = answer.data ?? {};
  const columns = [{ key: "days", label: "Days active", unit: "count" }, { key: "actors", label: "Actors", unit: "count" }, { key: "share", label: "Share", unit: "share" }];
  return html`<div class="span-12 chooser" role="group" aria-label="What is asked"><${Event} /><${Lengths} each=${each} lengths=${WITHIN} /></div>
    <${Panel} title="Days active" help="On exactly so many days of a period; periods that are not over are left out." answer=${answer} table=${answer.data && { columns, rows: overall }} height=${220} span=${8} hidden
      empty="No period of this window is over yet.">
      <${Columns} rows=${overall.map((row) => ({ label: String(row.days), value: row.share }))} unit="share" height=${190} />
    <//>
    <${Panel} title="Active now" help="Actors of a day, of the 7 days up to it, and of the 30." answer=${answer} height=${220} span=${4}>
      ${recent && html`<dl class="facts">
        <${Fact} label="In a day" value=${recent.dau} unit="count" /><${Fact} label=${`In ${recent.wauDays} days`} value=${recent.wau} unit="count" />
        <${Fact} label=${`In ${recent.mauDays} days`} value=${recent.mau} unit="count" /><${Fact} label="Day of week" value=${recent.dauWau} unit="share" />
        <${Fact} label="Day of month" value=${recent.dauMau} unit="share" /><${Fact} label="Week of month" value=${recent.wauMau} unit="share" />
      </dl>`}
    <//>`;
}

function Fact({ label, value, unit }) {
  return html`<div><dt>${label}</dt><dd data-value=${value} title=${exactly(value, unit)}>${shown(value, unit)}</dd></div>`;
}
