// Filters as the API writes them: "dimension:operator:value|value", a backslash before | ; : and itself.
import { computed } from "./html.js";
import { allChosen, go } from "./place.js";

/** Operators by what the API calls them. */
export const OPERATORS = { is: "is", is_not: "is not", contains: "contains", matches: "matches" };

/** The filters of the address, as texts of the API. */
export const filters = computed(() => allChosen("f"));

/** The segments of the address: saved filters. */
export const segments = computed(() => allChosen("segment"));

const escape = (value) => value.replace(/[\\|;:]/g, "\\$&");

/** A filter as the API writes it. */
export const written = (dimension, operator, values) => `${dimension}:${operator}:${values.map(escape).join("|")}`;

/** What a filter says: `{dimension, operator, values}`, null for one that is joined of several. */
export function parsed(filter) {
  const [dimension, operator, ...rest] = split(filter, ":", 2);
  const text = rest.join(":");
  if (!(operator in OPERATORS) || split(text, ";").length > 1) return null;
  return { dimension, operator, values: split(text, "|").map((value) => value.replace(/\\(.)/g, "$1")) };
}

// Cuts at a mark that no backslash stands before, so often at most.
function split(text, mark, most = Infinity) {
  const parts = [""];
  for (let place = 0; place < text.length; place += 1) {
    const letter = text[place];
    if (letter === "\\" && place + 1 < text.length) parts[parts.length - 1] += letter + text[(place += 1)];
    else if (letter === mark && parts.length <= most) parts.push("");
    else parts[parts.length - 1] += letter;
  }
  return parts;
}

/** Whether a value of a dimension is filtered for. */
export function isFiltered(dimension, value) {
  return filters.value.includes(written(dimension, "is", [value]));
}

/** Adds the filter for a value, or takes it away. */
export function toggle(dimension, value) {
  const filter = written(dimension, "is", [value]);
  go({ f: isFiltered(dimension, value) ? filters.value.filter((one) => one !== filter) : [...filters.value, filter] });
}

/** Takes a filter away. */
export function drop(filter) {
  go({ f: filters.value.filter((one) => one !== filter) });
}

/** Adds a filter. */
export function add(filter) {
  if (!filters.value.includes(filter)) go({ f: [...filters.value, filter] });
}
