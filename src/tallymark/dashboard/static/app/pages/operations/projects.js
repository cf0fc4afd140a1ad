// The projects there are; their packs, zone and retention can be changed, and new ones made.
import { html, useState } from "../../core/html.js";
import { forgetAnswers } from "../../core/answer.js";
import { send } from "../../core/api.js";
import { go } from "../../core/place.js";
import { project, projects, readProjects } from "../../core/project.js";
import { Dialog } from "../../parts/dialog.js";
import { Panel } from "../../parts/panel.js";
import { Table } from "../../parts/table.js";
import { Command } from "../../shell/empty.js";
import { FormDialog } from "./form.js";
import { plain } from "./system.js";

const PACKS = { web: "Web traffic", sdk: "SDK counters", ab: "Experiments", voice: "Voice assistants", quiz: "Quizzes" };

/** The panel: all projects for an admin of all, else the own one. */
export function Projects({ everything }) {
  const [act, setAct] = useState(null);
  const [keys, setKeys] = useState(null);
  const rows = everything ? projects.value : [project.value];
  const columns = [
    { key: "name", label: "Project" }, { key: "packs", label: "Packs", render: (row) => row.packs.join(", ") || "none" }, { key: "timezone", label: "Time zone" },
    { key: "retention", label: "Events are kept" }, { key: "pii", label: "Personal data" }, { key: "bots", label: "Bots" },
    { key: "acts", label: "Act", render: (row) => html`<button type="button" class="plain link" aria-label=${`Change ${row.name}`} onClick=${() => setAct({ change: row })}>Change</button>` },
  ];
  const create = async (form) => {
    go({ project: project.value.name }, { replace: true }); // the new one may be the first, and the page must stay
    const made = await send("POST", "/v1/projects", draftOf(form, true));
    await changed();
    setKeys(made);
  };
  const change = async (form) => {
    await send("PATCH", `/v1/projects/${encodeURIComponent(act.change.name)}`, draftOf(form, false));
    await changed();
  };
  const tools = everything && html`<button type="button" onClick=${() => setAct({ create: true })}>New project</button>`;
  return html`<${Panel} title="Projects" table=${{ columns: plain(columns), rows: rows.map((row) => ({ ...row, packs: row.packs.join(", ") })) }} height=${120} span=${12} tools=${tools}>
    <${Table} columns=${columns} rows=${rows} caption="Settings of projects" />
    ${act?.create && html`<${ProjectForm} title="New project" word="Make it" act=${create} onClose=${() => setAct(null)} />`}
    ${act?.change && html`<${ProjectForm} title=${`Change ${act.change.name}`} word="Change it" was=${act.change} act=${change} onClose=${() => setAct(null)} />`}
    ${keys && html`<${FirstKeys} made=${keys} onClose=${() => { setKeys(null); go({ project: keys.project.name }); }} />`}
  <//>`;
}

async function changed() {
  forgetAnswers();
  await readProjects();
}

const draftOf = (form, isNew) => ({
  ...(isNew ? { name: form.get("name") } : {}), packs: form.getAll("packs"), timezone: form.get("timezone"), retention: form.get("retention"),
});

function ProjectForm({ title, word, was = null, act, onClose }) {
  const { packs, timezone, retention } = was ?? { packs: ["web"], timezone: Intl.DateTimeFormat().resolvedOptions().timeZone, retention: "90d" };
  return html`<${FormDialog} title=${title} word=${word} act=${act} onClose=${onClose}>
    ${was
      ? html`<p>Another time zone makes the project's days stale: they are computed again. A shorter retention lets older events expire.</p>`
      : html`<label>Name <input name="name" required autofocus placeholder="my-site" /></label>`}
    <fieldset><legend>Packs</legend>${Object.entries(PACKS).map(([name, label]) => html`<label class="check"><input type="checkbox" name="packs" value=${name} checked=${packs.includes(name)} /> ${label}</label>`)}</fieldset>
    <label>Time zone <input name="timezone" required list="zones" value=${timezone} /></label>
    <datalist id="zones">${Intl.supportedValuesOf("timeZone").map((one) => html`<option value=${one}></option>`)}</datalist>
    <label>Events are kept for <input name="retention" required value=${retention} placeholder="90d" /></label>
  <//>`;
}

function FirstKeys({ made, onClose }) {
  return html`<${Dialog} title=${`The keys of ${made.project.name}`} onClose=${onClose}>
    <p>They are shown this once: keep them now.</p>
    ${Object.entries(made.keys).map(([scope, secret]) => html`<h3>${scope}</h3><${Command} text=${secret} />`)}
  <//>`;
}
