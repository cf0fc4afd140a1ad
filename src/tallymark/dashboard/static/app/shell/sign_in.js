// Signing in by a key, or by the password of a shared link.
import { html, useState } from "../core/html.js";
import { locked, refused, signIn } from "../core/session.js";

/** The form. */
export function SignIn() {
  return html`<main class="sign-in">
    <h1><img src="/assets/icon.svg" alt="" width="32" height="32" /> Tallymark</h1>
    ${locked.value ? html`<${Password} />` : html`<${Key} />`}
    ${refused.value && html`<p class="error-text" role="alert">${refused.value.message}</p>`}
  </main>`;
}

function Key() {
  const [key, setKey] = useState("");
  const [busy, setBusy] = useState(false);
  const enter = async (event) => {
    event.preventDefault();
    setBusy(true);
    await signIn({ key: key.trim() });
    setBusy(false);
  };
  return html`<form class="form" onSubmit=${enter}>
    <label>Key <input type="password" name="key" required autofocus autocomplete="current-password" value=${key} onInput=${(event) => setKey(event.target.value)} /></label>
    <p class="muted">A <code>read</code> key shows numbers, an <code>admin</code> key also changes things. <code>tallymark link</code> prints a link that opens without a key, once.</p>
    <div class="actions"><button type="submit" class="main" disabled=${busy}>Sign in</button></div>
  </form>`;
}

function Password() {
  const [password, setPassword] = useState("");
  const enter = (event) => {
    event.preventDefault();
    signIn({ share: locked.value, password });
  };
  return html`<form class="form" onSubmit=${enter}>
    <p>This page was shared with a password.</p>
    <label>Password <input type="password" required autofocus value=${password} onInput=${(event) => setPassword(event.target.value)} /></label>
    <div class="actions"><button type="submit" class="main">Open</button></div>
  </form>`;
}
