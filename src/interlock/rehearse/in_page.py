"""What is asked of a page within Chromium, in the only language that a page speaks."""

from __future__ import annotations

#: What a person reads, in open shadow roots and fields too; whether scripts or frames may change it; how it came.
READING = """() => {
  const more = [];
  const walk = root => {
    for (const one of root.querySelectorAll('*')) {
      if (more.length > 2000) return;
      if (one.shadowRoot) {
        for (const child of one.shadowRoot.children) if (child.innerText) more.push(child.innerText);
        walk(one.shadowRoot);
      }
      if ('value' in one && typeof one.value === 'string' && one.value && one.type !== 'hidden') more.push(one.value);
    }
  };
  walk(document);
  const timing = performance.getEntriesByType('navigation')[0];
  const moving = 'script, iframe, frame, object, embed, [onload], [onerror], meta[http-equiv="refresh" i]';
  const moves = document.querySelector(moving) !== null;
  const type = document.contentType;
  return {
    text: (document.body ? document.body.innerText : document.documentElement.textContent || '').slice(0, 500000),
    more: more.join('\\n').slice(0, 500000),
    moves,
    ready: document.readyState === 'complete',
    type,
    html: moves || !/html|xml/.test(type) ? '' : document.documentElement.outerHTML,
    status: timing && timing.responseStatus || 0,
  };
}"""
#: What the page's site keeps in the browser, by place; bounded in number and size.
KEPT = """async () => {
  const kept = {};
  const note = (where, value) => { kept[where] = String(value).slice(0, 1000000); };
  try { for (let at = 0; at < localStorage.length && at < 500; at++) {
    const key = localStorage.key(at); note('localStorage ' + key, key + ' ' + localStorage.getItem(key)); } } catch {}
  try { for (let at = 0; at < sessionStorage.length && at < 500; at++) {
    const key = sessionStorage.key(at);
    note('sessionStorage ' + key, key + ' ' + sessionStorage.getItem(key)); } } catch {}
  const done = request => new Promise((good, bad) => {
    request.onsuccess = () => good(request.result); request.onerror = () => bad(request.error);
    request.onblocked = () => bad(new Error('blocked')); });
  try { for (const {name, version} of (await indexedDB.databases()).slice(0, 20)) {
    const base = await done(indexedDB.open(name, version));
    for (const store of [...base.objectStoreNames].slice(0, 50)) {
      const all = base.transaction(store).objectStore(store);
      note('IndexedDB ' + name + ' ' + store,
        JSON.stringify([await done(all.getAllKeys(null, 500)), await done(all.getAll(null, 500))])); }
    base.close(); } } catch {}
  try { for (const name of (await caches.keys()).slice(0, 20)) {
    const cache = await caches.open(name);
    for (const request of (await cache.keys()).slice(0, 100))
      note('Cache ' + request.url, request.url + ' ' + await (await cache.match(request)).text()); } } catch {}
  return kept;
}"""
