// Which project is looked at, and another one.
import { html } from "../core/html.js";
import { follow, IN_EVERY_PROJECT, staying } from "../core/place.js";
import { project, projects } from "../core/project.js";
import { Menu } from "../parts/menu.js";

/** The name of the project; a list of the others where there are any. */
export function ProjectSwitcher() {
  if (projects.value.length < 2) return html`<span class="project-name">${project.value?.name}</span>`;
  return html`<${Menu} title="Project" label=${html`<span class="project-name">${project.value.name}</span> <span aria-hidden="true">▾</span>`}>
    ${(close) => projects.value.map((one) => html`<a href=${`?${staying(IN_EVERY_PROJECT, { project: one.name })}`} aria-current=${one === project.value}
      onClick=${(event) => { follow(event); close(); }}>${one.name}</a>`)}
  <//>`;
}
