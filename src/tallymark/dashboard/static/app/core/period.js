// The days that are asked about, those they are compared with, and the grain of their course.
import { computed } from "./html.js";
import { chosen } from "./place.js";
import { addDays, addYears, countDays, isDay, today } from "./days.js";
import { project } from "./project.js";

/** Periods by what the address calls them: their words, their key, and their days, which end today. */
export const PERIODS = {
  today: { label: "Today", key: "d", days: (now) => [now, now] },
  "7d": { label: "7 days", key: "w", days: (now) => [addDays(now, -6), now] },
  "30d": { label: "30 days", days: (now) => [addDays(now, -29), now] },
  "90d": { label: "90 days", days: (now) => [addDays(now, -89), now] },
  month: { label: "This month", key: "m", days: (now) => [`${now.slice(0, 8)}01`, now] },
  year: { label: "This year", key: "y", days: (now) => [`${now.slice(0, 5)}01-01`, now] },
};

/** Comparisons by what the address calls them. */
export const COMPARISONS = { previous: "Period before", year: "Year before", none: "Nothing" };

const USUAL = "30d";
const HOURS_UP_TO = 2;
const DAYS_UP_TO = 100;
const WEEKS_UP_TO = 730;

/** The zone of the project's days. */
export const zone = computed(() => project.value?.timezone ?? "UTC");

/** What the period is called: a name of `PERIODS`, or "custom". */
export const periodName = computed(() => {
  if (isDay(chosen("from")) && isDay(chosen("to"))) return "custom";
  return chosen("period", USUAL) in PERIODS ? chosen("period", USUAL) : USUAL;
});

/** The first and the last day. */
export const days = computed(() => {
  if (periodName.value !== "custom") return PERIODS[periodName.value].days(today(zone.value));
  return [chosen("from"), chosen("to")].sort();
});

/** What it is compared with: a name of `COMPARISONS`. */
export const comparison = computed(() => (chosen("compare", "previous") in COMPARISONS ? chosen("compare", "previous") : "previous"));

/** The first and the last day of the comparison, null without one. */
export const comparedDays = computed(() => {
  const [first, last] = days.value;
  if (comparison.value === "none") return null;
  if (comparison.value === "year") return [addYears(first, -1), addYears(last, -1)];
  const length = countDays(first, last);
  return [addDays(first, -length), addDays(first, -1)];
});

/** The grains that this period may have, finest first. */
export const grains = computed(() => {
  const length = countDays(...days.value);
  return ["hour", "day", "week", "month"].filter(
    (grain) => (grain !== "hour" || length <= 14) && (grain !== "week" || length > 7) && (grain !== "month" || length > 31),
  );
});

/** The grain of series. */
export const grain = computed(() => {
  if (grains.value.includes(chosen("grain"))) return chosen("grain");
  const length = countDays(...days.value);
  return length <= HOURS_UP_TO ? "hour" : length <= DAYS_UP_TO ? "day" : length <= WEEKS_UP_TO ? "week" : "month";
});

/** The period as parameters of the common API. */
export const asked = computed(() => ({
  from: days.value[0],
  to: days.value[1],
  compareTo: comparedDays.value && comparedDays.value.join(".."),
}));
