// What questions about voice assistants have in common.
import { filters } from "../../core/filters.js";
import { comparedDays, days } from "../../core/period.js";
import { project } from "../../core/project.js";

/** The parameters of a question to a page of `/voice/stats`. */
export const asked = () => ({
  project: project.value.name, from: days.value[0], to: days.value[1], compareTo: comparedDays.value?.join(".."), filter: filters.value,
});
