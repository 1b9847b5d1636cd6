//! How fast sheets are made: a thousand cards on A4, eight to a page, both sides.
//!
//! `cargo bench --bench render`

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use jiff::civil::date;
use zyz::render::{CardData, CardDesign, Layout, check, pdf, png};

/// Characters of which names are made, as many different ones as a real batch would use.
const NAMES: std::ops::Range<u32> = 0x4e00..0x4e00 + 1500;

fn cards(count: u32) -> Vec<CardData> {
    let character = |n: u32| char::from_u32(NAMES.start + n % 1500).expect("a Han character");
    (0..count)
        .map(|index| CardData {
            number: format!("02 {index:07} 4"),
            name: [index, index * 7 + 3, index * 13 + 5].map(character).iter().collect(),
            unit: "普洱市思茅区思茅镇平原社区居民委员会".into(),
            star: (index % 6) as u8,
            valid_until: date(2027, 12, 31),
            code: format!("https://zyz.example.cn/#{}", digits(u64::from(index))),
            photo: None,
        })
        .collect()
}

/// 302 digits, as many as a credential with a holder of three characters has.
fn digits(seed: u64) -> String {
    let mut state = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'0' + ((state >> 33) % 10) as u8)
    };
    std::iter::repeat_with(next).take(302).collect()
}

fn render(criterion: &mut Criterion) {
    let design = CardDesign::default();
    let cards = cards(1000);
    let created = Timestamp::from_second(1_795_420_800).expect("a moment");
    let mut group = criterion.benchmark_group("render");
    group.sample_size(10);
    group.throughput(Throughput::Elements(1000));
    group.bench_function("sheets, 1,000 cards, A4 8-up duplex", |bencher| {
        bencher.iter(|| pdf::sheets(&cards, &design, Layout::A4EightUp, created));
    });
    group.bench_function("check, 1,000 cards", |bencher| bencher.iter(|| check(&cards, &design)));
    group.throughput(Throughput::Elements(1));
    group.bench_function("picture of one front", |bencher| {
        bencher.iter(|| png::front(&cards[0], &design, png::DOTS_PER_MM));
    });
    group.finish();
}

criterion_group!(benches, render);
criterion_main!(benches);
