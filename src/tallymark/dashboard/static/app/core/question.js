// What questions about the project have in common, and which metrics can be asked under the filters there are.
import { filters, parsed, segments } from "./filters.js";
import { asked } from "./period.js";
import { metricOf, project } from "./project.js";

/** The parameters of a question to `/v1/query`. */
export const common = () => ({ project: project.value.name, ...asked.value, filter: filters.value, segment: segments.value });

/** The metrics, by name, that have every dimension that is filtered by; others would be refused. */
export function answerable(names) {
  const dimensions = filters.value.map((filter) => parsed(filter)?.dimension).filter(Boolean);
  return names.filter((name) => dimensions.every((dimension) => metricOf(name)?.dimensions.includes(dimension)));
}
