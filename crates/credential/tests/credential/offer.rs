use zyz_credential::*;

use crate::support::*;

fn offer() -> Offer {
    Offer::new("tea-9", OfferKind::Discount, "全场九折")
}

fn full() -> Offer {
    Offer {
        terms: "特价商品除外\n每日一次".into(),
        min_star: 3,
        valid_from: Some(NEW_YEAR),
        valid_to: Some(LATE),
        weekdays: Weekdays::from_bits(0b0011111).unwrap(),
        hours: vec![HourWindow { from: 540, to: 720 }, HourWindow { from: 840, to: 1440 }],
        limits: OfferLimits { per_day: Some(1), per_month: None, in_all: Some(12) },
        identity_check: true,
        max_status_age: Some(86_400),
        ..offer()
    }
}

/// The bytes of an offer, put into a bundle that is signed well, and what opening it says.
fn open(offer: &[u8]) -> Result<Offer, BundleError> {
    let good = bundle();
    let mut payload = payload_of(&good.sign(&bundling()).unwrap());
    assert_eq!(payload.pop(), Some(0x80), "no offers");
    payload.push(0x81);
    payload.extend(offer);
    let open = Bundle::open(&seal(&payload, Some(BUNDLE_TYPE), &bundling()), &PublicKey::of(&root()))?;
    Ok(open.bundle.offers[0].clone())
}

fn encoded(offer: &Offer) -> Vec<u8> {
    let without = payload_of(&bundle().sign(&bundling()).unwrap());
    let with = payload_of(&Bundle { offers: vec![offer.clone()], ..bundle() }.sign(&bundling()).unwrap());
    with[without.len()..].to_vec()
}

