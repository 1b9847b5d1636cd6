// Keeps the scanner page for use without a network. The server fills in the two constants: VERSION changes with any file,
// FILES names each with its SHA-256, so that a version is kept whole or not at all.
const VERSION = 'none';
const FILES = [];

const CACHE = `zyz-page-${VERSION}`;
const HOME = new URL('./', self.location.href).href;
const ADDRESSES = new Set(FILES.map(([name]) => new URL(name, HOME).href));

self.addEventListener('install', (event) => {
  event.waitUntil(keep().then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(forgetOthers().then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET') return;
  const url = new URL(request.url);
  url.hash = '';
  url.search = '';
  if (url.href + '/' === HOME && request.mode === 'navigate') {
    // The address without the slash: the page names its files as seen from below it. The fragment stays with the browser.
    event.respondWith(Response.redirect(HOME, 302));
  } else if (ADDRESSES.has(url.href)) {
    event.respondWith(kept(url.href, request));
  }
});

self.addEventListener('message', (event) => {
  if (event.data === 'version' && event.source) event.source.postMessage({ version: VERSION });
});

async function keep() {
  const fetched = await Promise.all(FILES.map(async ([name, sum]) => {
    const url = new URL(name, HOME).href;
    const response = await fetch(url, { cache: 'no-cache', credentials: 'same-origin' });
    if (!response.ok) throw new Error(`${name}: ${response.status}`);
    const body = await response.clone().arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', body));
    const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
    if (hex !== sum) throw new Error(`${name}: another version`);
    return [url, response];
  }));
  const cache = await caches.open(CACHE);
  await Promise.all(fetched.map(([url, response]) => cache.put(url, response)));
}

async function kept(url, request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(url)) || fetch(request);
}

async function forgetOthers() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith('zyz-page-') && name !== CACHE).map((name) => caches.delete(name)));
}
