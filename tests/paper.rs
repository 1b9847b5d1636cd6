//! A4 documents of text and tables, read back with poppler where it is there. Pages to look at are left in cargo's
//! `target/tmp/paper`.

#![allow(clippy::unwrap_used, reason = "a test that unwraps has found a fault")]

use std::fs;
use std::path::PathBuf;

use zyz::render::RenderError;
use zyz::render::paper::{Align, Cell, Paper, Style, Table};

fn paper() -> Paper {
    Paper::new("样例文书", "普洱市志愿服务联合会", "2026-11-23T08:00:00Z".parse().unwrap())
}

fn keep(name: &str, bytes: &[u8]) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("paper");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), bytes).unwrap();
}

fn long_table() -> Table {
    let mut table = Table::new(&[1.0, 2.0, 4.0, 1.5])
        .head([Cell::new("序号").down(2), Cell::new("人员").across(2), Cell::new("小时").down(2)])
        .head([Cell::new("姓名"), Cell::new("内容")]);
    for row in 1..=80 {
        let content = if row % 7 == 0 {
            "在社区为老年人讲解防诈骗知识，并协助办理医保缴费与认证等事项"
        } else {
            "交通文明劝导"
        };
        table.row([
            Cell::new(row.to_string()).right(),
            Cell::new("岩温扁").centred(),
            Cell::new(content),
            Cell::new("2.5").right(),
        ]);
    }
    table
}

#[test]
fn a_document_to_look_at() {
    let mut paper = paper();
    paper.title("志愿服务记录簿").unwrap();
    paper.line(&["单位名称：普洱市第二中学", "日期：2026年11月23日"], 10.5).unwrap();
    paper
        .paragraph(
            "根据《志愿服务记录与证明出具办法（试行）》，特此记录。".repeat(6).as_str(),
            Style { indent: 2.0, ..Style::default() },
        )
        .unwrap();
    let mut boxes = Table::new(&[1.0, 5.0]);
    boxes.row([
        Cell::new("服务\n项目").centred(),
        Cell::choices([
            (true, "法律宣传"),
            (false, "医疗卫生"),
            (true, "“五老”服务"),
            (false, "关爱留守儿童"),
            (false, "应急救援服务"),
            (true, "其他"),
        ]),
    ]);
    boxes.tall_row(30.0, [Cell::new("意见").centred(), Cell::new("同意注册。").top()]);
    paper.table(&boxes).unwrap();
    paper.heading("明细").unwrap();
    paper.table(&long_table()).unwrap();
    paper.paragraph("（盖章）", Style { align: Align::Right, ..Style::default() }).unwrap();
    let bytes = paper.finish().unwrap();
    keep("sample.pdf", &bytes);
    assert!(bytes.starts_with(b"%PDF-1.7"));
    assert_eq!(pages(&bytes), 3);
}

#[test]
fn lying_and_upright_pages_have_their_size() {
    let upright = {
        let mut p = paper();
        p.title("竖").unwrap();
        p.finish().unwrap()
    };
    let lying = {
        let mut p = paper().landscape();
        p.title("横").unwrap();
        p.table(&long_table()).unwrap();
        p.finish().unwrap()
    };
    keep("lying.pdf", &lying);
    assert_ne!(upright, lying);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let make = || {
        let mut p = paper();
        p.title("同").unwrap();
        p.table(&long_table()).unwrap();
        p.finish().unwrap()
    };
    assert_eq!(make(), make());
}

#[test]
fn a_character_without_a_font_is_named_with_whose_it_is() {
    let mut paper = paper();
    paper.about("张𠀀（证书编号 02 0000001 4）");
    let mut table = Table::new(&[1.0]);
    table.row([Cell::new("张𠀀").field("姓名")]);
    let error = paper.table(&table).unwrap_err();
    assert!(matches!(&error, RenderError::MissingGlyph(missing) if missing.character == '𠀀'));
    let words = error.to_string();
    assert!(words.contains("张𠀀（证书编号 02 0000001 4）的姓名中") && words.contains("U+20000"), "{words}");
    assert!(matches!(paper.title("铃\u{7}"), Err(RenderError::MissingGlyph(_))));
}

