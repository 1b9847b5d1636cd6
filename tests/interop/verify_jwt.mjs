// Standard input: {"token", "keys": [JWK…], "typ"}. Verifies with the `jose` library and prints what it found.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

// The library lies outside this folder (see scripts/interop), where a bare import would not look.
const library = createRequire(`${process.env.ZYZ_NODE_MODULES}/`).resolve("jose");
const { createLocalJWKSet, jwtVerify } = await import(pathToFileURL(library));

const { token, keys, typ } = JSON.parse(readFileSync(0, "utf8"));
const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet({ keys }), {
  algorithms: ["Ed25519"],
  typ,
  requiredClaims: ["sub", "iat", "exp"],
});
console.log(JSON.stringify({ payload, protectedHeader }));
