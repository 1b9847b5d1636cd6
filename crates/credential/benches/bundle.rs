//! Status sets of a million cards: their size against the entropy bound, and what building, signing and accepting a bundle
//! takes. `cargo bench -p zyz-credential --bench bundle`
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark is run by a person who reads what it prints")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use zyz_credential::*;

#[path = "support/mod.rs"]
mod support;

use support::*;

fn sizes() {
    for revoked in [1_000, 10_000, 50_000, 100_000, 500_000] {
        let share = f64::from(revoked) / f64::from(CARDS);
        let entropy = f64::from(CARDS) * -(share * share.log2() + (1.0 - share) * (1.0 - share).log2()) / 8.0;
        let set = StatusSet::from_sorted(drawn(revoked as usize, 1)).unwrap();
        let bytes = set.encode().len();
        println!(
            "{CARDS} cards, {revoked} revoked: {bytes} bytes, entropy bound {entropy:.0}, {:+.2} %",
            (bytes as f64 / entropy - 1.0) * 100.0
        );
    }
    println!("signed bundle, revoked 1 %, suspended 0.1 %, superseded 5 %: {} bytes", signed_bundle().len());
}

fn bundles(c: &mut Criterion) {
    sizes();
    let revoked = drawn(10_000, 1);
    let encoded = StatusSet::from_sorted(revoked.clone()).unwrap().encode();
    let half = StatusSet::from_sorted(drawn(500_000, 1)).unwrap().encode();
    let sets = three_sets();
    let list = trust_list();
    let signed = signed_bundle();

    let mut group = c.benchmark_group("bundle");
    group.sample_size(20);
    group.bench_function("encode a set of 10,000", |b| {
        b.iter(|| StatusSet::from_sorted(black_box(&revoked[..])).unwrap().encode())
    });
    group.bench_function("decode a set of 10,000", |b| b.iter(|| StatusSet::decode(black_box(&encoded)).unwrap()));
    group.bench_function("decode a set of 500,000", |b| b.iter(|| StatusSet::decode(black_box(&half)).unwrap()));
    group.bench_function("three sets (61,000 indices) rebuilt and the bundle signed", |b| {
        b.iter(|| {
            let [revoked, suspended, superseded] = sets.clone().map(|set| StatusSet::from_sorted(set).unwrap());
            bundle(list.clone(), revoked, suspended, superseded).sign(&bundling()).unwrap()
        })
    });
    group.bench_function("accept that bundle", |b| {
        let fresh = TrustState::new(PublicKey::of(&root()).as_bytes()).unwrap();
        b.iter(|| fresh.clone().accept(black_box(&signed)).unwrap())
    });
    group.finish();
}

criterion_group!(benches, bundles);
criterion_main!(benches);
