// scanner.js and the committed scanner.wasm, as a browser uses them. Node 18 or later, no packages:
//
//     node --test crates/scanner/wasm/test.mjs

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const page = new URL('../../http/page/', import.meta.url);
const { Scanner, TrustError } = await import(new URL('scanner.js', page));
const wasm = readFileSync(new URL('scanner.wasm', page));
const vectors = JSON.parse(readFileSync(new URL('tests/vectors.json', import.meta.url), 'utf8'));
const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
const hex = (array) => Array.from(array, (byte) => byte.toString(16).padStart(2, '0')).join('');
const { now, card } = vectors;

async function enrolled() {
  const scanner = await Scanner.load(wasm);
  scanner.trustNew(bytes(vectors.root));
  scanner.trustAccept(bytes(vectors.bundle));
  return scanner;
}

/** The card's code in a frame, `size` pixels a module. */
function picture(size = 6, width = 640, height = 480) {
  const luma = new Uint8Array(width * height).fill(230);
  const rows = vectors.modules;
  const [left, top] = [width, height].map((side) => (side - rows.length * size) >> 1);
  rows.forEach((row, y) => {
    for (let py = 0; py < size; py += 1) {
      [...row].forEach((module, x) => {
        const at = (top + y * size + py) * width + left + x * size;
        luma.fill(module === '1' ? 30 : 230, at, at + size);
      });
    }
  });
  return luma;
}

function inColour(luma) {
  const rgba = new Uint8ClampedArray(luma.length * 4).fill(255);
  luma.forEach((grey, i) => rgba.fill(grey, 4 * i, 4 * i + 3));
  return rgba;
}

const refusal = (code) => (error) => error instanceof TrustError && error.code === code && error.message.includes('请');

test('the module asks for nothing and has what the wrapper uses', async () => {
  const module = await WebAssembly.compile(wasm);
  assert.deepEqual(WebAssembly.Module.imports(module), []);
  const names = WebAssembly.Module.exports(module).map(({ name }) => name);
  for (const name of ['memory', 'alloc', 'dealloc', 'out_ptr', 'out_len', 'trust_new', 'trust_accept', 'trust_ratchet',
    'judge', 'number_of', 'number_typed', 'frame', 'frame_rgba', 'picture_rgba']) {
    assert.ok(names.includes(name), name);
  }
});

test('a verdict, the same as everywhere', async () => {
  const scanner = await enrolled();
  assert.deepEqual(scanner.judge(card, { now }), vectors.verdict);
  assert.equal(scanner.judge(vectors.revoked_card, { now }).reason, 'revoked');
  assert.equal(scanner.numberOf(card), vectors.number);
  assert.equal(scanner.numberOf('https://example.com/'), null);
  assert.equal(scanner.numberTyped('02 0001234 9'), vectors.number);
  assert.equal(scanner.numberTyped('0200012348'), null);
});

test('uses count towards the limits', async () => {
  const scanner = await enrolled();
  assert.equal(scanner.judge(card, { now, uses: { 'tea-9': [now - 60.5] } }).offers[0].reason, 'used_today');
  assert.equal(scanner.judge(card, { now, uses: { 'tea-9': [] } }).offers[0].eligible, true);
  assert.equal(scanner.judge(card, { now, uses: { 'tea-9': [now - 86400] } }).offers[0].eligible, true);
  assert.equal(scanner.judge(card, { now, maxAge: 60 }).reason, 'status_stale');
});

test('refusals of trust are named and change nothing', async () => {
  const scanner = await Scanner.load(wasm);
  assert.equal(scanner.ratchet(), null);
  assert.throws(() => scanner.judge(card, { now }), refusal('no_root'));
  assert.throws(() => scanner.trustNew(new Uint8Array(32)), refusal('root_refused'));
  assert.throws(() => scanner.trustNew(new Uint8Array(5)), refusal('root_refused'));
  scanner.trustNew(bytes(vectors.root));
  assert.equal(scanner.judge(card, { now }).reason, 'unknown_key');
  const taken = scanner.trustAccept(bytes(vectors.bundle));
  assert.deepEqual([taken.bundle_version, taken.new, taken.offers.length], [42, true, 1]);
  assert.equal(hex(scanner.ratchet()), vectors.ratchet);
  assert.throws(() => scanner.trustAccept(bytes(vectors.older)), refusal('older'));
  assert.throws(() => scanner.trustAccept(bytes(vectors.forked)), refusal('forked'));
  assert.throws(() => scanner.trustAccept(new Uint8Array()), refusal('damaged'));
  assert.equal(scanner.judge(card, { now }).verdict, 'accept');
  assert.equal(scanner.trustAccept(bytes(vectors.bundle)).new, false);
  const later = await Scanner.load(wasm);
  later.trustNew(bytes(vectors.root), bytes(vectors.ratchet));
  assert.throws(() => later.trustAccept(bytes(vectors.older)), refusal('older'));
  assert.throws(() => later.trustNew(bytes(vectors.root), new Uint8Array(9)), refusal('ratchet_damaged'));
});

