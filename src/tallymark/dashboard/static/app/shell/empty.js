// A project without events: the shortest way to the first one. The page turns up by itself when it arrives.
import { html, useState } from "../core/html.js";
import { project } from "../core/project.js";

const EVENTS = {
  web: (name) => `curl ${location.origin}/web/v1/events -H "Authorization: Bearer $KEY" \\\n  -d '{"propertyId": "${name}", "eventType": "page_view", "url": "https://example.org/"}'`,
  sdk: () => `curl ${location.origin}/sdk/api/v1/events -H "Authorization: Bearer $KEY" \\\n  -d '{"event": "app_started", "appId": "app-1", "network": "mainnet"}'`,
  ab: () => `curl ${location.origin}/ab/v1/events -H "Authorization: Bearer $KEY" \\\n  -d '{"eventName": "page_view", "unitId": "u-1"}'`,
  voice: () => `curl ${location.origin}/voice/ingest -H "Authorization: Bearer $KEY" \\\n  -d '{"type": "query", "queryId": "q-1", "transcript": "Is there milk?", "intent": "stock"}'`,
  quiz: () => `curl ${location.origin}/quiz/events -H "Authorization: Bearer $KEY" \\\n  -d '{"event": "quiz_started", "quizId": "algebra", "userId": "u-1", "attemptId": "a-1"}'`,
  core: () => `curl ${location.origin}/v1/events -H "Authorization: Bearer $KEY" \\\n  -d '{"event": "signup", "userId": "u-1"}'`,
};

/** What to send to a project with that pack. */
export function Empty({ pack }) {
  const command = (EVENTS[pack] ?? EVENTS.core)(project.value.name);
  return html`<section class="empty span-12">
    <h2>No events yet</h2>
    <p>Send the first one with the project's ingest key, and this page fills by itself within seconds.</p>
    <${Command} text=${command} />
  </section>`;
}

/** A command that can be copied. */
export function Command({ text }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2_000);
  };
  return html`<div class="command">
    <pre tabindex="0"><code>${text}</code></pre>
    <button type="button" onClick=${copy}>${copied ? "Copied" : "Copy"}</button>
  </div>`;
}
