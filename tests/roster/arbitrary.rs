//! Whatever is handed in, the answer is a value or a named refusal.

use proptest::prelude::*;
use zyz::domain::identity::IdentityNumber;
use zyz::domain::person::{PersonName, Phone};
use zyz::roster::{Limits, hours, people, sheet};

use crate::support::{FORM, TODAY};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = sheet::read_bytes(&bytes, &Limits::default());
    }

    #[test]
    fn containers_never_panic(bytes in prop::collection::vec(any::<u8>(), 512..4096), shift in prop::sample::select(vec![9_u8, 12])) {
        let mut file = bytes;
        file[..8].copy_from_slice(&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]);
        file[30..34].copy_from_slice(&[shift, 0, 6, 0]);
        let _ = sheet::read_bytes(&file, &Limits::default());
    }

    #[test]
    fn cells_never_panic(cells in prop::collection::vec("\\PC{0,24}", 10)) {
        let line: Vec<String> = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
        let text = format!("{FORM},日期,服务时间,小时数,内容\n{},{}\n", line.join(","), line[..4].join(","));
        if let Ok(sheet) = sheet::read_bytes(text.as_bytes(), &Limits::default()) {
            let roster = people::check(&sheet, TODAY).unwrap();
            for problem in roster.problems() {
                prop_assert!(!problem.to_string().is_empty());
            }
            let _ = hours::check(&sheet, TODAY, &[]).unwrap();
        }
    }

    #[test]
    fn what_parses_parses_again(text in "[0-9xX１-９ '·•张三\u{20164}+/-]{0,30}") {
        if let Ok(number) = IdentityNumber::parse(&text) {
            prop_assert_eq!(IdentityNumber::parse(number.as_str()), Ok(number));
        }
        if let Ok(name) = PersonName::parse(&text) {
            prop_assert_eq!(PersonName::parse(name.as_str()), Ok(name));
        }
        if let Ok(phone) = Phone::parse(&text) {
            prop_assert_eq!(Phone::parse(phone.as_str()), Ok(phone));
        }
    }

    #[test]
    fn one_wrong_digit_never_passes(serial in 0_u16..999, at in 0_usize..17, other in 1_u8..10) {
        let good = crate::support::number("19900501", serial);
        let mut bytes = good.into_bytes();
        bytes[at] = b'0' + (bytes[at] - b'0' + other) % 10;
        prop_assert!(IdentityNumber::parse(std::str::from_utf8(&bytes).unwrap()).is_err());
    }
}
