//! Sizes and lines that only the display list shows.

use jiff::civil::date;

use super::*;

fn card(name: &str, unit: &str) -> CardData {
    CardData {
        number: "02 0001234 9".into(),
        name: name.into(),
        unit: unit.into(),
        star: 1,
        valid_until: date(2027, 12, 31),
        code: "1".repeat(302),
        photo: None,
    }
}

/// Every line of the front: its words and its size in points.
fn lines(card: &CardData) -> Vec<(String, f32)> {
    front(card, &CardDesign::default())
        .unwrap()
        .into_iter()
        .filter_map(|item| match item {
            Item::Text(text) => Some((text.glyphs.iter().map(|glyph| glyph.character).collect(), text.size / POINT)),
            _ => None,
        })
        .collect()
}

fn size_of(card: &CardData, words: &str) -> f32 {
    lines(card).into_iter().find(|(line, _)| line == words).map(|(_, size)| size).unwrap()
}

#[test]
fn a_short_name_has_the_full_size() {
    assert!((size_of(&card("岩温扁", ""), "岩温扁") - 14.0).abs() < 0.01);
}

#[test]
fn a_long_name_shrinks_on_one_line() {
    let name = "岩".repeat(14);
    let size = size_of(&card(&name, ""), &name);
    assert!((9.0..14.0).contains(&size), "{size}");
}

#[test]
fn a_name_too_long_for_one_line_takes_two_and_loses_nothing() {
    let name: String = ('一'..).take(24).collect();
    let all: String = lines(&card(&name, "")).iter().skip(1).take(2).map(|(line, _)| line.as_str()).collect();
    assert_eq!(all, name);
}

#[test]
fn a_unit_wraps_before_it_shrinks_and_loses_nothing() {
    let unit = "普洱市思茅区思茅镇平原社区居民委员会";
    let set = lines(&card("岩温扁", unit));
    let of_unit: Vec<_> =
        set.iter().filter(|(line, _)| unit.contains(line.as_str()) && line.chars().count() > 4).collect();
    assert_eq!(of_unit.iter().map(|(line, _)| line.as_str()).collect::<String>(), unit);
    assert!(of_unit.iter().all(|(_, size)| (size - 7.5).abs() < 0.01));
    assert_eq!(of_unit.len(), 2);
}

#[test]
fn an_empty_unit_takes_its_label_with_it() {
    assert!(lines(&card("岩温扁", "")).iter().all(|(line, _)| line != "所在单位"));
}

#[test]
fn nothing_of_the_front_leaves_the_safe_margin() {
    let design = CardDesign::default();
    let long = card(&"岩".repeat(15), &"普".repeat(30));
    let items = [front_ground(&design, 5).unwrap(), front(&long, &design).unwrap(), back(&design).unwrap()];
    for item in items.iter().flatten() {
        if let Item::Text(text) = item {
            let right = text.x + text::width(&text.glyphs, text.tracking) * text.size;
            let words: String = text.glyphs.iter().map(|glyph| glyph.character).collect();
            assert!(text.x >= 4.0 && right <= 81.6, "{words}: {} to {right}", text.x);
            assert!(text.y - 0.88 * text.size >= 4.0 && text.y <= 49.98, "{words}: {}", text.y);
        }
    }
}

#[test]
fn the_module_of_a_version_8_code_is_0_42_mm_and_none_is_under_0_40() {
    let design = CardDesign::default();
    let at = |code: String| {
        let card = CardData { code, ..card("岩温扁", "") };
        super::code(&card, &design, "").map(|place| place.module)
    };
    let prefixed = |length: usize| format!("{}#{}", "a".repeat(length), "1".repeat(302));
    assert!((at(prefixed(23)).unwrap() - 0.42).abs() < 1e-4);
    assert!(at("1".repeat(287)).unwrap() > 0.42);
    for length in 24..120 {
        match at(prefixed(length)) {
            Ok(module) => assert!(module >= 0.40),
            Err(error) => assert!(matches!(error, RenderError::CodeTooLarge { .. })),
        }
    }
}
