// A page as a pack declares it: tiles, the chosen one's chart, breakdowns. A pack adds its own panels below.
import { html } from "../core/html.js";
import { useAnswer } from "../core/answer.js";
import { today } from "../core/days.js";
import { days, grain, zone } from "../core/period.js";
import { catalogue } from "../core/project.js";
import { answerable, common } from "../core/question.js";
import { Breakdown } from "../parts/breakdown.js";
import { MainChart } from "../parts/main_chart.js";
import { Tiles } from "../parts/tiles.js";
import { Empty } from "../shell/empty.js";

/** The page of a pack; `children` are panels of its own, `before` such that come first. */
export function Board({ pack, before, children }) {
  const board = catalogue.value?.board.get(pack);
  const names = board?.tiles ?? [];
  const wanted = answerable(names);
  const answer = useAnswer(wanted.length ? "/v1/query" : null, { ...common(), metrics: wanted.join(","), grain: grain.value });
  const open = days.value[1] >= today(zone.value);
  if (!board) return null;
  if (answer.data && answer.data.freshness.rolledUpThrough === null) return html`<${Empty} pack=${pack} />`;
  return html`
    <${Tiles} names=${names} known=${wanted} answer=${answer} open=${open} />
    <${MainChart} names=${wanted} answer=${answer} open=${open} />
    ${before}
    ${board.panels.map((panel) => html`<${Breakdown} key=${panel.title} title=${panel.title} views=${panel.views} span=${panel.wide ? 12 : 6} />`)}
    ${children}`;
}
