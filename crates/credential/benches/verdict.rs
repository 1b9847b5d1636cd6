//! From text to verdict, beside the bare signature check with the same key in the same run: the verdict may cost at most
//! 1/0.85 of it. `cargo bench -p zyz-credential --bench verdict`
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark is run by a person who reads what it prints")]

use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use ed25519_dalek::{Signature, VerifyingKey};
use zyz_credential::*;

#[path = "support/mod.rs"]
mod support;

use support::*;

fn verdict(c: &mut Criterion) {
    let state = state_of_a_million_cards();
    let cose = sign_credential(&card(), &issuing()).unwrap();
    let text = code_text("https://zyz.example.cn/", &cose);
    assert_eq!(judge(&text, &state, NOW, None).reason, Reason::Ok);

    // What is signed (RFC 9052 §4.4), and a key decompressed once.
    let (headers, payload, signature) = (&cose[3..12], &cose[15..cose.len() - 66], &cose[cose.len() - 64..]);
    let mut signed = b"\x84\x6aSignature1\x49".to_vec();
    signed.extend(headers);
    signed.extend([0x40, 0x58, payload.len() as u8]);
    signed.extend(payload);
    let signature = Signature::from_slice(signature).unwrap();
    let key: VerifyingKey = issuing().verifying_key();
    key.verify_strict(&signed, &signature).unwrap();

    side_by_side(
        || key.verify_strict(black_box(&signed), black_box(&signature)).is_ok(),
        || judge(black_box(&text), &state, NOW, None).reason == Reason::Ok,
    );

    let mut group = c.benchmark_group("verdict");
    group.bench_function("verify_strict, cached key", |b| {
        b.iter(|| key.verify_strict(black_box(&signed), black_box(&signature)).is_ok())
    });
    group.bench_function("judge", |b| b.iter(|| judge(black_box(&text), &state, NOW, None)));
    group.bench_function("parse only", |b| {
        b.iter(|| {
            let bytes = digits::decode(black_box(&text)).unwrap();
            Credential::parse(&bytes).unwrap().claims
        })
    });
    group.finish();
}

/// The two in turns, so that a busy machine slows both alike; medians of 5,000.
fn side_by_side(verify: impl Fn() -> bool, judge: impl Fn() -> bool) {
    let timed = |run: &dyn Fn() -> bool| {
        let begin = Instant::now();
        assert!(run());
        begin.elapsed().as_nanos()
    };
    let (mut bare, mut whole): (Vec<_>, Vec<_>) = (0..5000).map(|_| (timed(&verify), timed(&judge))).unzip();
    bare.sort_unstable();
    whole.sort_unstable();
    let (bare, whole) = (bare[2500], whole[2500]);
    println!(
        "in turns: verify_strict {bare} ns, judge {whole} ns, rate {:.3} of verify_strict",
        bare as f64 / whole as f64
    );
}

criterion_group!(benches, verdict);
criterion_main!(benches);
