// What the page shows as tables, so that all of it can be kept at once.
const tables = new Map();

/** Notes the table that a panel shows; null takes it away. */
export function note(panel, table) {
  if (table) tables.set(panel, table);
  else tables.delete(panel);
}

/** Title and table of every panel that is shown. */
export const shownTables = () => [...tables.values()].map(({ title, table }) => [title, table]);
