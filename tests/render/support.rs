//! Cards to draw, and ways to look into what came out.

use std::io::Read;

use jiff::Timestamp;
use jiff::civil::date;
use rxing::common::{DetectorRXingResult, HybridBinarizer};
use rxing::qrcode::cpp_port::decoder::Decode;
use rxing::qrcode::cpp_port::detector::{FindFinderPatterns, GenerateFinderPatternSets, SampleQR};
use rxing::{Binarizer, Luma8Source};
use zyz::render::{CardData, CardDesign};

/// 23 characters, the longest prefix for which version 8 is promised.
pub const PREFIX: &str = "https://zyz.example.cn/";

pub fn created() -> Timestamp {
    "2026-11-23T08:00:00Z".parse().unwrap()
}

/// `length` digits that differ from card to card.
pub fn digits(length: usize, seed: u64) -> String {
    let mut state = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let digits = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'0' + ((state >> 33) % 10) as u8)
    });
    digits.take(length).collect()
}

/// The text of a code as long as a real one: a credential of 124 bytes (holder of three characters) is 302 digits.
pub fn code(prefix: &str, seed: u64) -> String {
    format!("{prefix}#{}", digits(302, seed))
}

pub fn card(index: u32, name: &str, unit: &str, star: u8) -> CardData {
    CardData {
        number: format!("02 {index:07} 4"),
        name: name.to_owned(),
        unit: unit.to_owned(),
        star,
        valid_until: date(2027, 12, 31),
        code: code(PREFIX, u64::from(index)),
        photo: None,
    }
}

/// Invented people, with the names and units that are hard to set.
pub fn samples() -> Vec<CardData> {
    vec![
        card(1234, "张三丰", "普洱市思茅区思茅镇平原社区居民委员会", 3),
        card(1235, "岩温扁", "普洱市第二中学", 0),
        card(1236, "𬭎䶮", "普洱市人力资源和社会保障局城乡居民社会养老保险中心", 5),
        card(1237, "买买提江·阿卜杜热合曼·吐尔逊", "普洱茶业（集团）股份有限公司", 1),
        card(1238, "玉波罕", "", 2),
        card(1239, "欧阳娜发", "中国移动通信集团云南有限公司普洱分公司政企客户服务中心思茅营业部", 4),
        card(1240, "𠅤㛃", "普洱学院", 3),
        card(1241, "李明", "普洱市人民医院", 1),
        card(1242, "扎妥", "孟连傣族拉祜族佤族自治县勐马镇人民政府", 2),
        card(1243, "艾嘎", "西盟佤族自治县文化馆", 0),
        card(1244, "𫖯㼆𬱖", "普洱市图书馆", 5),
    ]
}

pub fn design() -> CardDesign {
    CardDesign {
        phone: "0879-2123456".into(),
        address: "云南省普洱市思茅区茶城大道 1 号".into(),
        ..CardDesign::default()
    }
}

/// What the code in a PNG says.
pub fn read_code(png: &[u8]) -> Option<String> {
    let picture = image::load_from_memory(png).unwrap().into_luma8();
    read_luma(picture.as_raw(), picture.width(), picture.height())
}

pub fn read_luma(luma: &[u8], width: u32, height: u32) -> Option<String> {
    let source = Luma8Source::new_with_slice(luma, width, height).ok()?;
    let binarizer = HybridBinarizer::new(source);
    let dark = binarizer.get_black_matrix().ok()?;
    let mut patterns = FindFinderPatterns(dark, true, 0);
    GenerateFinderPatternSets(&mut patterns).iter().find_map(|set| {
        let symbol = SampleQR(dark, set).ok()?;
        let decoded = Decode(symbol.getBits()).ok().filter(|decoded| decoded.isValid())?;
        String::from_utf8(decoded.content().bytes().to_vec()).ok()
    })
}

/// Every stream of a PDF, inflated where it is deflated, in the order of the file.
pub fn streams(pdf: &[u8]) -> Vec<String> {
    let find = |needle: &[u8], from: usize| {
        pdf[from..].windows(needle.len()).position(|window| window == needle).map(|at| from + at)
    };
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(start) = find(b"stream\n", at) {
        let start = start + b"stream\n".len();
        let end = find(b"\nendstream", start).unwrap();
        let mut inflated = Vec::new();
        // The shortest ones are not worth deflating.
        let shown = match flate2::read::ZlibDecoder::new(&pdf[start..end]).read_to_end(&mut inflated) {
            Ok(_) => &inflated,
            Err(_) => &pdf[start..end],
        };
        out.push(String::from_utf8_lossy(shown).into_owned());
        at = end + b"\nendstream".len();
    }
    out
}

/// How often `needle` stands in `bytes`.
pub fn count(bytes: &[u8], needle: &str) -> usize {
    bytes.windows(needle.len()).filter(|window| *window == needle.as_bytes()).count()
}
