// The pages: a rail on the left, a bar below on phones.
import { html } from "../core/html.js";
import { follow, goTo, ON_EVERY_PAGE, staying } from "../core/place.js";
import { shortcut } from "../core/keyboard.js";
import { page, PAGES, pages } from "../pages/index.js";
import { Icon } from "../parts/icon.js";

for (const [name, { label, letter }] of Object.entries(PAGES)) {
  shortcut(`g ${letter}`, label, () => pages.value.includes(name) && goTo(staying(ON_EVERY_PAGE, { page: name })));
}

/** Links to the pages. */
export function Rail() {
  return html`<nav class="rail" aria-label="Pages">
    ${pages.value.map((name) => html`<a href=${`?${staying(ON_EVERY_PAGE, { page: name })}`} aria-current=${name === page.value ? "page" : undefined} title=${PAGES[name].label} onClick=${follow}>
      <${Icon} name=${name} size="18" /><span>${PAGES[name].label}</span>
    </a>`)}
  </nav>`;
}
