// The Rust core as WebAssembly: reads codes out of pictures and judges them. No bundler, no glue but this.

/** Ways to look at a frame, one a frame in turn. */
export const PASSES = 3;

const SOURCE = new URL('scanner.wasm', import.meta.url);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

let compiled = null;
let reader = null;

/** Loads the core; the page can do nothing without it. */
export function loadEngine() {
  compiled = compiled || compile().catch((error) => {
    compiled = null;
    throw error;
  });
  return compiled.then(async (module) => {
    reader = reader || new Scanner(await WebAssembly.instantiate(module, {}));
  });
}

/** A fresh instance, to trust and judge with: what one trusts, another does not. */
export async function newScanner() {
  await loadEngine();
  return new Scanner(await WebAssembly.instantiate(await compiled, {}));
}

/** The text of a code in a canvas's pixels, or null. */
export function decode(pixels, pass) {
  if (!reader) return null;
  try {
    return reader.frame(pixels, pass);
  } catch (_) {
    // Odd frames can trap the detector; the instance is then not to be used again.
    reader = null;
    loadEngine().catch(() => {});
    return null;
  }
}

async function compile() {
  const response = await fetch(SOURCE, { credentials: 'same-origin' });
  if (!response.ok) throw new Error(`scanner.wasm: ${response.status}`);
  // Streaming asks for the right content type, which a proxy may spoil; the file is small.
  return WebAssembly.compile(await response.arrayBuffer());
}

/** One instance. Arguments are copied into its memory; a call may move that memory, so views are never kept. */
export class Scanner {
  constructor(instance) {
    this.core = instance.exports;
    this.room = null;
  }

  /** Pins the root and takes up a ratchet; the refusal's words, or an empty string. */
  trustNew(root, ratchet) {
    const done = this.call((r, _, w, wn) => this.core.trust_new(r, w, wn), root, ratchet || new Uint8Array(0));
    return done ? '' : this.json().message;
  }

  /** What was accepted, or `{ error, message }`. */
  accept(bundle) {
    this.call((p, n) => this.core.trust_accept(p, n), bundle);
    return this.json();
  }

  /** What has to be stored before the bundle is relied on. */
  ratchet() {
    return this.core.trust_ratchet() ? this.out().slice() : null;
  }

  /** The verdict; `maxAge` in seconds or null; `uses` by offer. */
  judge(text, now, maxAge, uses) {
    const limit = maxAge === null ? -1 : maxAge;
    const given = encoder.encode(JSON.stringify(uses));
    this.call((t, tn, u, un) => this.core.judge(t, tn, now, limit, u, un), encoder.encode(text), given);
    const verdict = this.json();
    if (verdict.error) throw new Error(verdict.message);
    return verdict;
  }

  /** The number in a code, not yet judged; empty if it is no card's. */
  numberOf(text) {
    return this.call((p, n) => this.core.number_of(p, n), encoder.encode(text)) ? decoder.decode(this.out()) : '';
  }

  /** One pass over a canvas's pixels. */
  frame({ data, width, height }, pass) {
    // Frames come ten a second and alike in size: their room is kept.
    if (!this.room || this.room.size !== data.length) {
      if (this.room) this.core.dealloc(this.room.at, this.room.size);
      const at = this.core.alloc(data.length);
      this.room = at ? { at, size: data.length } : null;
      if (!at) return null;
    }
    new Uint8Array(this.core.memory.buffer).set(data, this.room.at);
    return this.core.frame_rgba(this.room.at, width, height, pass) ? decoder.decode(this.out()) : null;
  }

  /** Copies arguments in, calls with pointer and length of each, frees them. */
  call(work, ...parts) {
    const placed = parts.map((bytes) => {
      const at = this.core.alloc(bytes.length);
      if (!at) throw new Error('no memory');
      new Uint8Array(this.core.memory.buffer).set(bytes, at);
      return [at, bytes.length];
    });
    const result = work(...placed.flat());
    for (const [at, size] of placed) this.core.dealloc(at, size);
    return result;
  }

  out() {
    return new Uint8Array(this.core.memory.buffer, this.core.out_ptr(), this.core.out_len());
  }

  json() {
    return JSON.parse(decoder.decode(this.out()));
  }
}
