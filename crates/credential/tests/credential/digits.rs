use zyz_credential::DigitsError;
use zyz_credential::digits::{MAX_DIGITS, MAX_TEXT_LEN, code_text, decode, encode};

#[test]
fn group_lengths() {
    for (bytes, digits) in [(1, 3), (2, 5), (3, 8), (4, 10), (5, 13), (6, 15), (7, 17), (8, 20), (14, 34)] {
        let all_ones = vec![0xff; bytes];
        assert_eq!(encode(&all_ones).len(), digits);
        assert_eq!(decode(&encode(&all_ones)), Ok(all_ones));
    }
    assert_eq!(encode(&[]), "");
}

#[test]
fn little_endian() {
    assert_eq!(encode(&[1, 0]), "00001");
    assert_eq!(encode(&[0, 1]), "00256");
    assert_eq!(encode(&[0xff; 7]), "72057594037927935");
    assert_eq!(encode(&[1, 2, 3, 4, 5, 6, 7, 8]), "01976943448883713008");
}

#[test]
fn prefix_and_bare() {
    assert_eq!(code_text("https://zyz.example.cn/", &[1]), "https://zyz.example.cn/#001");
    assert_eq!(code_text("", &[1]), "001");
}

#[test]
fn everything_up_to_the_last_hash_is_ignored() {
    assert_eq!(decode("https://zyz.example.cn/99#12#001"), Ok(vec![1]));
    assert_eq!(decode("https://evil.example/?x=00200200200200200#001"), Ok(vec![1]));
    assert_eq!(decode("扫码验真＃００１"), Ok(vec![1]));
}

#[test]
fn white_space_and_line_ends_are_dropped() {
    assert_eq!(decode("# 0 0\t0\r\n01 \u{3000}\u{feff}"), Ok(vec![1, 0]));
    assert_eq!(decode(" 00\n001 \r\n"), Ok(vec![1, 0]));
}

#[test]
fn without_a_hash_the_longest_run_counts() {
    assert_eq!(decode("扫到 12 个：001 02 号"), Ok(vec![102, 0]));
    assert_eq!(decode("a12b00001c3"), Ok(vec![1, 0]));
    assert_eq!(decode("x001y002"), Ok(vec![1]), "the first of two as long");
}

#[test]
fn other_characters_after_the_hash() {
    for text in ["#001x", "#00-1", "#00１a", "#٠٠١", "#0.1", "#+01"] {
        assert_eq!(decode(text), Err(DigitsError::NotADigit), "{text}");
    }
}

#[test]
fn no_digits() {
    for text in ["", "#", "https://zyz.example.cn/#", "你好", " \n"] {
        assert_eq!(decode(text), Err(DigitsError::Empty), "{text:?}");
    }
}

#[test]
fn lengths_that_no_bytes_take() {
    for length in [1, 2, 4, 6, 7, 9, 11, 12, 14, 16, 18, 19, 21] {
        assert_eq!(decode(&"0".repeat(length)), Err(DigitsError::Length(length)));
    }
}

#[test]
fn groups_above_their_range() {
    for (digits, at) in [
        ("256", 0),
        ("65536", 0),
        ("16777216", 0),
        ("4294967296", 0),
        ("1099511627776", 0),
        ("281474976710656", 0),
        ("72057594037927936", 0),
        ("99999999999999999", 0),
        ("00000000000000000256", 17),
    ] {
        assert_eq!(decode(digits), Err(DigitsError::GroupRange(at)), "{digits}");
    }
}

#[test]
fn too_long() {
    assert_eq!(decode(&"0".repeat(MAX_DIGITS + 6)), Err(DigitsError::TooLong));
    assert_eq!(decode(&"x".repeat(MAX_TEXT_LEN + 1)), Err(DigitsError::TooLong));
    assert!(decode(&"0".repeat(MAX_DIGITS)).is_ok(), "7089 = 417 × 17");
}
