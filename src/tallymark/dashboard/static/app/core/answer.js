// What a panel shows: the last answer to its question, kept while the next one is on its way.
import { useEffect, useRef, useState } from "./html.js";
import { address, get } from "./api.js";

const EVERY = 60_000;
const kept = new Map();
const MOST_KEPT = 200;

/**
 * The answer to a question: `{data, error, loading, retry}`. `data` is the last one that came, of another window too;
 * it is asked again when the question changes, every minute while the page is seen, and by `retry`. A `path` of null
 * asks nothing.
 */
export function useAnswer(path, parameters, { every = EVERY } = {}) {
  const question = path === null ? null : address(path, parameters);
  const [state, setState] = useState({ question: null, data: null, error: null });
  const [asked, ask] = useState(0);
  const shown = useRef(null);

  useEffect(() => {
    if (question === null) return;
    const stop = new AbortController();
    const before = kept.get(question);
    if (before) setState({ question, data: before, error: null });
    get(question, {}, stop.signal).then(
      (data) => {
        keep(question, data);
        setState({ question, data, error: null });
      },
      (error) => {
        if (error.name !== "AbortError") setState((was) => ({ question, data: was.data, error }));
      },
    );
    return () => stop.abort();
  }, [question, asked]);

  useEffect(() => {
    if (!every || question === null) return;
    const timer = setInterval(() => document.hidden || ask((n) => n + 1), every);
    return () => clearInterval(timer);
  }, [every, question]);

  if (state.data) shown.current = state.data;
  return {
    data: shown.current,
    error: state.question === question ? state.error : null,
    loading: question !== null && state.question !== question,
    retry: () => ask((n) => n + 1),
  };
}

function keep(question, data) {
  if (kept.size >= MOST_KEPT) kept.delete(kept.keys().next().value);
  kept.set(question, data);
}

/** Forgets every answer, as after an act that changes them. */
export function forgetAnswers() {
  kept.clear();
}
