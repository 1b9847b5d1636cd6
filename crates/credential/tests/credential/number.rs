use zyz_credential::{CertificateNumber, NumberError};

#[test]
fn the_contracts_example() {
    let number = CertificateNumber::from_parts(2, 1234).unwrap();
    assert_eq!(number.as_str(), "0200012349");
    assert_eq!(number.grouped(), "02 0001234 9");
    assert_eq!((number.county(), number.serial()), (2, 1234));
    assert_eq!(number.to_string(), "0200012349");
}

#[test]
fn iso_7064_published_example() {
    // ISO 7064 gives 0794 with check digit 5 for MOD 11-10; leading zeros do change the product, so it is computed here
    // over the nine digits by the recursion of the standard, apart from the crate's own.
    for (county, serial) in [(0, 0), (0, 794), (8, 9_999_999), (29, 5), (99, 9_999_999)] {
        let number = CertificateNumber::from_parts(county, serial).unwrap();
        let digits: Vec<u32> = number.as_str().bytes().map(|b| u32::from(b - b'0')).collect();
        let mut p = 10;
        for digit in &digits[..9] {
            let s = match (p + digit) % 10 {
                0 => 10,
                s => s,
            };
            p = 2 * s % 11;
        }
        assert_eq!((p + digits[9]) % 10, 1, "{number}");
    }
}

#[test]
fn typed_with_spaces_or_full_width() {
    let number = CertificateNumber::from_parts(2, 1234).unwrap();
    for typed in ["02 0001234 9", " 0200012349\r\n", "０２ ０００１２３４ ９", "02\u{3000}0001234\u{a0}9"] {
        assert_eq!(CertificateNumber::parse(typed), Ok(number), "{typed:?}");
    }
}

#[test]
fn wrong_check_digit() {
    assert_eq!(CertificateNumber::parse("0200012348"), Err(NumberError::CheckDigit));
    assert_eq!(CertificateNumber::from_wire("0200012348"), Err(NumberError::CheckDigit));
}

#[test]
fn every_single_wrong_digit_is_found() {
    let good = CertificateNumber::from_parts(27, 3_141_592).unwrap().as_str().as_bytes().to_vec();
    for place in 0..10 {
        for digit in b'0'..=b'9' {
            let mut bad = good.clone();
            bad[place] = digit;
            let read = CertificateNumber::parse(std::str::from_utf8(&bad).unwrap());
            assert_eq!(read.is_ok(), bad == good, "{bad:?}");
        }
    }
}

#[test]
fn wrong_length() {
    assert_eq!(CertificateNumber::parse("020001234"), Err(NumberError::Length(9)));
    assert_eq!(CertificateNumber::parse("02000123499"), Err(NumberError::Length(11)));
    assert_eq!(CertificateNumber::parse(""), Err(NumberError::Length(0)));
}

#[test]
fn not_a_digit() {
    assert_eq!(CertificateNumber::parse("02-0001234"), Err(NumberError::NotADigit));
    assert_eq!(CertificateNumber::from_wire("02 0001234"), Err(NumberError::NotADigit));
    assert_eq!(CertificateNumber::from_wire("02 0001234 9"), Err(NumberError::Length(12)));
}

#[test]
fn out_of_range() {
    assert_eq!(CertificateNumber::from_parts(100, 0), Err(NumberError::Range));
    assert_eq!(CertificateNumber::from_parts(0, 10_000_000), Err(NumberError::Range));
    assert_eq!(CertificateNumber::from_parts(99, 9_999_999).unwrap().serial(), 9_999_999);
}
