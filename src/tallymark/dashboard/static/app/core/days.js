// Days as "YYYY-MM-DD" texts, in whatever zone they are meant; arithmetic by UTC, where every day has 24 hours.
const DAY = 86_400_000;

const at = (day) => Date.parse(`${day}T00:00:00Z`);
const text = (ms) => new Date(ms).toISOString().slice(0, 10);

/** The day that it is now in a zone. */
export function today(zone = "UTC", now = Date.now()) {
  return new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(now);
}

/** The day so many days later; earlier for a negative number. */
export function addDays(day, days) {
  return text(at(day) + days * DAY);
}

/** How many days lie from one to another, both counted. */
export function countDays(first, last) {
  return Math.round((at(last) - at(first)) / DAY) + 1;
}

/** The same day so many years later, 28 February for the 29th where there is none. */
export function addYears(day, years) {
  const [year, month, date] = day.split("-").map(Number);
  const most = new Date(Date.UTC(year + years, month, 0)).getUTCDate();
  return text(Date.UTC(year + years, month - 1, Math.min(date, most)));
}

/** Whether it is a day. */
export function isDay(value) {
  return /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(at(value)) && text(at(value)) === value;
}

/** Seconds since 1970 of a bucket of a series: a day, or an instant. */
export function seconds(bucket) {
  return Date.parse(bucket.length === 10 ? `${bucket}T00:00:00Z` : bucket) / 1000;
}

/** A day as people read it: "3 Nov 2026", without the year where it is this one. */
export function dayName(day, withYear = true) {
  const options = { day: "numeric", month: "short", timeZone: "UTC", ...(withYear ? { year: "numeric" } : {}) };
  return new Intl.DateTimeFormat("en-GB", options).format(at(day));
}

/** A span of days as people read it. */
export function spanName(first, last) {
  if (first === last) return dayName(first);
  return `${dayName(first, first.slice(0, 4) !== last.slice(0, 4))} – ${dayName(last)}`;
}
