// The core of the page: what scanner.wasm exports, as plain calls. Everything runs on this device; nothing here asks a
// network, a clock or a store.
//
//   const scanner = await Scanner.load(fetch('/scanner.wasm'));
//   scanner.trustNew(root, ratchet);             // Uint8Array(32); Uint8Array stored before, or nothing
//   const taken = scanner.trustAccept(bundle);   // {bundle_version, trust_list_version, issued_at, expires_at, new, offers}
//   store(scanner.ratchet(), bundle);            // when taken.new, before relying on it
//   const text = scanner.frameRgba(pixels, width, height, pass);   // pass 0, 1, 2, 0, … one a frame; null for no code
//   const verdict = scanner.judge(text, { now, maxAge, uses });    // seconds since 1970; seconds; {"offer id": [seconds]}
//
// issued_at and expires_at of trustAccept are seconds since 1970; the verdict's times are RFC 3339.
//
// The detector may trip over a frame that nobody thought of. The module then traps and its instance is not to be used any
// more, so another takes its place, which is given the same root, ratchet and bundle; that frame simply holds no code.

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Above this, an instance is exchanged after a photo: its memory never shrinks. */
const ROOMY = 48 << 20;

/** Why trust was refused: `code` for programs, `message` for people. */
export class TrustError extends Error {
  constructor({ error, message }) {
    super(message);
    this.name = 'TrustError';
    this.code = error;
  }
}

export class Scanner {
  #module;
  #wasm;
  #spare = null;
  #root = null;
  #ratchet = null;
  #bundle = null;
  /** Room in the module's memory for the frames of a camera, kept from one to the next. */
  #room = { ptr: 0, len: 0 };

  /** `source`: the module's bytes, a Response, or a promise of either. */
  static async load(source) {
    const given = await source;
    if (given instanceof Response && !given.ok) throw new Error(`scanner.wasm: HTTP ${given.status}`);
    const bytes = given instanceof Response ? await given.arrayBuffer() : given;
    const module = await WebAssembly.compile(bytes);
    const scanner = new Scanner(module, await WebAssembly.instantiate(module, {}));
    await scanner.#makeSpare();
    return scanner;
  }

  constructor(module, instance) {
    this.#module = module;
    this.#wasm = instance.exports;
  }

