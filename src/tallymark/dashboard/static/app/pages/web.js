// Websites: what the pack declares, then what visitors do one after another, how quick pages are, and people who leave an address.
import { html } from "../core/html.js";
import { Funnels } from "../parts/funnels.js";
import { Retention } from "../parts/retention.js";
import { Board } from "./board.js";
import { Ingest } from "./web/ingest.js";
import { Leads } from "./web/leads.js";
import { Vitals } from "./web/vitals.js";

/** The page. */
export default function Web() {
  return html`<${Board} pack="web"><${Funnels} /><${Retention} /><${Vitals} /><${Leads} /><${Ingest} /><//>`;
}
