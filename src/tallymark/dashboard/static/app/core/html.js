// Preact with templates instead of a compiler: html`<p>${text}</p>`.
import { h } from "../../vendor/preact.js";
import htm from "../../vendor/htm.js";

export const html = htm.bind(h);
export { Fragment, createContext, render } from "../../vendor/preact.js";
export { useContext, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../../vendor/hooks.js";
export { batch, computed, effect, signal, untracked } from "../../vendor/signals-core.js";
export { useSignal } from "../../vendor/signals.js";
