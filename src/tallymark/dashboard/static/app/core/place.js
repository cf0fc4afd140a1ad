// Where the reader is: the address is the state. Every choice stands in its query, so reload, back and share work.
import { batch, computed, signal } from "./html.js";

const query = signal(new URLSearchParams(location.search));

addEventListener("popstate", () => (query.value = new URLSearchParams(location.search)));

/** The choice of that name, or what it is where nothing is chosen. */
export function chosen(name, otherwise = "") {
  return query.value.get(name) ?? otherwise;
}

/** Every choice of that name. */
export function allChosen(name) {
  return query.value.getAll(name);
}

/** The query that these changes make of the present one; null takes a choice away, a list makes several. */
export function changed(changes) {
  const next = new URLSearchParams(query.value);
  for (const [name, value] of Object.entries(changes)) {
    next.delete(name);
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") next.append(name, one);
    }
  }
  return next;
}

/** An address with these changes. */
export function hrefWith(changes) {
  const next = changed(changes).toString();
  return next ? `?${next}` : location.pathname;
}

/** What stays chosen on every page of a project, and in every project. */
export const ON_EVERY_PAGE = ["project", "period", "from", "to", "compare", "grain", "f", "segment"];
export const IN_EVERY_PROJECT = ["period", "from", "to", "compare", "grain"];

/** The query of what stays, with these changes, as text. */
export function staying(names, changes) {
  const next = new URLSearchParams([...query.value].filter(([name]) => names.includes(name)));
  for (const [name, value] of Object.entries(changes)) next.set(name, value);
  return next.toString();
}

/** Goes to where these changes lead; `replace` leaves no step to go back to. */
export function go(changes, { replace = false } = {}) {
  const next = changed(changes);
  if (next.toString() === query.value.toString()) return;
  history[replace ? "replaceState" : "pushState"](null, "", next.size ? `?${next}` : location.pathname);
  batch(() => (query.value = next));
}

/** Goes to a whole query as text, such as that of a saved view. */
export function goTo(text) {
  const next = new URLSearchParams(text);
  history.pushState(null, "", next.size ? `?${next}` : location.pathname);
  query.value = next;
}

/** The whole query as text. */
export const whole = computed(() => query.value.toString());

/** Follows a link within the dashboard without loading it anew; for `onClick` of an element with an `href`. */
export function follow(event) {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  goTo(new URL(event.currentTarget.href).search);
}
