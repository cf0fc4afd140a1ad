// How long each stage takes: half of the answers, nine of ten, and so on, wait at most so long.
import { html } from "../../core/html.js";
import { useAnswer } from "../../core/answer.js";
import { Panel } from "../../parts/panel.js";
import { Table } from "../../parts/table.js";
import { asked } from "./asked.js";

const STAGES = { recognition: "Recognition", understanding: "Understanding", response: "Response", total: "All together" };
const COLUMNS = [{ key: "stage", label: "Stage" }, ...["p50", "p90", "p95", "p99"].map((key) => ({ key, label: `${key} ≈`, unit: "ms" }))];

/** The panel. */
export function Latency() {
  const answer = useAnswer("/voice/stats/latency", asked());
  const rows = Object.entries(answer.data?.stages ?? {}).map(([stage, levels]) => ({ stage: STAGES[stage] ?? stage, ...levels }));
  return html`<${Panel} title="How long it takes" help="Within 0.5 %" answer=${answer} table=${answer.data && { columns: COLUMNS, rows }} height=${180}>
    <${Table} columns=${COLUMNS} rows=${rows} caption="Milliseconds by stage" />
  <//>`;
}
