// The public API: one function for questions and one for acts. A failure says what the server said.

/** Why a request failed: a sentence, and what may help. */
export class Failure extends Error {
  constructor(status, code, message, allowed, retryAfter) {
    super(message);
    this.status = status;
    this.code = code;
    this.allowed = allowed;
    this.retryAfter = retryAfter;
  }
}

let csrf = null;
let onSignedOut = () => {};

/** Sends this token with every request from now on; without it the cookie opens nothing. */
export function carry(token) {
  csrf = token;
}

/** Calls `act` when the server says that nobody is signed in. */
export function whenSignedOut(act) {
  onSignedOut = act;
}

/** The path with parameters; a list stands for one several times, null and "" for none. */
export function address(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") query.append(name, one);
    }
  }
  return query.size ? `${path}?${query}` : path;
}

/** The answer to a question, as JSON. Throws `Failure`. */
export async function get(path, parameters, signal) {
  return read(await request("GET", address(path, parameters), undefined, signal));
}

/** What an act answers, as JSON, null where it says nothing. Throws `Failure`. */
export async function send(method, path, body, parameters) {
  return read(await request(method, address(path, parameters), body));
}

/** An act's answer, line by line as it comes: `onLine` gets each line of JSON. Throws `Failure`. */
export async function sendForLines(method, path, body, parameters, onLine) {
  const response = await request(method, address(path, parameters), body);
  if (!response.ok) await read(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    const lines = (rest + (value ?? "")).split("\n");
    rest = done ? "" : lines.pop();
    for (const line of lines) if (line.trim()) onLine(JSON.parse(line));
    if (done) return;
  }
}

async function request(method, url, body, signal) {
  const headers = { Accept: "application/json" };
  if (csrf) headers["X-CSRF-Token"] = csrf;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  try {
    return await fetch(url, {
      method, headers, signal, credentials: "same-origin",
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure(0, "unreachable", "The server does not answer. Check that it runs, then try again.");
  }
}

async function read(response) {
  const text = await response.text();
  const body = text ? parse(text) : null;
  if (response.ok) return body;
  if (response.status === 401) onSignedOut();
  throw failure(response, body);
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

// The common API says {"error": {"code", "message"}}, the packs {"error": code, "message"}.
function failure(response, body) {
  const told = typeof body?.error === "object" ? body.error : { code: body?.error, ...body };
  const message = told?.message ?? `The server answered ${response.status}.`;
  return new Failure(response.status, told?.code ?? "failed", message, told?.allowed, response.headers.get("Retry-After"));
}
