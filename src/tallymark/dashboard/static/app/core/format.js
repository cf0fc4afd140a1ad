// Numbers as people read them; the exact ones stand in tips and exports.
export const NOTHING = "–";

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en-US", { maximumFractionDigits: 6 });
const MINUS = "−";

/** A number of a unit: "count", "share", "ms", "seconds", "usd", "p" (a probability value) or "number". */
export function shown(value, unit = "number") {
  if (value === null || value === undefined || Number.isNaN(value)) return NOTHING;
  const text = (WAYS[unit] ?? number)(Math.abs(value));
  return value < 0 && /[1-9]/.test(text) ? MINUS + text : text;
}

/** The number in full. */
export function exactly(value, unit = "number") {
  if (value === null || value === undefined || Number.isNaN(value)) return "nothing to show";
  if (unit === "share") return `${fine.format(value * 100)} %`;
  return fine.format(value) + ({ ms: " ms", seconds: " s", usd: " US dollars" }[unit] ?? "");
}

const WAYS = { count, number, share, ms, seconds, usd, p };

function count(value) {
  if (value < 99_999.5) return Number.isInteger(value) ? grouped.format(value) : number(value);
  return short(value);
}

function number(value) {
  if (value >= 99_999.5) return short(value);
  if (value >= 1_000) return grouped.format(value);
  return String(Number(value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3)));
}

function short(value) {
  for (const [size, letter] of [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "k"]]) {
    if (value >= size * 0.9995) {
      const part = value / size;
      return `${part >= 99.95 ? part.toFixed(0) : part.toFixed(1)} ${letter}`;
    }
  }
  return grouped.format(value);
}

function share(value) {
  return `${(value * 100).toFixed(1)} %`;
}

function p(value) {
  return value < 0.001 ? "< 0.001" : value.toFixed(3);
}

function usd(value) {
  return value >= 99_999.5 ? `$${short(value)}` : `$${value.toFixed(value >= 1 || value === 0 ? 2 : 4)}`;
}

function ms(value) {
  return value < 1_000 ? `${Math.round(value)} ms` : value < 60_000 ? `${(value / 1_000).toFixed(2)} s` : seconds(value / 1_000);
}

function seconds(value) {
  if (value < 1 && value > 0) return `${Math.round(value * 1_000)} ms`;
  if (value < 59.95) return `${Number(value.toFixed(1))} s`;
  const whole = Math.round(value);
  const [hours, minutes, rest] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60];
  return hours ? `${grouped.format(hours)} h ${minutes} m` : `${minutes} m ${rest} s`;
}

/**
 * How a number stands to the one before: `{text, arrow, sign}`; null where nothing can be said. Shares differ by
 * percentage points, named so, everything else by percent.
 */
export function difference(value, previous, unit) {
  if (value === null || value === undefined || previous === null || previous === undefined) return null;
  if (unit !== "share" && previous === 0) return null;
  const by = unit === "share" ? (value - previous) * 100 : ((value - previous) / Math.abs(previous)) * 100;
  const rounded = Math.abs(by) >= 1_000 ? Math.round(by) : Number(by.toFixed(1));
  const sign = Math.sign(rounded);
  const size = Math.abs(rounded) >= 1_000 ? grouped.format(Math.abs(rounded)) : Math.abs(rounded).toFixed(1);
  const mark = sign > 0 ? "+" : sign < 0 ? MINUS : "±";
  return { text: `${mark}${size} ${unit === "share" ? "pp" : "%"}`, arrow: sign > 0 ? "↑" : sign < 0 ? "↓" : "→", sign };
}

/** An instant as people read it, in a zone. */
export function instant(text, zone = "UTC") {
  if (!text) return NOTHING;
  const options = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone: zone };
  return new Intl.DateTimeFormat("en-GB", options).format(Date.parse(text));
}
