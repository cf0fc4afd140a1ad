// Tables and pictures to keep: CSV, a zip of several, PNG.
import { colour } from "./theme.js";

/** Hands a file to the reader. */
export function save(name, content, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A table as CSV by RFC 4180; a text that a spreadsheet would take for a formula gets a ' before it. */
export function csv({ columns, rows }) {
  const lines = [columns.map((column) => cell(column.label)), ...rows.map((row) => columns.map((column) => cell(row[column.key])))];
  return `${lines.map((line) => line.join(",")).join("\r\n")}\r\n`;
}

function cell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A name for a file: letters, digits and dashes. */
export const fileName = (...parts) => parts.filter(Boolean).join("-").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");

/** Tables by name as a zip of CSV files. */
export async function saveZip(name, tables) {
  const { strToU8, zipSync } = await import("../../vendor/fflate.js");
  const files = {};
  for (const [title, table] of tables) {
    let file = `${fileName(title)}.csv`;
    for (let n = 2; file in files; n += 1) file = `${fileName(title)}-${n}.csv`;
    files[file] = strToU8(csv(table));
  }
  save(name, zipSync(files), "application/zip");
}

const SCALE = 2;

/** A part of the page as a PNG, as it looks now. */
export async function savePng(name, element) {
  const { width, height } = element.getBoundingClientRect();
  const copy = frozen(element);
  copy.setAttribute("xmlns", "http://www.w3.org/1999/xhtml");
  const markup = new XMLSerializer().serializeToString(copy);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width * SCALE}" height="${height * SCALE}" viewBox="0 0 ${width} ${height}"><foreignObject width="${width}" height="${height}">${markup}</foreignObject></svg>`;
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width * SCALE, height * SCALE];
  const context = canvas.getContext("2d");
  context.fillStyle = colour("surface");
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0);
  save(name, await new Promise((done) => canvas.toBlob(done, "image/png")), "image/png");
}

// A copy that looks the same without any style sheet: styles written out, canvases as pictures, controls left out.
function frozen(element) {
  const copy = element.cloneNode(true);
  const originals = [element, ...element.querySelectorAll("*")];
  const copies = [copy, ...copy.querySelectorAll("*")];
  originals.forEach((original, place) => {
    const twin = copies[place];
    if (original instanceof HTMLCanvasElement) {
      const picture = document.createElement("img");
      picture.src = original.toDataURL();
      dress(original, picture);
      twin.replaceWith(picture);
    } else {
      dress(original, twin);
    }
  });
  for (const left of copy.querySelectorAll("[data-no-picture]")) left.remove();
  return copy;
}

function dress(original, twin) {
  const computed = getComputedStyle(original);
  let style = "";
  for (const property of computed) style += `${property}:${computed.getPropertyValue(property)};`;
  twin.style.cssText = style;
}
