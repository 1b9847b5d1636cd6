use zyz_credential::{EncodingError, LIST_SIZE, StatusSet, StatusSetError};

use crate::support::{cbor, hex, set};

/// Every index whose hash falls below `share` of 2^32: random enough, and the same each time.
pub fn sample(size: u32, share: f64) -> Vec<u32> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut indices = Vec::new();
    for index in 0..size {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if ((state >> 32) as f64) < share * 4_294_967_296.0 {
            indices.push(index);
        }
    }
    indices
}

fn raw(count: u64, parameter: u64, data: &[u8]) -> Vec<u8> {
    cbor(|e| {
        e.array(3).unwrap().u64(count).unwrap().u64(parameter).unwrap().bytes(data).unwrap();
    })
}

#[test]
fn vectors() {
    assert_eq!(set(&[]).encode(), hex(concat!("83", /* [count */ "00", /* parameter */ "00", /* gaps] */ "40")));
    // Gaps 0, 0: a one each, then padding.
    assert_eq!(set(&[0, 1]).encode(), hex(concat!("83", "02", "00", "41", /* 1 1 000000 */ "c0")));
    // Gap 5 with parameter 1: quotient 2, rest 1. Parameter 2 would be as short; the smaller counts.
    assert_eq!(set(&[5]).encode(), hex(concat!("83", "01", "01", "41", /* 001 1 0000 */ "30")));
    // Gaps 3, 99, 40 with parameter 5: quotients 0, 3, 1, rests 3, 3, 8.
    assert_eq!(
        set(&[3, 103, 144]).encode(),
        hex(concat!("83", "03", "05", "43", /* 1 00011, 0001 00011, 01 01000 0 */ "8c", "46", "a0"))
    );
}

#[test]
fn round_trips() {
    let last = LIST_SIZE - 1;
    for indices in
        [vec![], vec![0], vec![last], vec![0, last], (0..LIST_SIZE).collect(), (0..LIST_SIZE).step_by(1000).collect()]
    {
        let set = set(&indices);
        assert_eq!(StatusSet::decode(&set.encode()), Ok(set));
    }
    for share in [0.000_1, 0.001, 0.01, 0.1, 0.3, 0.5, 0.9, 0.999] {
        let set = set(&sample(LIST_SIZE, share));
        assert_eq!(StatusSet::decode(&set.encode()), Ok(set));
    }
}

#[test]
fn membership() {
    let indices = sample(LIST_SIZE, 0.01);
    let set = set(&indices);
    let mut next = indices.iter().peekable();
    for index in 0..LIST_SIZE {
        let inside = next.next_if(|i| **i == index).is_some();
        if inside || index % 97 == 0 {
            assert_eq!(set.contains(index), inside);
        }
    }
    assert!(!set.contains(u32::MAX));
}

#[test]
fn near_the_entropy_bound() {
    // 1,000,000 cards of which exactly 10,000 are revoked: log2 of the number of such sets is 80,786 bits = 10,099 bytes.
    let mut indices = sample(1_000_000, 0.010_2);
    let surplus = indices.len() - 10_000;
    let step = indices.len() / surplus;
    let mut dropped = 0;
    let mut at = 0;
    indices.retain(|_| {
        at += 1;
        let drop = at % step == 0 && dropped < surplus;
        dropped += usize::from(drop);
        !drop
    });
    indices.truncate(10_000);
    assert_eq!(indices.len(), 10_000);
    let bytes = set(&indices).encode().len();
    assert!(bytes as f64 <= 10_099.0 * 1.015, "{bytes} bytes");
}

#[test]
fn not_ascending() {
    assert_eq!(StatusSet::from_sorted([2, 1]), Err(StatusSetError::NotAscending));
    assert_eq!(StatusSet::from_sorted([1, 1]), Err(StatusSetError::NotAscending));
}

#[test]
fn out_of_range() {
    assert_eq!(StatusSet::from_sorted([LIST_SIZE]), Err(StatusSetError::OutOfRange));
    // Parameter 19: a gap of 2^20 is quotient 2, rest 0: 001 and nineteen zeros.
    assert_eq!(StatusSet::decode(&raw(1, 19, &hex("200000"))), Err(StatusSetError::OutOfRange));
    // A second entry beyond the last one.
    let mut data = hex("7ffff8"); // 01 1111111111111111111 (2^20 - 1), then 000: no entry
    data[2] |= 0x04; // …and then 1: gap 0 … with 19 bits of rest in the next bytes
    data.extend([0, 0, 0]);
    assert_eq!(StatusSet::decode(&raw(2, 19, &data)), Err(StatusSetError::OutOfRange));
}

#[test]
fn a_quotient_that_would_overflow() {
    let mut data = vec![0; 700_000];
    data.push(1);
    assert_eq!(StatusSet::decode(&raw(1, 0, &data)), Err(StatusSetError::OutOfRange));
    assert_eq!(StatusSet::decode(&raw(1, 19, &data)), Err(StatusSetError::OutOfRange));
}

#[test]
fn more_entries_than_bytes_can_hold() {
    for count in [9, 1 << 20, u64::from(u32::MAX), u64::MAX] {
        assert_eq!(StatusSet::decode(&raw(count, 0, &[0xff])), Err(StatusSetError::Count), "{count}");
    }
    assert_eq!(StatusSet::decode(&raw(2, 4, &[0xff])), Err(StatusSetError::Count));
    assert_eq!(StatusSet::decode(&raw(1, 0, &[0x00])), Err(StatusSetError::Count), "no one bit at all");
    assert_eq!(StatusSet::decode(&raw(1, 7, &[0x01])), Err(StatusSetError::Count), "the rest is cut off");
}

#[test]
fn fewer_entries_than_the_bytes_hold() {
    assert_eq!(StatusSet::decode(&raw(0, 0, &[0x00])), Err(StatusSetError::Count));
    assert_eq!(StatusSet::decode(&raw(1, 0, &[0x80, 0x00])), Err(StatusSetError::Count));
}

#[test]
fn padding_not_zero() {
    assert_eq!(StatusSet::decode(&raw(1, 0, &[0xc0])), Err(StatusSetError::Padding));
    assert_eq!(StatusSet::decode(&raw(2, 0, &[0xc1])), Err(StatusSetError::Padding));
}

#[test]
fn parameter_too_high() {
    assert_eq!(StatusSet::decode(&raw(1, 20, &[0xff; 8])), Err(StatusSetError::Parameter(20)));
    assert_eq!(StatusSet::decode(&raw(0, u64::MAX, &[])), Err(StatusSetError::Parameter(u64::MAX)));
}

#[test]
fn parameter_not_best() {
    // {0} with parameter 3 (1 000 0000) instead of 0.
    assert_eq!(StatusSet::decode(&raw(1, 3, &[0x80])), Err(StatusSetError::ParameterNotBest));
    assert_eq!(StatusSet::decode(&raw(0, 1, &[])), Err(StatusSetError::ParameterNotBest));
}

#[test]
fn not_three_items() {
    assert_eq!(StatusSet::decode(&hex("820000")), Err(StatusSetError::Items(2)));
}

#[test]
fn badly_encoded() {
    assert_eq!(StatusSet::decode(&hex("8300004000")), Err(StatusSetError::Encoding(EncodingError::TrailingBytes)));
    assert_eq!(StatusSet::decode(&hex("8318000040")), Err(StatusSetError::Encoding(EncodingError::LongerInteger)));
    assert_eq!(StatusSet::decode(&hex("830000")), Err(StatusSetError::Encoding(EncodingError::End)));
}