#[test]
fn what_fits_no_page_is_refused_not_cut_off() {
    let mut table = Table::new(&[1.0]);
    table.tall_row(400.0, [Cell::new("很高")]);
    assert!(matches!(paper().table(&table), Err(RenderError::TextTooLong { .. })));
    assert!(matches!(paper().line(&["长".repeat(60).as_str(), "短"], 10.5), Err(RenderError::TextTooLong { .. })));
}

#[test]
fn a_document_without_words_is_still_a_document() {
    assert!(paper().unnumbered().finish().is_ok());
}

mod annex1 {
    use jiff::civil::date;
    use zyz::domain::application::ApplicationText;
    use zyz::render::Fonts;
    use zyz::render::form::{Annex1, annex1};

    use super::*;

    fn filled() -> ApplicationText {
        ApplicationText {
            applied_on: "2026-11-23".into(),
            name: "岩温扁".into(),
            position: "科员".into(),
            political: "共青团员".into(),
            sex: "男".into(),
            birth_date: "2009-05-01".into(),
            ethnicity: "傣族".into(),
            identity: "530802199001010018".into(),
            education: "高中".into(),
            school: "普洱市第一中学".into(),
            major: "—".into(),
            workplace: "普洱市人力资源和社会保障局城乡居民社会养老保险中心".into(),
            work_position: "学生".into(),
            nature: "事业单位和国有企业".into(),
            address: "云南省普洱市思茅区茶城大道 1 号".into(),
            postcode: "665000".into(),
            email: "yan@example.cn".into(),
            mobile: "13800000000".into(),
            qq: "123456".into(),
            office_phone: "0879-2123456".into(),
            resume: "2021 年 9 月至 2024 年 7 月，普洱市第二中学；\n2024 年 9 月至今，普洱市第一中学。".repeat(6),
            items: vec!["1".into(), "8".into(), "25".into(), "32".into()],
            national_number: "5308020000123".into(),
            guardian_name: "岩罕".into(),
            guardian_relation: "父亲".into(),
            guardian_phone: "13900000000".into(),
            guardian_consent: "2026-11-20".into(),
        }
    }

    fn print(form: &Annex1) -> Vec<u8> {
        annex1(form, "普洱市志愿服务联合会", &Fonts::embedded(), "2026-11-23T08:00:00Z".parse().unwrap()).unwrap()
    }

    #[test]
    fn both_copies_are_a_page_each_and_marked() {
        let text = filled();
        let opinion = Some(("同意注册。", "普洱市志愿服务联合会", date(2026, 11, 23)));
        let bytes = print(&Annex1 { unit: "普洱市第一中学", text: Some(&text), opinion });
        keep("annex1.pdf", &bytes);
        let blank = print(&Annex1::default());
        keep("annex1-blank.pdf", &blank);
        for (name, pdf) in [("filled", &bytes), ("blank", &blank)] {
            assert_eq!(pages(pdf), 2, "{name}");
        }
    }

    #[test]
    fn the_longest_allowed_form_still_fits_a_page() {
        let mut text = filled();
        text.resume = "历".repeat(400);
        text.address = "路".repeat(80);
        text.workplace = "局".repeat(60);
        text.items = (1..=32).map(|code: i32| code.to_string()).collect();
        let bytes = print(&Annex1 { unit: "普洱市第一中学", text: Some(&text), opinion: None });
        keep("annex1-long.pdf", &bytes);
        assert_eq!(pages(&bytes), 2);
    }

    #[test]
    fn a_character_without_a_font_names_the_form() {
        let text = ApplicationText { name: "张𠀀".into(), ..filled() };
        let form = Annex1 { unit: "样例单位", text: Some(&text), opinion: None };
        let created = "2026-11-23T08:00:00Z".parse().unwrap();
        let error = annex1(&form, "联合会", &Fonts::embedded(), created).unwrap_err().to_string();
        assert!(error.contains("张𠀀的登记表") && error.contains("姓名"), "{error}");
    }
}

/// Pages by the count in the page tree.
fn pages(pdf: &[u8]) -> usize {
    let text = String::from_utf8_lossy(pdf);
    let at = text.find("/Count ").expect("a page tree says how many pages it has");
    text[at + 7..].chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
}
