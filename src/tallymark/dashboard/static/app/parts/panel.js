// A panel: a title, what is shown, and its menu: the table behind it, CSV, PNG. It keeps its size while it loads.
import { html, useEffect, useRef, useState } from "../core/html.js";
import { note } from "../core/page.js";
import { csv, fileName, save, savePng } from "../core/files.js";
import { project } from "../core/project.js";
import { days } from "../core/period.js";
import { Icon } from "./icon.js";
import { Menu } from "./menu.js";
import { TableSheet } from "./table.js";

let made = 0;

/**
 * A panel. `answer` is what `useAnswer` gives: while nothing came there is a skeleton of `height` pixels, what failed
 * says so and can be tried again. `table` is `{columns, rows}`, the numbers behind the picture. `hidden` says that the
 * picture needs the table for those who don't see it. `empty` is what to say where there are no rows.
 */
export function Panel({ title, help, answer, table, height = 240, span = 6, tools, hidden = false, empty, note: remark, children }) {
  const element = useRef(null);
  const [id] = useState(() => (made += 1));
  const [sheet, setSheet] = useState(false);
  useEffect(() => {
    note(id, table ? { title, table } : null);
    return () => note(id, null);
  }, [title, table]);
  const nothing = table && table.rows.length === 0;
  const busy = Boolean(answer?.loading && answer.data);
  return html`<section class="panel span-${span} ${busy ? "busy" : ""}" ref=${element} aria-labelledby=${`panel-${id}`} aria-busy=${Boolean(answer?.loading)}>
    <header class="panel-head">
      <h2 id=${`panel-${id}`} title=${help}>${title}</h2>
      ${tools}
      ${table && html`<${PanelMenu} title=${title} table=${table} element=${element} onTable=${() => setSheet(true)} />`}
    </header>
    <div class="panel-body" style=${`min-height:${height}px`}>
      <${Inside} answer=${answer} nothing=${nothing} empty=${empty} height=${height}>${children}<//>
    </div>
    ${remark && html`<footer class="panel-note">${remark}</footer>`}
    ${hidden && table && !nothing && html`<${HiddenTable} title=${title} table=${table} />`}
    ${sheet && html`<${TableSheet} title=${title} columns=${table.columns} rows=${table.rows} onClose=${() => setSheet(false)} />`}
  </section>`;
}

function Inside({ answer, nothing, empty, height, children }) {
  if (answer?.error && !answer.data) return html`<${Failed} error=${answer.error} retry=${answer.retry} />`;
  if (answer && !answer.data) return html`<div class="skeleton" style=${`height:${height}px`} aria-label="Loading"></div>`;
  return html`${answer?.error && html`<${Failed} error=${answer.error} retry=${answer.retry} />`}
    ${nothing ? html`<p class="nothing">${empty ?? "Nothing in this period."}</p>` : children}`;
}

/** What failed, why, and what to do. */
export function Failed({ error, retry }) {
  return html`<div class="failed" role="alert">
    <p>This could not be loaded. ${error.message}</p>
    ${error.retryAfter && html`<p>Try again in ${error.retryAfter} s.</p>`}
    <button type="button" onClick=${retry}>Try again</button>
  </div>`;
}

function PanelMenu({ title, table, element, onTable }) {
  const name = fileName(project.value?.name, title, ...days.value);
  return html`<${Menu} picture className="quiet" align="right" title=${`Keep or show all: ${title}`} label=${html`<${Icon} name="more" />`}>
    ${(close) => html`
      <button type="button" onClick=${() => { close(); onTable(); }}>Show all as a table</button>
      <button type="button" onClick=${() => { close(); save(`${name}.csv`, csv(table), "text/csv"); }}>Keep as CSV</button>
      <button type="button" onClick=${() => { close(); savePng(`${name}.png`, element.current); }}>Keep as PNG</button>`}
  <//>`;
}

function HiddenTable({ title, table }) {
  return html`<div class="unseen"><table>
    <caption>${title}</caption>
    <thead><tr>${table.columns.map((column) => html`<th scope="col">${column.label}</th>`)}</tr></thead>
    <tbody>${table.rows.map((row) => html`<tr>${table.columns.map((column) => html`<td>${row[column.key] ?? ""}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}
