// Our scanner.wasm and npm's zxing-wasm on the same frames, in the same process, one after the other on each frame.
//
//     node compare.mjs FRAMES PEER PAGE
//
// FRAMES holds frames.luma and frames.json (crates/scanner/examples/frames.rs), PEER has zxing-wasm installed, PAGE is
// crates/http/page.
//
// Both get the pixels as a canvas gives them, RGBA, and both may do their best: zxing-wasm with its defaults, of which
// tryHarder, tryRotate, tryInvert, tryDownscale and tryDenoise say how hard it looks, told only that it is a QR code and
// that one is enough; ours with its three passes, as a camera would over three frames. A frame counts as read when the
// text is the right one.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [WIDTH, HEIGHT, PASSES] = [640, 480, 3];
const [frames, peer, page] = process.argv.slice(2);

const { Scanner } = await import(pathToFileURL(resolve(page, 'scanner.js')));
const require = createRequire(join(resolve(peer), 'package.json'));
const { prepareZXingModule, readBarcodes, ZXING_WASM_VERSION: peerVersion } = require('zxing-wasm/reader');
const peerWasm = readFileSync(require.resolve('zxing-wasm/reader/zxing_reader.wasm'));

const scanner = await Scanner.load(readFileSync(join(page, 'scanner.wasm')));
await prepareZXingModule({ overrides: { wasmBinary: Uint8Array.from(peerWasm).buffer }, fireImmediately: true });
const options = { formats: ['QRCode'], maxNumberOfSymbols: 1 };

const luma = readFileSync(join(frames, 'frames.luma'));
const index = JSON.parse(readFileSync(join(frames, 'frames.json'), 'utf8'));
const rgba = new Uint8ClampedArray(WIDTH * HEIGHT * 4);

const times = { peer: [], ours: Array.from({ length: PASSES }, () => []) };
// Processor time, which other work on the machine does not lengthen as it does the clock's.
const cpu = { peer: 0, ours: 0 };
const kinds = new Map();
const wrong = { peer: 0, ours: 0 };

for (let round = 0; round < 2; round += 1) {
  for (const [place, { kind, text }] of index.entries()) {
    // The first frames again, so that both are compiled when it counts.
    if (round === 0 && place === 12) break;
    fill(luma.subarray(place * WIDTH * HEIGHT, (place + 1) * WIDTH * HEIGHT));
    const read = { peer: false, first: false, passes: false };

    let began = performance.now();
    let busy = process.cpuUsage();
    const found = await readBarcodes({ data: rgba, width: WIDTH, height: HEIGHT, colorSpace: 'srgb' }, options);
    const took = performance.now() - began;
    const peerBusy = process.cpuUsage(busy).user;
    read.peer = found.some((code) => code.text === text);
    const misread = { peer: found.some((code) => code.text !== text && code.isValid !== false), ours: false };

    const ours = [];
    busy = process.cpuUsage();
    for (let pass = 0; pass < PASSES; pass += 1) {
      began = performance.now();
      const answer = scanner.frameRgba(rgba, WIDTH, HEIGHT, pass);
      ours.push(performance.now() - began);
      if (answer === text) {
        read.passes = true;
        read.first ||= pass === 0;
      } else if (answer !== null) misread.ours = true;
    }
    const oursBusy = process.cpuUsage(busy).user;
    if (round === 0) continue;
    cpu.peer += peerBusy / 1000;
    cpu.ours += oursBusy / 1000 / PASSES;
    times.peer.push(took);
    ours.forEach((time, pass) => times.ours[pass].push(time));
    wrong.peer += misread.peer;
    wrong.ours += misread.ours;
    for (const name of [kind, 'all']) {
      const row = kinds.get(name) ?? { frames: 0, peer: 0, first: 0, passes: 0 };
      row.frames += 1;
      for (const who of ['peer', 'first', 'passes']) row[who] += read[who];
      kinds.set(name, row);
    }
  }
}

const share = (part, of) => `${((100 * part) / of).toFixed(0)} %`;
console.log(`| frames | how many | zxing-wasm ${peerVersion} | ours, pass 1 | ours, three passes |`);
console.log('|---|---:|---:|---:|---:|');
for (const [kind, row] of [...kinds].sort(([a], [b]) => (a === 'all') - (b === 'all'))) {
  console.log(`| ${kind} | ${row.frames} | ${share(row.peer, row.frames)} | ${share(row.first, row.frames)} | ${share(row.passes, row.frames)} |`);
}
const middle = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const ninth = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length * 0.9)];
const ms = (list) => `${middle(list).toFixed(2)} / ${ninth(list).toFixed(2)}`;
console.log(`| ms a frame, median / nine tenths | | ${ms(times.peer)} | ${ms(times.ours[0])} | ${times.ours.map(ms).join(', ')} a pass |`);
console.log(`| ms of processor time a frame, mean | | ${(cpu.peer / index.length).toFixed(2)} | | ${(cpu.ours / index.length).toFixed(2)} a pass |`);
const vectors = JSON.parse(readFileSync(new URL('../../../crates/scanner/wasm/tests/vectors.json', import.meta.url), 'utf8'));
const bytes = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'));
scanner.trustNew(bytes(vectors.root));
scanner.trustAccept(bytes(vectors.bundle));
const verdicts = Array.from({ length: 2000 }, () => {
  const began = performance.now();
  scanner.judge(vectors.card, { now: vectors.now });
  return performance.now() - began;
});
console.log(`| ms a verdict, median / nine tenths | | | | ${ms(verdicts)} |`);
console.log(`| read as something else | | ${wrong.peer} | | ${wrong.ours} |`);

function fill(grey) {
  for (let i = 0; i < grey.length; i += 1) {
    rgba[4 * i] = rgba[4 * i + 1] = rgba[4 * i + 2] = grey[i];
    rgba[4 * i + 3] = 255;
  }
}
