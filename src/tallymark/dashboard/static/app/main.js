// Where it begins: the page is drawn at once, and who reads it is asked.
import { html, render } from "./core/html.js";
import { open } from "./core/session.js";
import { App } from "./shell/app.js";

render(html`<${App} />`, document.getElementById("dashboard"));
open();