  /** Pins the root and takes up a stored ratchet. Throws TrustError; then nothing is trusted. */
  trustNew(root, ratchet = new Uint8Array()) {
    if (root.length !== 32) throw new TrustError({ error: 'root_refused', message: '根公钥不合格，不能使用。请向联合会重新索取' });
    this.#root = this.#ratchet = this.#bundle = null;
    const done = this.#with([root, ratchet], ([r], [s, n]) => this.#wasm.trust_new(r, s, n));
    if (!done) throw new TrustError(this.#json());
    this.#root = root.slice();
    this.#ratchet = ratchet.slice();
  }

  /** Takes a bundle to judge by. Throws TrustError; then nothing has changed. */
  trustAccept(bundle) {
    const done = this.#with([bundle], ([ptr, len]) => this.#wasm.trust_accept(ptr, len));
    const answer = this.#json();
    if (!done) throw new TrustError(answer);
    this.#bundle = bundle.slice();
    this.#ratchet = this.ratchet();
    return answer;
  }

  /** What must be stored with the bundle, or null before trustNew. */
  ratchet() {
    return this.#wasm.trust_ratchet() ? this.#out().slice() : null;
  }

  /** The verdict on a code's text. `now` and `maxAge` are seconds; `uses` counts towards the offers' limits. */
  judge(text, { now, maxAge = -1, uses = {} }) {
    // Whole seconds; an offer without uses needs no line.
    const used = Object.entries(uses).filter(([, times]) => times.length > 0);
    const lines = used.map(([id, times]) => `${id} ${times.map((time) => Math.floor(time)).join(' ')}`);
    const parts = [encoder.encode(text), encoder.encode(lines.join('\n'))];
    const done = this.#with(parts, ([t, n], [u, m]) => this.#wasm.judge(t, n, now, maxAge ?? -1, u, m));
    if (!done) throw new TrustError(this.#json());
    return this.#json();
  }

  /** The number in a text that has the form of a card's code, or null. Nothing is verified: to look up uses by. */
  numberOf(text) {
    return this.#ask([encoder.encode(text)], ([ptr, len]) => this.#wasm.number_of(ptr, len));
  }

  /** The ten digits of a number as somebody typed it, or null where its check digit does not hold. */
  numberTyped(text) {
    return this.#ask([encoder.encode(text)], ([ptr, len]) => this.#wasm.number_typed(ptr, len));
  }

  /** One pass over a frame of one byte a pixel: the text of a code in it, a card's if there is one, or null. */
  frame(luma, width, height, pass) {
    return this.#look(luma, width * height, (ptr) => this.#wasm.frame(ptr, width, height, pass));
  }

  /** The same for a canvas's pixels, four bytes each. */
  frameRgba(rgba, width, height, pass) {
    return this.#look(rgba, width * height * 4, (ptr) => this.#wasm.frame_rgba(ptr, width, height, pass));
  }

  /** Everything there is to try on a photo; may take a second. Reduce it to some 2,000 pixels first. */
  pictureRgba(rgba, width, height) {
    const text = this.#look(rgba, width * height * 4, (ptr) => this.#wasm.picture_rgba(ptr, width, height));
    if (this.#wasm.memory.buffer.byteLength > ROOMY) this.#replace();
    return text;
  }

  #look(pixels, length, call) {
    if (pixels.length !== length) throw new RangeError(`${pixels.length} bytes for a picture of ${length}`);
    try {
      if (this.#room.len !== length) {
        this.#wasm.dealloc(this.#room.ptr, this.#room.len);
        this.#room = { ptr: 0, len: 0 };
        this.#room = { ptr: this.#alloc(length), len: length };
      }
      new Uint8Array(this.#wasm.memory.buffer, this.#room.ptr, length).set(pixels);
      return call(this.#room.ptr) ? decoder.decode(this.#out()) : null;
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      this.#replace();
      return null;
    }
  }

  #ask(parts, call) {
    return this.#with(parts, call) ? decoder.decode(this.#out()) : null;
  }

  /** Copies the parts into the module's memory, calls with their places, and gives the memory back. */
  #with(parts, call) {
    const wasm = this.#wasm;
    const places = [];
    try {
      for (const part of parts) {
        const ptr = this.#alloc(part.length);
        places.push([ptr, part.length]);
        new Uint8Array(wasm.memory.buffer, ptr, part.length).set(part);
      }
      const answer = call(...places);
      for (const [ptr, len] of places) wasm.dealloc(ptr, len);
      return answer;
    } catch (error) {
      // Not known to happen outside frames; whatever it was, the next call finds an instance in order.
      this.#replace();
      throw error;
    }
  }

  #alloc(len) {
    const ptr = this.#wasm.alloc(len);
    if (ptr === 0) throw new RangeError(`no room for ${len} bytes`);
    return ptr;
  }

  /** The last answer: a view that holds until the next call, since memory may move when it grows. */
  #out() {
    return new Uint8Array(this.#wasm.memory.buffer, this.#wasm.out_ptr(), this.#wasm.out_len());
  }

  #json() {
    return JSON.parse(decoder.decode(this.#out()));
  }

  /** Another instance in this one's place, with the same trust. */
  #replace() {
    // A browser may refuse to instantiate on the page's own thread, so one is kept ready.
    const instance = this.#spare ?? new WebAssembly.Instance(this.#module, {});
    this.#spare = null;
    this.#wasm = instance.exports;
    this.#room = { ptr: 0, len: 0 };
    this.#makeSpare();
    if (this.#root === null) return;
    const [root, ratchet, bundle] = [this.#root, this.#ratchet, this.#bundle];
    this.trustNew(root, ratchet);
    if (bundle !== null) this.trustAccept(bundle);
  }

  async #makeSpare() {
    this.#spare = await WebAssembly.instantiate(this.#module, {});
  }
}
