// A table of an answer: plain, or a sheet that can be searched, sorted and paged.
import { html, useState } from "../core/html.js";
import { exactly, shown } from "../core/format.js";
import { Dialog } from "./dialog.js";

const PAGE = 25;

/**
 * A table: `columns` are `{key, label, unit?, render?}`, a `unit` makes numbers of it; `rows` are objects by key.
 * `caption` is what screen readers say first.
 */
export function Table({ columns, rows, caption, className = "", sort = null, onSort = null }) {
  return html`<div class="table-scroll" tabindex="0" role="region" aria-label=${caption}>
    <table class="table ${className}">
      <caption class="unseen">${caption}</caption>
      <thead><tr>${columns.map((column) => html`<${Head} column=${column} sort=${sort} onSort=${onSort} />`)}</tr></thead>
      <tbody>${rows.map((row) => html`<tr>${columns.map((column) => html`<${Cell} column=${column} row=${row} />`)}</tr>`)}</tbody>
    </table>
  </div>`;
}

function Head({ column, sort, onSort }) {
  const order = sort?.key === column.key ? (sort.down ? "descending" : "ascending") : undefined;
  return html`<th scope="col" class=${column.unit ? "number" : ""} aria-sort=${order}>
    ${onSort ? html`<button type="button" class="plain" onClick=${() => onSort(column.key)}>${column.label}${order && (sort.down ? " ↓" : " ↑")}</button>` : column.label}
  </th>`;
}

function Cell({ column, row }) {
  const value = row[column.key];
  if (column.render) return html`<td class=${column.unit ? "number" : ""}>${column.render(row)}</td>`;
  if (!column.unit) return html`<td>${value ?? ""}</td>`;
  return html`<td class="number" title=${exactly(value, column.unit)}>${shown(value, column.unit)}</td>`;
}

/** A sheet with the whole table: searched over every text, sorted by any column, in pages. */
export function TableSheet({ title, columns, rows, onClose, onPick = null, tools = null }) {
  const [words, search] = useState("");
  const [sort, setSort] = useState(null);
  const [page, turn] = useState(0);
  const found = ordered(rows.filter((row) => matches(row, columns, words)), sort);
  const pages = Math.max(1, Math.ceil(found.length / PAGE));
  const here = Math.min(page, pages - 1);
  const onSort = (key) => setSort((was) => ({ key, down: was?.key === key ? !was.down : true }));
  const shownColumns = onPick ? [pickable(columns[0], onPick), ...columns.slice(1)] : columns;
  return html`<${Dialog} title=${title} wide onClose=${onClose}>
    <div class="sheet-tools">
      <input type="search" placeholder="Search" aria-label="Search the table" value=${words}
        onInput=${(event) => { search(event.target.value); turn(0); }} />
      <span class="muted">${found.length} ${found.length === 1 ? "row" : "rows"}</span>
      ${tools}
    </div>
    <${Table} columns=${shownColumns} rows=${found.slice(here * PAGE, (here + 1) * PAGE)} caption=${title} sort=${sort} onSort=${onSort} />
    ${pages > 1 && html`<nav class="pages" aria-label="Pages">
      <button type="button" disabled=${here === 0} onClick=${() => turn(here - 1)}>Before</button>
      <span>Page ${here + 1} of ${pages}</span>
      <button type="button" disabled=${here === pages - 1} onClick=${() => turn(here + 1)}>Next</button>
    </nav>`}
  <//>`;
}

const pickable = (column, onPick) => ({
  ...column,
  render: (row) => html`<button type="button" class="plain link" onClick=${() => onPick(row)}>${row[column.key] || "(none)"}</button>`,
});

const matches = (row, columns, words) =>
  !words || columns.some((column) => String(row[column.key] ?? "").toLowerCase().includes(words.toLowerCase()));

function ordered(rows, sort) {
  if (!sort) return rows;
  const way = sort.down ? -1 : 1;
  return [...rows].sort((one, other) => way * compare(one[sort.key], other[sort.key]));
}

// What is nothing comes first.
function compare(one, other) {
  if (one === other) return 0;
  if (one === null || one === undefined) return -1;
  if (other === null || other === undefined) return 1;
  return typeof one === "number" ? one - other : String(one).localeCompare(String(other));
}
