// The Rust core on this page: one instance reads pictures, others judge. What one of them trusts, another does not.

import { Scanner } from './scanner.js';

/** Ways to look at a frame, one a frame in turn. */
export const PASSES = 3;

const SOURCE = new URL('scanner.wasm', import.meta.url);

let loading = null;
let reader = null;

/** Loads the core; the page can do nothing without it. */
export function loadEngine() {
  loading = loading || load().catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

/** A fresh instance, to trust and judge with. */
export async function newScanner() {
  const module = await loadEngine();
  return new Scanner(module, await WebAssembly.instantiate(module, {}));
}

/** The text of a code in a canvas's pixels, or null. */
export function decode({ data, width, height }, pass) {
  return reader && reader.frameRgba(data, width, height, pass);
}

/** The same with everything there is to try; may take seconds on an old phone. */
export function decodeThoroughly({ data, width, height }) {
  return reader && reader.pictureRgba(data, width, height);
}

/** The ten digits of a number as somebody typed it, or null where its check digit does not hold. */
export function numberTyped(text) {
  return reader && reader.numberTyped(text);
}

async function load() {
  const response = await fetch(SOURCE, { credentials: 'same-origin' });
  if (!response.ok) throw new Error(`scanner.wasm: ${response.status}`);
  const bytes = await response.arrayBuffer();
  reader = await Scanner.load(bytes);
  return WebAssembly.compile(bytes);
}
