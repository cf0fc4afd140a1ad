// Short notes on days, as flags in charts.
import { useAnswer } from "./answer.js";
import { days } from "./period.js";
import { project } from "./project.js";

/** The annotations of the period. */
export function useAnnotations() {
  const [from, to] = days.value;
  const answer = useAnswer("/v1/annotations", { project: project.value.name, from, to });
  return { annotations: answer.data?.annotations ?? [], retry: answer.retry };
}
