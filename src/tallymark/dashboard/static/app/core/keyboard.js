// Keyboard shortcuts: single keys, and "g" followed by a letter. Nothing happens while somebody types.
const acts = new Map();
let prefix = null;

/** Every shortcut there is: `{keys, label}`, in the order of declaration. */
export const shortcuts = [];

/** Declares a shortcut, as "t" or "g w". */
export function shortcut(keys, label, act) {
  if (!acts.has(keys)) shortcuts.push({ keys, label });
  acts.set(keys, act);
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (document.querySelector("dialog[open]") && event.key !== "Escape") return;
  const keys = prefix === null ? event.key : `${prefix} ${event.key}`;
  prefix = null;
  const act = acts.get(keys);
  if (act) {
    event.preventDefault();
    act();
  } else if (keys === "g") {
    prefix = "g";
    setTimeout(() => (prefix = null), 1_500);
  }
});

function typing(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}
