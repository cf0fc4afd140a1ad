// The pages: a rail on the left, a bar below on phones.
import { html } from "../core/html.js";
import { follow, go, hrefWith } from "../core/place.js";
import { shortcut } from "../core/keyboard.js";
import { page, PAGES, pages } from "../pages/index.js";
import { Icon } from "../parts/icon.js";

// What is chosen on one page means nothing on another.
const LEFT_BEHIND = { metric: null, experiment: null, quiz: null, question: null, learner: null, attempts: null, view: null, month: null, funnel: null, cohorts: null };

for (const [name, { label, letter }] of Object.entries(PAGES)) {
  shortcut(`g ${letter}`, label, () => pages.value.includes(name) && go({ ...LEFT_BEHIND, page: name }));
}

/** Links to the pages. */
export function Rail() {
  return html`<nav class="rail" aria-label="Pages">
    ${pages.value.map((name) => html`<a href=${hrefWith({ ...LEFT_BEHIND, page: name })} aria-current=${name === page.value ? "page" : undefined} title=${PAGES[name].label} onClick=${follow}>
      <${Icon} name=${name} size="18" /><span>${PAGES[name].label}</span>
    </a>`)}
  </nav>`;
}
