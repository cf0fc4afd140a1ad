// The keys of the project: made with a secret that is shown once, exchanged for new ones, revoked.
import { html, useState } from "../../core/html.js";
import { useAnswer } from "../../core/answer.js";
import { send } from "../../core/api.js";
import { instant } from "../../core/format.js";
import { project } from "../../core/project.js";
import { Confirm, Dialog } from "../../parts/dialog.js";
import { Panel } from "../../parts/panel.js";
import { Table } from "../../parts/table.js";
import { Command } from "../../shell/empty.js";
import { actAndRetry, FormDialog } from "./form.js";
import { plain } from "./system.js";

const SCOPES = { ingest: "Send events", read: "Ask for numbers", admin: "Everything in this project" };

/** The panel. */
export function Keys() {
  const answer = useAnswer("/v1/keys", { project: project.value.name });
  const [act, setAct] = useState(null);
  const [secret, setSecret] = useState(null);
  const close = () => setAct(null);
  const rows = [...(answer.data?.keys ?? [])].sort((one, other) => Boolean(one.revokedAt) - Boolean(other.revokedAt) || other.id - one.id);
  const columns = [
    { key: "label", label: "Name", render: (row) => row.label || "–" }, { key: "scope", label: "Good for", render: (row) => html`<span title=${SCOPES[row.scope]}>${row.scope}</span>` },
    { key: "prefix", label: "Begins with", render: (row) => html`<code>${row.prefix}</code>` }, { key: "createdAt", label: "Made (UTC)", render: (row) => instant(row.createdAt) },
    { key: "state", label: "State", render: stateOf }, { key: "acts", label: "Act", render: (row) => html`<${RowActs} row=${row} onAct=${setAct} />` },
  ];
  const create = async (draft) => (await send("POST", "/v1/keys", { project: project.value.name, ...draft })).key;
  const make = async (draft) => setSecret(await actAndRetry(answer, () => create(draft)));
  const revoke = (key) => actAndRetry(answer, () => send("DELETE", `/v1/keys/${key.id}`));
  const rotate = async (key) => {
    const made = await create({ scope: key.scope, label: key.label, ...(key.expiresAt ? { expiresAt: key.expiresAt } : {}) });
    try {
      await revoke(key);
      close();
    } finally {
      setSecret(made);
    }
  };
  const tools = html`<button type="button" onClick=${() => setAct({ kind: "make" })}>New key</button>`;
  return html`<${Panel} title="Keys" answer=${answer} table=${{ columns: plain(columns), rows: rows.map((row) => ({ ...row, state: stateOf(row) })) }} height=${160} span=${12} tools=${tools}>
    <${Table} columns=${columns} rows=${rows} caption=${`Keys of ${project.value.name}`} />
    ${act?.kind === "make" && html`<${NewKey} onClose=${close} make=${make} />`}
    ${act?.kind === "rotate" && html`<${Confirm} title="Exchange a key" word="Exchange" onClose=${close} act=${() => rotate(act.key)}
      what=${`A new ${act.key.scope} key is made, and ${act.key.prefix}… opens nothing from then on. Whoever uses it needs the new one at once.`} />`}
    ${act?.kind === "revoke" && html`<${Confirm} title="Revoke a key" word="Revoke" onClose=${close} act=${() => revoke(act.key)}
      what=${`${act.key.prefix}… (${act.key.label || act.key.scope}) opens nothing from now on. This can't be undone; a new key can be made.`} />`}
    ${secret && html`<${Dialog} title="The new key" onClose=${() => setSecret(null)}>
      <p>It is shown this once: keep it now, where only those see it who need it.</p><${Command} text=${secret.secret} />
    <//>`}
  <//>`;
}

const over = (key) => Boolean(key.revokedAt) || (key.expiresAt !== null && Date.parse(key.expiresAt) <= Date.now());

function stateOf(key) {
  if (key.revokedAt) return `revoked ${instant(key.revokedAt)}`;
  if (key.expiresAt) return `${over(key) ? "expired" : "good until"} ${instant(key.expiresAt)}`;
  return "good";
}

function RowActs({ row, onAct }) {
  if (over(row)) return null;
  return html`<span class="row-acts">
    <button type="button" class="plain link" aria-label=${`Exchange ${row.prefix}`} onClick=${() => onAct({ kind: "rotate", key: row })}>Exchange</button>
    <button type="button" class="plain link" aria-label=${`Revoke ${row.prefix}`} onClick=${() => onAct({ kind: "revoke", key: row })}>Revoke</button>
  </span>`;
}

function NewKey({ onClose, make }) {
  const act = (form) => make({
    scope: form.get("scope"), label: form.get("label"), ...(form.get("expires") ? { expiresAt: `${form.get("expires")}T00:00:00Z` } : {}),
  });
  return html`<${FormDialog} title=${`New key of ${project.value.name}`} word="Make it" onClose=${onClose} act=${act}>
    <label>Name <input name="label" maxlength="200" autofocus placeholder="what people call it" /></label>
    <label>Good for <select name="scope">${Object.entries(SCOPES).map(([scope, words]) => html`<option value=${scope}>${scope}: ${words}</option>`)}</select></label>
    <label>Until, if it shall expire <input name="expires" type="date" /></label>
  <//>`;
}
