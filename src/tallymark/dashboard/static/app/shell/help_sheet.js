// Every keyboard shortcut.
import { html } from "../core/html.js";
import { shortcuts } from "../core/keyboard.js";
import { Dialog } from "../parts/dialog.js";

/** The sheet. */
export function HelpSheet({ onClose }) {
  return html`<${Dialog} title="Keyboard" onClose=${onClose}>
    <dl class="shortcuts">${shortcuts.map(({ keys, label }) => html`<div>
      <dt>${keys.split(" ").map((key) => html`<kbd>${key}</kbd> `)}</dt><dd>${label}</dd>
    </div>`)}</dl>
  <//>`;
}
