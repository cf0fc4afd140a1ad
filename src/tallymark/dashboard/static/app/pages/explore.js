// Questions that no board asks: any metric by any dimension, funnels, who comes back, how often.
import { html } from "../core/html.js";
import { chosen, follow, hrefWith } from "../core/place.js";
import { Lifecycle, Stickiness } from "./explore/activity.js";
import { FunnelBuilder } from "./explore/funnel_builder.js";
import { Retention } from "./explore/retention.js";
import { Trends } from "./explore/trends.js";

const VIEWS = {
  trends: { label: "Metrics", shows: Trends },
  funnel: { label: "Funnel", shows: FunnelBuilder },
  retention: { label: "Retention", shows: Retention },
  lifecycle: { label: "Lifecycle", shows: Lifecycle },
  stickiness: { label: "Stickiness", shows: Stickiness },
};

/** The page. */
export default function Explore() {
  const view = chosen("view") in VIEWS ? chosen("view") : "trends";
  return html`<nav class="span-12 views" aria-label="Kinds of questions">
      ${Object.entries(VIEWS).map(([name, { label }]) => html`<a href=${hrefWith({ view: name === "trends" ? null : name })} aria-current=${name === view ? "page" : undefined} onClick=${follow}>${label}</a>`)}
    </nav>
    <${VIEWS[view].shows} />`;
}
