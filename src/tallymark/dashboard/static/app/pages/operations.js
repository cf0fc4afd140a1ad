// How the server does, and what is done about it. Whose key is of one project sees and does what that key may.
import { html } from "../core/html.js";
import { session } from "../core/session.js";
import { Exports } from "./operations/exports.js";
import { Keys } from "./operations/keys.js";
import { Projects } from "./operations/projects.js";
import { Rejections } from "./operations/rejections.js";
import { Rollups } from "./operations/rollups.js";
import { System } from "./operations/system.js";

/** The page. */
export default function Operations() {
  const everything = session.value.project === null;
  return html`${everything && html`<${System} />`}
    <${Rollups} everything=${everything} />
    <${Rejections} />
    <${Keys} />
    <${Exports} />
    <${Projects} everything=${everything} />`;
}
