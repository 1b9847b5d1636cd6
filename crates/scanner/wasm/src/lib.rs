//! The scanner page's core as a WebAssembly module: the same decoder and the same judge as everywhere else.
//!
//! [`Session`] is the whole of it in plain Rust; `exports` hands its methods to JavaScript as C functions, with which
//! `crates/http/page/scanner.js` is the only one to talk. Made by `scripts/build-wasm`, kept as `crates/http/page/scanner.wasm`.
//!
//! # The exports
//! Arguments are pointers into the module's memory with lengths in bytes; room for them comes from `alloc(len)`, which
//! returns 0 where there is none, and goes back with `dealloc(ptr, len)`. Every other function returns 1, or 0 for "no", and
//! leaves its answer in one buffer, at `out_ptr()`, `out_len()` bytes long, until the next call.
//!
//! | export | answer when 1 | when 0 |
//! |---|---|---|
//! | `trust_new(root, ratchet, ratchet_len)` | nothing | JSON [`Refused`] |
//! | `trust_accept(bundle, len)` | JSON [`Accepted`] | JSON [`Refused`] |
//! | `trust_ratchet()` | bytes to store | nothing |
//! | `judge(text, len, now, max_age, uses, uses_len)` | JSON of the verdict | JSON [`Refused`] |
//! | `number_of(text, len)` | number on a card's code, not yet judged | nothing |
//! | `number_typed(text, len)` | ten digits whose check digit holds | nothing |
//! | `frame(luma, width, height, pass)`, `frame_rgba(…)` | bytes of the code | nothing |
//! | `picture_rgba(pixels, width, height)` | bytes of the code, everything tried | nothing |
//!
//! Invariants: no imports, so no clock, no randomness, no I/O; `judge` never traps, whatever the text; a frame may (see
//! `zyz-scanner`), after which the instance is to be thrown away.

mod exports;
mod session;

pub use session::{Accepted, Refused, Session};