test('frames, grey and in colour, in each pass', async () => {
  const scanner = await enrolled();
  const luma = picture();
  for (const pass of [0, 1, 2, 3]) {
    assert.equal(scanner.frame(luma, 640, 480, pass), card, `pass ${pass}`);
    assert.equal(scanner.frameRgba(inColour(luma), 640, 480, pass), card, `pass ${pass}`);
  }
  assert.equal(scanner.frame(new Uint8Array(640 * 480), 640, 480, 0), null);
  assert.equal(scanner.frame(new Uint8Array(4), 2, 2, 0), null);
  assert.throws(() => scanner.frame(new Uint8Array(5), 640, 480, 0), RangeError);
});

test('memory grows, and what was trusted stays', async () => {
  const scanner = await enrolled();
  const [width, height] = [2400, 1800];
  assert.equal(scanner.pictureRgba(inColour(picture(20, width, height)), width, height), card);
  for (let round = 0; round < 20; round += 1) {
    assert.equal(scanner.frame(picture(), 640, 480, round), card);
    assert.equal(scanner.judge(card, { now }).verdict, 'accept');
  }
  assert.equal(scanner.trustAccept(bytes(vectors.newer)).bundle_version, 43);
});

test('after a trap another instance knows the same', async () => {
  const instantiate = WebAssembly.instantiate;
  let armed = false;
  // The next instance's frame traps, as a detector that indexes beyond its picture would.
  WebAssembly.instantiate = async (...given) => {
    const { exports } = await instantiate(...given);
    const trap = () => { throw new WebAssembly.RuntimeError('unreachable'); };
    const frame = (...args) => (armed ? trap() : exports.frame(...args));
    return { exports: { ...exports, frame } };
  };
  try {
    const scanner = await enrolled();
    armed = true;
    assert.equal(scanner.frame(picture(), 640, 480, 0), null, 'that frame holds no code');
    armed = false;
    assert.deepEqual(scanner.judge(card, { now }), vectors.verdict);
    assert.equal(hex(scanner.ratchet()), vectors.ratchet);
    assert.equal(scanner.frame(picture(), 640, 480, 0), card);
    armed = true;
    assert.equal(scanner.frame(picture(), 640, 480, 0), null, 'before the next spare is ready, or after');
    armed = false;
    assert.equal(scanner.judge(card, { now }).verdict, 'accept');
  } finally {
    WebAssembly.instantiate = instantiate;
  }
});

test('nonsense never traps the judge', async () => {
  const scanner = await enrolled();
  const random = sequence(7);
  const pieces = ['#', '０', '9', 'https://', '\u0000', '𬱖', '\ud800', '\r\n', card, card.slice(30), '１２３'];
  for (let round = 0; round < 3000; round += 1) {
    let text = '';
    for (let i = random(12); i >= 0; i -= 1) text += pieces[random(pieces.length)];
    if (random(4) === 0) text = mutated(card, random);
    const { verdict, reason } = scanner.judge(text, { now: random(2) ? now : Number.NaN });
    assert.ok(['accept', 'caution', 'reject'].includes(verdict), `${reason}: ${JSON.stringify(text)}`);
    scanner.numberOf(text);
    scanner.numberTyped(text);
  }
  assert.equal(scanner.judge('9'.repeat(5_000_000), { now }).reason, 'malformed');
});

test('nonsense bundles and frames', async () => {
  const scanner = await enrolled();
  const random = sequence(8);
  for (let round = 0; round < 300; round += 1) {
    const bundle = bytes(vectors.newer);
    bundle[random(bundle.length)] ^= 1 + random(255);
    assert.throws(() => scanner.trustAccept(bundle), TrustError);
    const [width, height] = [1 + random(120), 1 + random(120)];
    const luma = Uint8Array.from({ length: width * height }, () => (random(2) ? random(256) : 0));
    scanner.frame(luma, width, height, round);
  }
  assert.equal(scanner.judge(card, { now }).verdict, 'accept');
});

function mutated(text, random) {
  const at = random(text.length);
  return text.slice(0, at) + String(random(10)) + text.slice(at + random(2));
}

/** Numbers below a limit, the same each time. */
function sequence(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
