// What is of the reader: the look, the shortcuts, everything the page shows as files, signing out.
import { html } from "../core/html.js";
import { saveZip, fileName } from "../core/files.js";
import { shownTables } from "../core/page.js";
import { days } from "../core/period.js";
import { project } from "../core/project.js";
import { session, signOut } from "../core/session.js";
import { theme, turn } from "../core/theme.js";
import { page } from "../pages/index.js";
import { Icon } from "../parts/icon.js";
import { Menu } from "../parts/menu.js";

/** The menu at the right end of the top bar. */
export function Account({ onHelp }) {
  const keep = () => saveZip(`${fileName(project.value.name, page.value, ...days.value)}.zip`, shownTables());
  return html`<${Menu} align="right" title="More" label=${html`<${Icon} name="more" size="18" />`}>
    ${(close) => html`
      <p class="menu-note">Signed in by ${session.value.name}</p>
      <button type="button" onClick=${() => { close(); keep(); }}>Keep this page as CSV files</button>
      <button type="button" onClick=${() => { close(); turn(); }}>${theme.value === "dark" ? "Light" : "Dark"} look <kbd>t</kbd></button>
      <button type="button" onClick=${() => { close(); onHelp(); }}>Keyboard <kbd>?</kbd></button>
      <a href="/openapi">API</a>
      <button type="button" onClick=${() => { close(); signOut(); }}>Sign out</button>`}
  <//>`;
}
