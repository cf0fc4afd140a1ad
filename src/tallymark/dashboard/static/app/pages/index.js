// Every page there is: its words, its letter after "g", and who may see it; what it needs is loaded when it is opened.
import { computed } from "../core/html.js";
import { chosen } from "../core/place.js";
import { catalogue, project } from "../core/project.js";
import { mayChange } from "../core/session.js";

/** Pages by name. `pack` is the pack that a project needs for it. */
export const PAGES = {
  core: { label: "Events", letter: "h", load: () => import("./core.js"), when: () => !project.value?.packs.length },
  web: { label: "Traffic", letter: "w", pack: "web", load: () => import("./web.js") },
  sdk: { label: "SDK", letter: "s", pack: "sdk", load: () => import("./sdk.js") },
  ab: { label: "Experiments", letter: "e", pack: "ab", load: () => import("./ab.js") },
  voice: { label: "Voice", letter: "v", pack: "voice", load: () => import("./voice.js") },
  quiz: { label: "Quizzes", letter: "q", pack: "quiz", load: () => import("./quiz.js") },
  explore: { label: "Explore", letter: "x", load: () => import("./explore.js") },
  operations: { label: "Operations", letter: "o", load: () => import("./operations.js"), when: mayChange },
};

/** The names of the pages that this reader and this project have; the project's packs come first, in their order. */
export const pages = computed(() => {
  if (!project.value || !catalogue.value) return [];
  const { packs } = project.value;
  const others = Object.keys(PAGES).filter((name) => !PAGES[name].pack && (PAGES[name].when?.() ?? true));
  return [...packs.filter((name) => name in PAGES), ...others];
});

/** The name of the page that is open. */
export const page = computed(() => (pages.value.includes(chosen("page")) ? chosen("page") : pages.value[0]));
