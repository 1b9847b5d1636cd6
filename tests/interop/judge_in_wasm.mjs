// Standard input: {"folder", "root", "bundle": base64, "texts": […], "now"}. Judges with the page's own module and its
// committed scanner.wasm, as the scanner page does, and prints the verdicts.
import { readFileSync } from "node:fs";

const { folder, root, bundle, texts, now } = JSON.parse(readFileSync(0, "utf8"));
// The page's files are modules although no package.json beside them says so.
const source = readFileSync(`${folder}/scanner.js`);
const { Scanner, TrustError } = await import(`data:text/javascript;base64,${source.toString("base64")}`);
const scanner = await Scanner.load(readFileSync(`${folder}/scanner.wasm`));

const bytes = Uint8Array.from(Buffer.from(bundle, "base64"));
scanner.trustNew(Uint8Array.from(Buffer.from(root, "hex")));
const first = scanner.trustAccept(bytes);
const again = scanner.trustAccept(bytes);
const ratchet = scanner.ratchet();

// What a restart takes up, and what it refuses.
const broken = bytes.slice();
broken[broken.length - 1] ^= 1;
let refused = null;
try {
  scanner.trustNew(Uint8Array.from(Buffer.from(root, "hex")), ratchet);
  scanner.trustAccept(broken);
} catch (error) {
  if (!(error instanceof TrustError)) throw error;
  refused = error.code;
}
scanner.trustAccept(bytes);

const verdicts = texts.map((text) => scanner.judge(text, { now, maxAge: null, uses: {} }));
const numbers = texts.map((text) => scanner.numberOf(text));
console.log(JSON.stringify({ first, again, ratchet: ratchet.length, refused, verdicts, numbers }));
