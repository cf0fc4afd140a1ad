// Who reads: signing in by a key, a one-time link or a shared one, and out.
import { signal } from "./html.js";
import { carry, get, send, whenSignedOut } from "./api.js";

/** Who is signed in: null while that is not known, false for nobody. */
export const session = signal(null);

/** Why the last way in did not open. */
export const refused = signal(null);

whenSignedOut(() => (session.value = false));

/** Takes up the session there is, or begins one with what the address carries behind its `#`. */
export async function open() {
  const secret = new URLSearchParams(location.hash.slice(1));
  if (secret.has("code") || secret.has("share")) {
    history.replaceState(null, "", location.pathname + location.search);
    if (secret.has("code")) return signIn({ code: secret.get("code") });
    return signIn({ share: secret.get("share") });
  }
  try {
    enter(await get("/v1/session"));
  } catch {
    session.value = false;
  }
}

/** The shared link that asks for its password; null for none. */
export const locked = signal(null);

/** Signs in by `{key}`, `{code}` or `{share, password}`; what is wrong stands in `refused`. */
export async function signIn(by) {
  refused.value = null;
  try {
    enter(await send("POST", "/v1/session", by));
    locked.value = null;
  } catch (error) {
    locked.value = by.share && error.status === 403 ? by.share : null;
    if (!locked.value || by.password) refused.value = error;
    session.value = false;
  }
}

/** Signs out. */
export async function signOut() {
  await send("DELETE", "/v1/session");
  carry(null);
  session.value = false;
}

function enter(answer) {
  carry(answer.csrf);
  if (answer.session.share?.view && !location.search) {
    history.replaceState(null, "", `?${answer.session.share.view.replace(/^\?/, "")}`);
    dispatchEvent(new PopStateEvent("popstate"));
  }
  session.value = answer.session;
}

/** Whether the reader may change things. */
export const mayChange = () => session.value?.scope === "admin";
