// Icons as lines of 24 units; decoration only, words stand beside or in the label of the control.
import { html } from "../core/html.js";

const PATHS = {
  web: "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18",
  sdk: "M8 6l-5 6l5 6M16 6l5 6l-5 6M13 4l-2 16",
  ab: "M9 3h6M10 3v6l-5 9a2 2 0 0 0 2 3h10a2 2 0 0 0 2-3l-5-9V3M7.500 15h9",
  voice: "M12 3a3 3 0 0 1 3 3v6a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3M5 11a7 7 0 0 0 14 0M12 18v3",
  quiz: "M9 9a3 3 0 1 1 4 2.800c-1 .4-1 1.200-1 2.200M12 17.500v.1M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18",
  explore: "M11 4a7 7 0 1 0 0 14a7 7 0 0 0 0-14M16 16l5 5",
  operations: "M4 6h16M4 12h16M4 18h16M8 4v4M15 10v4M10 16v4",
  core: "M4 20V10M10 20V4M16 20v-7M21 20H3",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  close: "M6 6l12 12M18 6L6 18",
  down: "M6 9l6 6l6-6",
  left: "M15 6l-6 6l6 6",
  right: "M9 6l6 6l-6 6",
  filter: "M4 5h16l-6 8v6l-4-2v-4z",
  theme: "M12 3a9 9 0 1 0 9 9a7 7 0 0 1-9-9",
  flag: "M6 21V4h11l-2 4l2 4H6",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  share: "M12 15V3M8 7l4-4l4 4M5 13v7h14v-7",
  save: "M6 3h12v18l-6-4l-6 4z",
  file: "M12 4v11M8 11l4 4l4-4M5 20h14",
};

/** The icon of that name. */
export function Icon({ name, size = 16 }) {
  return html`<svg class="icon" width=${size} height=${size} viewBox="0 0 24 24" aria-hidden="true">
    <path d=${PATHS[name] ?? PATHS.core} />
  </svg>`;
}
