// Events that were refused: why, and when.
import { html, useMemo } from "../../core/html.js";
import { useAnswer } from "../../core/answer.js";
import { shown } from "../../core/format.js";
import { days } from "../../core/period.js";
import { project } from "../../core/project.js";
import { LineChart } from "../../parts/line_chart.js";
import { Panel } from "../../parts/panel.js";
import { Table } from "../../parts/table.js";

const DRAWN = 6;

/** The panels. */
export function Rejections() {
  const [from, to] = days.value;
  const answer = useAnswer("/v1/rejections", { project: project.value.name, from, to });
  const { data } = answer;
  const drawn = useMemo(() => data && {
    buckets: data.days.map((day) => day.day),
    series: data.reasons.slice(0, DRAWN).map(({ reason }, n) => ({ label: reason, unit: "count", token: `series-${n + 1}`, values: data.days.map((day) => day.reasons[reason] ?? 0) })),
  }, [data]);
  const reasons = data?.reasons ?? [];
  const byDay = { columns: [{ key: "day", label: "Day" }, { key: "events", label: "Events", unit: "count" }, ...reasons.map(({ reason }) => ({ key: reason, label: reason, unit: "count" }))],
    rows: reasons.length ? data.days.map((day) => ({ day: day.day, events: day.events, ...day.reasons })) : [] };
  const columns = [{ key: "reason", label: "Reason", render: (row) => html`<code>${row.reason}</code>` }, { key: "events", label: "Events", unit: "count" }, { key: "share", label: "Share", unit: "share" }];
  const rows = reasons.map((row) => ({ ...row, share: row.events / data.rejected }));
  return html`<${Panel} title="Refused events" help="By the day they arrived on, in UTC." answer=${answer} table=${byDay} height=${220} span=${8} hidden empty="No event was refused in this period."
      note=${data && reasons.length > 0 && html`<span data-value=${data.rejected}>${shown(data.rejected, "count")}</span> events were refused. Days are those of arrival, in UTC.`}>
      ${drawn && html`<${LineChart} buckets=${drawn.buckets} series=${drawn.series} grain="day" height=${200} />
        <ul class="legend" aria-hidden="true">${drawn.series.map((one) => html`<li><span class="swatch" style=${`background:var(--${one.token})`}></span>${one.label}</li>`)}</ul>`}
    <//>
    <${Panel} title="Why" help="The reasons are explained in the documentation of events." answer=${answer} table=${{ columns: columns.map(({ key, label, unit }) => ({ key, label, unit })), rows }} height=${220} span=${4} empty="No event was refused in this period.">
      <${Table} columns=${columns} rows=${rows} caption="Reasons of refusals" />
    <//>`;
}
