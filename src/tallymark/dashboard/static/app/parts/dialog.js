// A sheet over the page. It is the browser's own dialog: Escape closes it, and the focus stays in it and comes back.
import { html, useEffect, useRef } from "../core/html.js";
import { Icon } from "./icon.js";

/** A dialog that is open while it is there; `onClose` takes it away. */
export function Dialog({ title, onClose, wide = false, children }) {
  const element = useRef(null);
  useEffect(() => {
    element.current.showModal();
    return () => element.current?.close();
  }, []);
  const outside = (event) => event.target === element.current && onClose();
  return html`<dialog ref=${element} class=${wide ? "dialog wide" : "dialog"} aria-label=${title} onClose=${onClose} onClick=${outside}>
    <div class="dialog-body">
      <header class="dialog-head">
        <h2>${title}</h2>
        <button type="button" class="plain" aria-label="Close" onClick=${onClose}><${Icon} name="close" /></button>
      </header>
      ${children}
    </div>
  </dialog>`;
}

/** Asks once whether to do something, and says what will happen; `act` may take its time, and may fail. */
export function Confirm({ title, what, word, onClose, act }) {
  const failed = useRef(null);
  const go = async (event) => {
    event.preventDefault();
    const button = event.currentTarget.querySelector("button[type=submit]");
    button.disabled = true;
    try {
      await act();
      onClose();
    } catch (error) {
      failed.current.textContent = error.message;
      button.disabled = false;
    }
  };
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <form onSubmit=${go}>
      <p>${what}</p>
      <p class="error-text" role="alert" ref=${failed}></p>
      <div class="actions">
        <button type="button" onClick=${onClose}>Leave it</button>
        <button type="submit" class="main" autofocus>${word}</button>
      </div>
    </form>
  <//>`;
}
