// The frame of every page: the top bar, the rail, and the page itself.
import { html, useEffect, useState } from "../core/html.js";
import { shortcut } from "../core/keyboard.js";
import { catalogue, project, projects, readProjects } from "../core/project.js";
import { session } from "../core/session.js";
import { turn } from "../core/theme.js";
import { page, PAGES } from "../pages/index.js";
import { Failed } from "../parts/panel.js";
import { Account } from "./account.js";
import { FilterBar } from "./filter_bar.js";
import { HelpSheet } from "./help_sheet.js";
import { Live } from "./live.js";
import { PeriodPicker } from "./period_picker.js";
import { ProjectSwitcher } from "./project_switcher.js";
import { Rail } from "./rail.js";
import { SignIn } from "./sign_in.js";

let showHelp = () => {};
shortcut("t", "Dark or light", turn);
shortcut("?", "Keyboard", () => showHelp());
shortcut("j", "Next row", () => moveRow(1));
shortcut("k", "Row before", () => moveRow(-1));

/** The dashboard. */
export function App() {
  if (session.value === null) return html`<main class="sign-in" aria-busy="true"></main>`;
  if (session.value === false) return html`<${SignIn} />`;
  return html`<${Frame} />`;
}

function Frame() {
  const [failed, setFailed] = useState(null);
  const [help, setHelp] = useState(false);
  showHelp = () => setHelp(true);
  const read = () => readProjects().then(() => setFailed(null), setFailed);
  useEffect(() => void read(), [session.value]);
  if (failed) return html`<main class="sign-in"><${Failed} error=${failed} retry=${read} /></main>`;
  if (!project.value) return html`<main class="sign-in">${projects.value.length === 0 && html`<${NoProject} />`}</main>`;
  return html`<a class="unseen-until-focus" href="#content">To the numbers</a>
    <header class="top">
      <${ProjectSwitcher} />
      <${Live} key=${project.value.name} />
      <${FilterBar} />
      <${PeriodPicker} />
      <${Account} onHelp=${showHelp} />
    </header>
    <${Rail} />
    <main id="content" class="content" tabindex="-1">${catalogue.value && html`<${Page} key=${`${project.value.name} ${page.value}`} name=${page.value} />`}</main>
    ${help && html`<${HelpSheet} onClose=${() => setHelp(false)} />`}`;
}

function NoProject() {
  return html`<p>There is no project yet. Make one with <code>tallymark projects create NAME --pack web</code>.</p>`;
}

// A page's module is loaded when it is first opened.
function Page({ name }) {
  const [opened, setOpened] = useState(null);
  const [failed, setFailed] = useState(null);
  const load = () => PAGES[name].load().then((module) => setOpened(() => module.default), setFailed);
  useEffect(() => void load(), [name]);
  useEffect(() => void (document.title = `${PAGES[name].label} · ${project.value.name} · Tallymark`), [name, project.value.name]);
  if (failed) return html`<${Failed} error=${failed} retry=${load} />`;
  return html`<h1 class="unseen">${PAGES[name].label}</h1><div class="grid">${opened && html`<${opened} />`}</div>`;
}

// Moves among the rows of breakdowns that can be picked.
function moveRow(by) {
  const rows = [...document.querySelectorAll("[data-row]")];
  const place = rows.indexOf(document.activeElement);
  rows[place === -1 ? 0 : Math.max(0, Math.min(rows.length - 1, place + by))]?.focus();
}
