// Runs in the scanner page, put there by chromium.py: times the page's own core on frames and on a verdict.
// arguments: [{frames: [[name, width, height, base64 luma]…], root: hex, bundle: base64, code, now, times}, done]
const [{ frames, root, bundle, code, now, times }, done] = arguments;
const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

(async () => {
  const answer = await fetch('/scan/scanner.wasm');
  const { instance } = await WebAssembly.instantiate(await answer.arrayBuffer(), {});
  const core = instance.exports;
  const put = (bytes) => {
    const at = core.alloc(bytes.length);
    new Uint8Array(core.memory.buffer, at, bytes.length).set(bytes);
    return at;
  };
  const read = () => new Uint8Array(core.memory.buffer, core.out_ptr(), core.out_len()).slice();
  const said = () => new TextDecoder().decode(read());
  const timed = (work) => {
    const all = [];
    for (let turn = 0; turn < times; turn += 1) {
      const began = performance.now();
      work();
      all.push(performance.now() - began);
    }
    return all;
  };

  const figures = { decoded: [], found: {} };
  for (const [name, width, height, luma] of frames) {
    const at = put(bytesOf(luma));
    for (let pass = 0; pass < 3; pass += 1) {
      const found = core.frame(at, width, height, pass) === 1 ? said() : '';
      figures.found[`${name} ${pass}`] = found === code;
      figures.decoded.push({ name, pass, ms: timed(() => core.frame(at, width, height, pass)) });
    }
    core.dealloc(at, width * height);
  }

  const rootBytes = Uint8Array.from(root.match(/../g), (pair) => parseInt(pair, 16));
  const bundleBytes = bytesOf(bundle);
  if (core.trust_new(put(rootBytes), 0, 0) !== 1) throw new Error(said());
  if (core.trust_accept(put(bundleBytes), bundleBytes.length) !== 1) throw new Error(said());
  const text = new TextEncoder().encode(code);
  const textAt = put(text);
  const judge = () => core.judge(textAt, text.length, now, -1, 0, 0);
  if (judge() !== 1) throw new Error(said());
  figures.verdict = JSON.parse(said());
  // A browser's clock ticks in tenths of a millisecond: a verdict is timed ten at a time.
  figures.judged = timed(() => { for (let turn = 0; turn < 10; turn += 1) judge(); }).map((ms) => ms / 10);
  return figures;
})().then(done, (error) => done({ error: String(error && error.stack || error) }));
