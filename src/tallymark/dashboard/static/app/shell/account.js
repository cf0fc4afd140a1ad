// What is of the reader: the look, the shortcuts, everything the page shows as files, signing out.
import { html, useState } from "../core/html.js";
import { saveZip, fileName } from "../core/files.js";
import { shownTables } from "../core/page.js";
import { days } from "../core/period.js";
import { project } from "../core/project.js";
import { mayChange, session, signOut } from "../core/session.js";
import { theme, turn } from "../core/theme.js";
import { page } from "../pages/index.js";
import { Icon } from "../parts/icon.js";
import { Menu } from "../parts/menu.js";
import { NotesSheet, SharesSheet, ViewsSheet } from "./saved.js";
import { SegmentsSheet } from "./segments.js";

const SHEETS = { segments: SegmentsSheet, views: ViewsSheet, notes: NotesSheet, shares: SharesSheet };

/** The menu at the right end of the top bar. */
export function Account({ onHelp }) {
  const [sheet, open] = useState(null);
  const Sheet = SHEETS[sheet];
  const keep = () => saveZip(`${fileName(project.value.name, page.value, ...days.value)}.zip`, shownTables());
  return html`${Sheet && html`<${Sheet} onClose=${() => open(null)} />`}<${Menu} picture align="right" title="More" label=${html`<${Icon} name="more" size="18" />`}>
    ${(close) => html`
      <p class="menu-note">Signed in by ${session.value.name}</p>
      <button type="button" onClick=${() => { close(); open("segments"); }}>Segments</button>
      <button type="button" onClick=${() => { close(); open("views"); }}>Saved views</button>
      <button type="button" onClick=${() => { close(); open("notes"); }}>Notes on days</button>
      ${mayChange() && html`<button type="button" onClick=${() => { close(); open("shares"); }}>Share</button>`}
      <button type="button" onClick=${() => { close(); keep(); }}>Keep this page as CSV files</button>
      <button type="button" onClick=${() => { close(); turn(); }}>${theme.value === "dark" ? "Light" : "Dark"} look <kbd>t</kbd></button>
      <button type="button" onClick=${() => { close(); onHelp(); }}>Keyboard <kbd>?</kbd></button>
      <a href="/openapi">API</a>
      <button type="button" onClick=${() => { close(); signOut(); }}>Sign out</button>`}
  <//>`;
}
