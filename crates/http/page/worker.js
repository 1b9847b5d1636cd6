// Keeps the page itself: the service worker holds it for use without a network, and a new version takes over when nobody
// is being served.

const LOOK_EVERY_MS = 3_600_000;
const TRY_EVERY_MS = 2000;

/** `isIdle()` says whether a reload disturbs nobody. */
export function keepPageFresh(isIdle) {
  if (!('serviceWorker' in navigator)) return;
  const { serviceWorker } = navigator;
  const script = new URL('sw.js', import.meta.url);
  // The address without the slash at its end belongs to the page too.
  const scope = new URL('../scan', import.meta.url).pathname;
  // The first worker takes over a page that is new already.
  let controlled = Boolean(serviceWorker.controller);
  serviceWorker.addEventListener('controllerchange', () => {
    if (controlled) reloadWhen(isIdle);
    controlled = true;
  });
  serviceWorker.register(script, { scope, updateViaCache: 'none' }).then((registration) => {
    const look = () => { if (!document.hidden) registration.update().catch(() => {}); };
    setInterval(look, LOOK_EVERY_MS);
    document.addEventListener('visibilitychange', look);
  }, () => {});
}

function reloadWhen(isIdle) {
  const timer = setInterval(() => {
    if (!isIdle()) return;
    clearInterval(timer);
    location.reload();
  }, TRY_EVERY_MS);
}
