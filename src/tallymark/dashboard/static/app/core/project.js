// The project that is looked at, and what can be asked of it.
import { computed, effect, signal } from "./html.js";
import { chosen } from "./place.js";
import { get } from "./api.js";

/** Every project that the reader may read. */
export const projects = signal([]);

/** The project of the address, else the first. */
export const project = computed(() => projects.value.find((one) => one.name === chosen("project")) ?? projects.value[0] ?? null);

/** Metrics, dimensions and boards of the project, null while they are on their way. */
export const catalogue = signal(null);

/** Reads which projects there are. */
export async function readProjects() {
  projects.value = (await get("/v1/projects")).projects;
}

// What a catalogue is of: it changes with the project's packs.
const subject = computed(() => (project.value ? JSON.stringify([project.value.name, project.value.packs]) : null));

effect(() => {
  const wanted = subject.value;
  catalogue.value = null;
  if (wanted === null) return;
  get("/v1/metrics", { project: JSON.parse(wanted)[0] }).then((found) => {
    if (subject.peek() === wanted) catalogue.value = indexed(found);
  }, () => {});
});

function indexed(found) {
  return {
    ...found,
    metric: new Map(found.metrics.map((metric) => [metric.name, metric])),
    dimension: new Map(found.dimensions.map((dimension) => [dimension.name, dimension])),
    board: new Map(found.boards.map((board) => [board.pack, board])),
  };
}

/** A metric of the catalogue. */
export const metricOf = (metric) => catalogue.value?.metric.get(metric);

/** A dimension of the catalogue. */
export const dimensionOf = (dimension) => catalogue.value?.dimension.get(dimension);
