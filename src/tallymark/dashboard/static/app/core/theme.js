// Dark or light: what the reader chose last, else what the system says.
import { effect, signal } from "./html.js";

const system = matchMedia("(prefers-color-scheme: dark)");
const stored = localStorage.getItem("theme");

/** "dark" or "light". */
export const theme = signal(stored === "dark" || stored === "light" ? stored : system.matches ? "dark" : "light");

system.addEventListener("change", () => {
  if (!localStorage.getItem("theme")) theme.value = system.matches ? "dark" : "light";
});

effect(() => (document.documentElement.dataset.theme = theme.value));

/** Takes the other one, and remembers it. */
export function turn() {
  theme.value = theme.value === "dark" ? "light" : "dark";
  localStorage.setItem("theme", theme.value);
}

/** The colour that a token of the style sheet has now; reading it follows the theme. */
export function colour(token) {
  void theme.value;
  return getComputedStyle(document.documentElement).getPropertyValue(`--${token}`).trim();
}