fn refused(bytes: &str) -> OfferError {
    match open(&hex(&bytes.replace(' ', ""))) {
        Err(BundleError::Offer(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn refused_to_sign(change: impl FnOnce(&mut Offer)) -> OfferError {
    let mut offer = full();
    change(&mut offer);
    assert!(offer.check().is_err());
    match (Bundle { offers: vec![offer], ..bundle() }).sign(&bundling()) {
        Err(BundleError::Offer(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// The required fields: id "a", kind 1, title "b", star 0.
const BASE: &str = "01 6161 02 01 03 6162 05 00";

#[test]
fn vectors() {
    let least = hex(concat!(
        "a4", // map of 4
        "01",
        "65",
        "7465612d39", // id "tea-9"
        "02",
        "01", // kind: discount
        "03",
        "6c",
        "e585a8e59cbae4b99de68a98", // title "全场九折"
        "05",
        "00", // star 0
    ));
    assert_eq!(encoded(&offer()), least);
    let most = hex(concat!(
        "ac",
        "01",
        "65",
        "7465612d39",
        "02",
        "01",
        "03",
        "6c",
        "e585a8e59cbae4b99de68a98", // as above
        "04",
        "781f",
        "e789b9e4bbb7e59586e59381e999a4e5a496",
        "0a",
        "e6af8fe697a5e4b880e6aca1", // terms, 31 bytes
        "05",
        "03", // star 3
        "06",
        "1a",
        "6955b900", // from
        "07",
        "1a",
        "72bc9b7f", // to
        "08",
        "181f", // weekdays: Monday to Friday
        "09",
        "82",
        "82",
        "19021c",
        "1902d0",
        "82",
        "190348",
        "1905a0", // hours
        "0a",
        "83",
        "01",
        "00",
        "0c", // limits: one a day, none a month, twelve in all
        "0b",
        "01", // identity check
        "0c",
        "1a",
        "00015180", // status at most a day old
    ));
    assert_eq!(::hex::encode(encoded(&full())), ::hex::encode(&most));
}

#[test]
fn json() {
    let json = |offer: &Offer| serde_json::to_value(offer).unwrap();
    let least = serde_json::json!({"id": "tea-9", "kind": "discount", "title": "全场九折", "min_star": 0});
    assert_eq!(json(&offer()), least);
    let most = serde_json::json!({
        "id": "tea-9", "kind": "discount", "title": "全场九折", "min_star": 3, "terms": "特价商品除外\n每日一次",
        "valid_from": "2026-01-01T00:00:00Z", "valid_to": "2030-12-31T15:59:59Z", "weekdays": [1, 2, 3, 4, 5],
        "hours": [["09:00", "12:00"], ["14:00", "24:00"]], "limits": {"per_day": 1, "in_all": 12},
        "identity_check": true, "max_status_age": 86_400,
    });
    assert_eq!(json(&full()), most);
}

#[test]
fn round_trips() {
    for offer in [offer(), full()] {
        assert_eq!(open(&encoded(&offer)), Ok(offer));
    }
}

#[test]
fn unknown_field() {
    assert_eq!(refused(&format!("a5 {BASE} 0d 00")), OfferError::UnknownField(13));
}

#[test]
fn missing_fields() {
    assert_eq!(refused("a3 02 01 03 6162 05 00"), OfferError::MissingField(1));
    assert_eq!(refused("a3 01 6161 03 6162 05 00"), OfferError::MissingField(2));
    assert_eq!(refused("a3 01 6161 02 01 05 00"), OfferError::MissingField(3));
    assert_eq!(refused("a3 01 6161 02 01 03 6162"), OfferError::MissingField(5));
}

#[test]
fn fields_that_say_what_their_absence_says() {
    assert_eq!(refused("a5 01 6161 02 01 03 6162 04 60 05 00"), OfferError::Redundant(4));
    assert_eq!(refused(&format!("a5 {BASE} 08 187f")), OfferError::Redundant(8));
    assert_eq!(refused(&format!("a5 {BASE} 09 80")), OfferError::Redundant(9));
    assert_eq!(refused(&format!("a5 {BASE} 0a 83 00 00 00")), OfferError::Redundant(10));
    assert_eq!(refused(&format!("a5 {BASE} 0b 00")), OfferError::Redundant(11));
}

#[test]
fn id() {
    for id in ["", "two words", "编号", &"x".repeat(65)] {
        assert_eq!(refused_to_sign(|offer| offer.id = id.into()), OfferError::Id, "{id}");
    }
}

#[test]
fn kind() {
    assert_eq!(refused("a4 01 6161 02 03 03 6162 05 00"), OfferError::Kind(3));
}

#[test]
fn title() {
    for title in ["", "a\nb", "a\u{0}b", &"字".repeat(81)] {
        assert_eq!(refused_to_sign(|offer| offer.title = title.into()), OfferError::Title, "{title:?}");
    }
}

#[test]
fn terms() {
    for terms in ["a\tb", &"字".repeat(1001)] {
        assert_eq!(refused_to_sign(|offer| offer.terms = terms.into()), OfferError::Terms);
    }
}

#[test]
fn star() {
    assert_eq!(refused_to_sign(|offer| offer.min_star = 6), OfferError::StarRange(6));
    assert_eq!(refused("a4 01 6161 02 01 03 6162 05 190100"), OfferError::StarRange(256));
}

#[test]
fn validity() {
    assert_eq!(refused_to_sign(|offer| offer.valid_to = offer.valid_from), OfferError::Validity);
    assert_eq!(refused_to_sign(|offer| offer.valid_to = Some(MAX_TIME + 1)), OfferError::Validity);
    assert_eq!(
        refused_to_sign(|offer| (offer.valid_from, offer.valid_to) = (Some(u64::MAX), None)),
        OfferError::Validity
    );
}

#[test]
fn weekdays() {
    assert_eq!(refused(&format!("a5 {BASE} 08 00")), OfferError::Weekdays);
    assert_eq!(refused(&format!("a5 {BASE} 08 1880")), OfferError::Weekdays);
    assert_eq!(refused(&format!("a5 {BASE} 08 190100")), OfferError::Weekdays);
    assert_eq!(Weekdays::from_bits(0), Err(OfferError::Weekdays));
}

#[test]
fn hours() {
    let window = |from, to| HourWindow { from, to };
    for hours in [
        vec![window(60, 60)],
        vec![window(60, 30)],
        vec![window(0, 1441)],
        vec![window(60, 90), window(30, 45)],
        vec![window(60, 90), window(90, 120)],
        (0..9).map(|n| window(n * 10, n * 10 + 5)).collect(),
    ] {
        assert_eq!(refused_to_sign(|offer| offer.hours = hours.clone()), OfferError::Hours, "{hours:?}");
    }
    assert_eq!(refused(&format!("a5 {BASE} 09 81 83 00 01 02")), OfferError::Hours);
    assert_eq!(refused(&format!("a5 {BASE} 09 81 82 00 1a00010000")), OfferError::Hours);
    assert_eq!(refused(&format!("a5 {BASE} 09 9a ffffffff")), OfferError::Hours);
}

#[test]
fn limits() {
    assert_eq!(refused_to_sign(|offer| offer.limits.per_day = Some(0)), OfferError::Limits);
    assert_eq!(refused(&format!("a5 {BASE} 0a 82 01 01")), OfferError::Limits);
    assert_eq!(refused(&format!("a5 {BASE} 0a 83 01 01 1b0000000100000000")), OfferError::Limits);
}

#[test]
fn identity_check() {
    assert_eq!(refused(&format!("a5 {BASE} 0b 02")), OfferError::IdentityCheck(2));
}

#[test]
fn badly_encoded() {
    assert_eq!(refused(&format!("a5 {BASE} 05 00")), OfferError::Encoding(EncodingError::DuplicateKey));
    assert_eq!(refused("a4 01 6161 02 1801"), OfferError::Encoding(EncodingError::LongerInteger));
    assert_eq!(refused("80"), OfferError::Encoding(EncodingError::UnexpectedKind));
}

#[test]
fn without_conditions_anybody_any_time() {
    for (star, at, age) in [(0, 0, 0), (5, NOW, u64::MAX), (0, u64::MAX, 0)] {
        assert_eq!(offer().eligibility(star, at, age), Ok(()));
    }
}

#[test]
fn star_too_low() {
    let offer = Offer { min_star: 3, ..offer() };
    assert_eq!(offer.eligibility(2, NOW, 0), Err(Ineligible::StarTooLow));
    assert_eq!(offer.eligibility(3, NOW, 0), Ok(()));
}

#[test]
fn not_yet_and_over() {
    let offer = Offer { valid_from: Some(NOW), valid_to: Some(NOW + 10), ..offer() };
    assert_eq!(offer.eligibility(0, NOW - 1, 0), Err(Ineligible::NotYet));
    assert_eq!(offer.eligibility(0, NOW, 0), Ok(()));
    assert_eq!(offer.eligibility(0, NOW + 9, 0), Ok(()));
    assert_eq!(offer.eligibility(0, NOW + 10, 0), Err(Ineligible::Over));
}

#[test]
fn days_are_beijing_days() {
    // NOW is Monday 16:00 in Beijing; Tuesday begins there eight hours later, at 16:00Z of Monday.
    let mondays = Offer { weekdays: Weekdays::from_bits(1).unwrap(), ..offer() };
    let tuesdays = Offer { weekdays: Weekdays::from_bits(2).unwrap(), ..offer() };
    for (at, monday) in [(NOW, true), (NOW + 8 * 3600 - 1, true), (NOW + 8 * 3600, false), (NOW - 16 * 3600 - 1, false)]
    {
        assert_eq!(mondays.eligibility(0, at, 0).is_ok(), monday, "{at}");
    }
    assert_eq!(tuesdays.eligibility(0, NOW, 0), Err(Ineligible::NotToday));
    assert_eq!(tuesdays.eligibility(0, NOW + 8 * 3600, 0), Ok(()));
}

#[test]
fn hours_are_beijing_hours() {
    let offer =
        Offer { hours: vec![HourWindow { from: 0, to: 60 }, HourWindow { from: 16 * 60, to: 16 * 60 + 1 }], ..offer() };
    assert_eq!(offer.eligibility(0, NOW - 1, 0), Err(Ineligible::NotInHours));
    assert_eq!(offer.eligibility(0, NOW, 0), Ok(()));
    assert_eq!(offer.eligibility(0, NOW + 59, 0), Ok(()));
    assert_eq!(offer.eligibility(0, NOW + 60, 0), Err(Ineligible::NotInHours));
    assert_eq!(offer.eligibility(0, NOW + 8 * 3600, 0), Ok(()), "midnight in Beijing");
}

#[test]
fn status_too_old() {
    let offer = Offer { max_status_age: Some(3600), ..offer() };
    assert_eq!(offer.eligibility(0, NOW, 3600), Ok(()));
    assert_eq!(offer.eligibility(0, NOW, 3601), Err(Ineligible::StatusTooOld));
}

#[test]
fn the_first_reason_that_applies() {
    let mut offer = full();
    let sunday_night = NOW - 86_400 + 7 * 3600;
    let age = 86_401;
    (offer.valid_from, offer.valid_to) = (None, Some(sunday_night));
    assert_eq!(offer.eligibility(0, sunday_night, age), Err(Ineligible::StarTooLow));
    assert_eq!(offer.eligibility(3, sunday_night, age), Err(Ineligible::Over));
    (offer.valid_from, offer.valid_to) = (Some(sunday_night + 1), None);
    assert_eq!(offer.eligibility(3, sunday_night, age), Err(Ineligible::NotYet));
    offer.valid_from = None;
    assert_eq!(offer.eligibility(3, sunday_night, age), Err(Ineligible::NotToday));
    offer.weekdays = Weekdays::ALL;
    offer.hours.pop();
    assert_eq!(offer.eligibility(3, sunday_night, age), Err(Ineligible::NotInHours));
    offer.hours.clear();
    assert_eq!(offer.eligibility(3, sunday_night, age), Err(Ineligible::StatusTooOld));
}
