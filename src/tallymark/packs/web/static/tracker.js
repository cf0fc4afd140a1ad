// Tallymark's tracker: stores nothing without data-cookie, never reads what is typed.
(() => {
  'use strict';

  const script = document.currentScript;
  const stub = window.tallymark || {};
  if (!script || stub.loaded) return;

  const IDLE_MS = 30e3;
  const SESSION_MS = 1800e3;
  const BATCH = 20;
  const FILE = /\.(7z|apk|csv|dmg|docx?|exe|gz|mp[34]|msi|pdf|pptx?|xlsx?|zip)$/i;

  const options = script.dataset;
  const isOn = (name) => name in options && options[name] !== 'false';
  const auto = options.auto !== 'false';
  const optedOut = options.dnt !== 'ignore' && (navigator.doNotTrack === '1' || navigator.globalPrivacyControl);
  const endpoint =
    (options.endpoint || new URL('/web/v1/events', script.src)) + (options.key ? '?key=' + options.key : '');

  const safely = (fn) => (...args) => {
    try {
      return fn(...args);
    } catch {}
  };
  const on = (target, types, fn) =>
    types.split(' ').forEach((type) => target.addEventListener(type, safely(fn), true));
  const newId = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join('');

  let consent;
  const permitted = () => (consent === undefined ? options.consent !== 'required' && !optedOut : consent);

  function setConsent(granted) {
    settle();
    consent = granted;
    if (!granted) {
      page.viewed &= !queue.some(({ event }) => event === 'page_view');
      queue = [];
      delete localStorage.tallymark;
    } else if (auto && !page.viewed) look();
  }

  let queue = [];
  let timer, sending;
  let failures = 0;

  function flush() {
    clearTimeout(timer);
    timer = 0;
    if (!sending && queue.length) send(queue.splice(0, BATCH));
  }

  const payload = (batch) => JSON.stringify(batch.map((event) => ({ ...event, sentAt: new Date() })));

  async function send(batch) {
    const body = payload(batch);
    let wait;
    sending = true;
    failures++;
    try {
      const keepalive = body.length < 2e4; // 64 KiB is the browsers' limit
      const { status, headers } = await fetch(endpoint, { method: 'POST', body, credentials: 'omit', keepalive });
      if (status === 429 || status >= 500) wait = headers.get('Retry-After') * 1e3;
      else failures = 0;
    } catch {}
    sending = false;
    if (failures && permitted()) queue = batch.concat(queue).slice(-200);
    const backoff = Math.min(300e3, 1e3 * 2 ** failures) * (0.5 + Math.random() / 2);
    if (queue.length) timer = setTimeout(flush, Math.max(backoff, wait || 0));
  }

  function sendAll() {
    while (queue.length) {
      const batch = queue.splice(0, BATCH);
      if (!navigator.sendBeacon(endpoint, payload(batch))) send(batch);
    }
  }

  function identify(isView) {
    const now = Date.now();
    let [visitorId, sessionId, seen, entered] = (localStorage.tallymark || '').split(' ');
    if (!(now - Math.max(seen, awake) < SESSION_MS)) sessionId = entered = '';
    const ids = { visitorId: visitorId || newId(), sessionId: sessionId || newId() };
    if (isView) ids.isEntrance = !entered;
    awake = now;
    localStorage.tallymark = [ids.visitorId, ids.sessionId, now, entered || isView || ''].join(' ');
    return ids;
  }

  function record(event, fields) {
    if (!event || !permitted() || page.excluded) return;
    const told = {
      event,
      eventId: newId(),
      timestamp: new Date(),
      url: page.url,
      referrer: page.referrer || undefined,
      propertyId: options.property,
      consent: consent && 'granted',
      ...fields,
      ...(isOn('cookie') && safely(identify)(event === 'page_view')),
    };
    // Copied now: what is no JSON must not stop the queue later.
    queue = queue.concat(JSON.parse(JSON.stringify(told))).slice(-200);
    if (queue.length >= BATCH && !failures) flush();
    else if (!timer && !sending) timer = setTimeout(flush, 1e3);
    return true;
  }

  function track(event, props) {
    const { isConversion, value, ...properties } = props || {};
    const fields = { properties };
    if (/true/.test(isConversion)) fields.isConversion = true;
    if (isFinite(parseFloat(value))) fields.value = parseFloat(value);
    if (event === 'page_view') {
      if (page.viewed) turn();
      look(fields);
    } else record(event, fields);
  }

  let page;
  const path = () => location.pathname + (isOn('hash') ? location.hash : '');

  function open(referrer, isEntrance) {
    page = {
      path: path(),
      url: isOn('hash') ? location.href : location.href.split('#')[0],
      referrer,
      isEntrance,
      excluded: (options.exclude || '').split(/[\s,]+/).some((prefix) => prefix && path().startsWith(prefix)),
      forms: new Set(),
      engaged: 0,
      depth: 0,
      toldDepth: 0,
    };
  }

  function look(fields) {
    page.viewed = record('page_view', { isEntrance: page.isEntrance, ...fields });
  }

  // A page that was not told of passes on its referrer.
  function turn() {
    engage();
    if (page.viewed) open(page.url, false);
    else open(page.referrer, page.isEntrance);
  }

  function moved() {
    if (path() === page.path) return;
    turn();
    if (auto) look();
  }

  let settled = 0;
  let idleAt = 0;
  let awake = 0; // the session's last sign of life

  function settle() {
    const now = performance.now();
    if (permitted()) page.engaged += Math.max(0, Math.min(now, idleAt) - settled);
    settled = now;
  }

  function stir() {
    settle();
    idleAt = document.hidden ? 0 : settled + IDLE_MS;
    if (Date.now() - awake < SESSION_MS) awake = Date.now();
  }

  function deepen() {
    const depth = (scrollY + innerHeight) / document.documentElement.scrollHeight;
    page.depth = Math.min(100, Math.max(page.depth, Math.round(depth * 100)));
  }

  // Increases only, so that sums are totals.
  function engage(fields) {
    settle();
    if (!page.viewed) return;
    if (page.engaged) deepen();
    const told = {
      ...fields,
      engagedTimeMs: Math.round(page.engaged) || undefined,
      scrollDepthPercent: page.depth - page.toldDepth || undefined,
    };
    if (JSON.stringify(told) === '{}') return;
    if (page.told) told.properties = { more: true };
    page.told = record('engagement', told);
    page.engaged = 0;
    page.toldDepth = page.depth;
    return page.told;
  }

  const seenLoading = document.prerendering || !document.hidden;
  const load = performance.getEntriesByType('navigation')[0] || {};
  const interactions = {};
  let lcp, cls;
  let shifts = {};

  function observe(type, use) {
    if (!PerformanceObserver.supportedEntryTypes.includes(type)) return;
    const observer = new PerformanceObserver((list) => list.getEntries().forEach(use));
    observer.observe({ type, buffered: true, durationThreshold: 16 });
    if (type === 'layout-shift') cls = 0;
  }

  function shifted({ startTime, value, hadRecentInput }) {
    if (hadRecentInput) return;
    if (!(startTime - shifts.last < 1e3 && startTime - shifts.first < 5e3)) shifts = { sum: 0, first: startTime };
    shifts.last = startTime;
    shifts.sum += value;
    cls = Math.max(cls, shifts.sum);
  }

  function interacted({ interactionId, duration }) {
    if (interactionId) interactions[interactionId] = Math.max(duration, interactions[interactionId] || 0);
  }

  let vitals = () => {
    const since = (time) => (time ? Math.max(0, Math.round(time - (load.activationStart || 0))) : undefined);
    const [fcp = {}] = performance.getEntriesByName('first-contentful-paint');
    const slowest = Object.values(interactions).sort((a, b) => b - a);
    const rank = Math.floor((performance.interactionCount || slowest.length) / 50);
    return {
      ttfbMs: since(load.responseStart),
      fcpMs: since(seenLoading && fcp.startTime),
      lcpMs: since(seenLoading && lcp),
      inpMs: slowest[Math.min(rank, slowest.length - 1)],
      clsScore: cls && +cls.toFixed(4),
    };
  };

  function hide(fields) {
    if (engage({ ...vitals(), ...fields })) vitals = () => {};
    idleAt = 0;
    sendAll();
  }

  let insideAt = -1e9; // last click that stays on this host
  const isInside = (host) => host === location.host;

  function clicked({ target, button }) {
    if (button > 1) return;
    const { host, pathname } = target.closest('a,area') || {};
    insideAt = isInside(host) ? performance.now() : -1e9;
    if (FILE.test(pathname)) track('file_download', { file: pathname });
    else if (host && !isInside(host)) track('outbound_click', { outboundHost: host, outboundPath: pathname });
    const marked = target.closest('[data-tallymark]');
    if (!marked) return;
    const { tallymark, ...data } = marked.dataset;
    const props = {};
    for (const name in data) {
      if (/^tallymark/.test(name)) props[name[9].toLowerCase() + name.slice(10)] = data[name];
    }
    track(tallymark, props);
  }

  function formEvent(event, form) {
    // Not form.id: that may be a field.
    const name = form.getAttribute('id') || form.getAttribute('name') || '' + [...document.forms].indexOf(form);
    track(event, { form: name });
  }

  function formTouched({ target: { form } }) {
    if (!form || page.forms.has(form)) return;
    page.forms.add(form);
    formEvent('form_start', form);
  }

  // A form for the server itself says where it was sent and by whom: browsers tell other hosts neither.
  function complete(form) {
    const ids = (isOn('cookie') && safely(identify)()) || {};
    const told = { url: page.url, referrer: page.referrer, ...ids };
    for (const name in told) {
      if (!told[name] || form.elements[name]) continue;
      const field = document.createElement('input');
      Object.assign(field, { type: 'hidden', name, value: told[name] });
      form.append(field);
    }
  }

  function formSubmitted({ target }) {
    formEvent('form_submit', target);
    const { host, origin } = new URL(target.getAttribute('action') || '', location);
    if (isInside(host)) insideAt = performance.now();
    if (origin === new URL(endpoint, location).origin && permitted()) complete(target);
  }

  let started;
  const calls = stub.q || [];
  const command = safely((name, arg) => (name === 'consent' ? setConsent(arg === true) : track(name, arg)));

  window.tallymark = (...call) => (started ? command(...call) : calls.push(call));
  window.tallymark.loaded = true;

  const start = safely(() => {
    if (started || document.prerendering || document.visibilityState === 'prerender') return;
    started = true;
    const from = document.referrer && new URL(document.referrer).host;
    open(document.referrer, !isInside(from) && !/reload|back/.test(load.type));
    settled = performance.now();
    stir();
    for (const name of ['pushState', 'replaceState']) {
      const original = history[name];
      history[name] = function (...args) {
        original.apply(this, args);
        safely(moved)();
      };
    }
    on(window, 'popstate hashchange', moved);
    on(window, 'focus keydown pointerdown pointermove scroll', stir);
    on(window, 'scroll', deepen);
    on(window, 'click auxclick', clicked);
    on(window, 'focusin input', formTouched);
    on(window, 'submit', formSubmitted);
    on(document, 'visibilitychange', () => {
      stir();
      if (document.hidden) hide();
    });
    on(window, 'pagehide', () => hide(performance.now() - insideAt > 1e3 && { isExit: true }));
    on(window, 'pageshow', ({ persisted }) => {
      if (!persisted) return;
      open(page.referrer, false);
      stir();
      if (auto) look();
    });
    if (auto) look();
    calls.forEach((call) => command(...call));
    observe('largest-contentful-paint', ({ startTime }) => (lcp = startTime));
    observe('layout-shift', shifted);
    observe('event', interacted);
    observe('first-input', interacted);
  });

  on(document, 'prerenderingchange visibilitychange', start);
  start();
})();
