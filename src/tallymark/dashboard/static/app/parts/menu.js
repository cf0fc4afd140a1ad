// A button that shows a short list below it. Escape and a click elsewhere close it, arrows move in it.
import { html, useEffect, useRef, useState } from "../core/html.js";

/**
 * `label` is what the button shows, `title` its tip; where the label is a picture alone (`picture`) also its name.
 * `children` is what the list shows: items, or a function that gets `close`.
 */
export function Menu({ label, title, picture = false, className = "", align = "left", children }) {
  const [open, setOpen] = useState(false);
  const element = useRef(null);
  const close = () => setOpen(false);

  useEffect(() => {
    if (!open) return;
    const elsewhere = (event) => element.current?.contains(event.target) || close();
    addEventListener("pointerdown", elsewhere);
    element.current.querySelector(".menu-list a, .menu-list button, .menu-list input")?.focus();
    return () => removeEventListener("pointerdown", elsewhere);
  }, [open]);

  const onKey = (event) => {
    if (event.key === "Escape" && open) {
      event.stopPropagation();
      close();
      element.current.querySelector("button").focus();
    }
    if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) move(event, element.current);
  };
  return html`<div class="menu ${className}" ref=${element} onKeyDown=${onKey} data-no-picture>
    <button type="button" class="menu-button" aria-expanded=${open} aria-haspopup="true" title=${title} aria-label=${picture ? title : undefined}
      onClick=${() => setOpen(!open)}>${label}</button>
    ${open && html`<div class="menu-list ${align}">${typeof children === "function" ? children(close) : children}</div>`}
  </div>`;
}

function move(event, element) {
  const items = [...element.querySelectorAll(".menu-list a, .menu-list button")];
  const place = items.indexOf(document.activeElement);
  if (!items.length || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  event.preventDefault();
  items[(place + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length].focus();
}
