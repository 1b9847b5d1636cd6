//! 附件1 《普洱市个人志愿者注册登记表》 on paper: the notice's layout, filled in or blank, a page for each copy (一式两份).

use jiff::Timestamp;
use jiff::civil::Date;

use super::RenderError;
use super::paper::{Align, Cell, Paper, Style, Table};
use super::text::Fonts;
use crate::domain::application::{ApplicationText, Nature};
use crate::domain::hours::ServiceItem;

/// What the two copies are for, as marked on them.
pub const COPIES: [&str; 2] = ["审批机构存档（密封）", "单位留存"];

/// The heading, as the notice prints it.
const TITLE: &str = "普洱市个人志愿者注册登记表";

/// A form to print.
#[derive(Debug, Clone, Default)]
pub struct Annex1<'a> {
    /// Unit that hands it in.
    pub unit: &'a str,
    /// What it says.
    pub text: Option<&'a ApplicationText>,
    /// The approver's words and the day, once decided.
    pub opinion: Option<(&'a str, &'a str, Date)>,
}

/// Both copies of a form, a page each; without `text`, the form to fill in by hand.
///
/// # Errors
/// A character that no font has, with whose form it is; a text that fits no page.
pub fn annex1(form: &Annex1, issuer: &str, fonts: &Fonts, created: Timestamp) -> Result<Vec<u8>, RenderError> {
    let blank = ApplicationText::default();
    let text = form.text.unwrap_or(&blank);
    let mut paper = Paper::new(TITLE, issuer, created).with_fonts(fonts.clone()).unnumbered();
    if !text.name.is_empty() {
        paper.about(format!("{}的登记表", text.name));
    }
    for (index, copy) in COPIES.into_iter().enumerate() {
        if index > 0 {
            paper.page_break();
        }
        page(&mut paper, form, text, copy)?;
    }
    paper.finish()
}

fn page(paper: &mut Paper, form: &Annex1, text: &ApplicationText, copy: &str) -> Result<(), RenderError> {
    let small = Style { size: 9.0, after: 0.0, ..Style::default() };
    paper.line(&["附件1", &format!("一式两份 · {copy}")], 9.0)?;
    paper.space(2.0);
    paper.title(TITLE)?;
    let day = day_of(&text.applied_on);
    paper.line(&[&format!("单位名称：{}", form.unit), &format!("日期：{day}")], 10.5)?;
    paper.table(&table(form, text))?;
    paper.paragraph("注：根据全国志愿服务信息系统要求填写个人信息，由志愿服务联合会封存。", small)?;
    if !text.national_number.is_empty() {
        let line = format!("已在全国志愿服务信息系统注册，编号：{}，不重复注册。", text.national_number);
        paper.paragraph(&line, small)?;
    }
    if form.text.is_none() {
        let line = "未满18周岁的，监护人同意签字：　　　　　　　关系：　　　　　电话：　　　　　　　　日期：　　　　　";
        paper.paragraph(line, small)?;
    }
    paper.paragraph("", Style { align: Align::Left, ..small })
}

fn table(form: &Annex1, text: &ApplicationText) -> Table {
    const ROW: f32 = 9.5;
    let label = |words: &str| Cell::new(words).centred();
    let value = |field: &'static str, words: &str| Cell::new(words).field(field);
    let mut table = Table::new(&[1.15, 1.6, 1.0, 1.5, 1.1, 1.65]).size(10.0);
    table.tall_row(
        ROW,
        [
            label("姓　名"),
            value("姓名", &text.name),
            label("职务"),
            value("职务", &text.position),
            label("政治面貌"),
            value("政治面貌", &text.political),
        ],
    );
    table.tall_row(
        ROW,
        [
            label("性　别"),
            value("性别", &text.sex),
            label("出生日期"),
            value("出生日期", &text.birth_date),
            label("民　族"),
            value("民族", &text.ethnicity),
        ],
    );
    let pairs = [
        ("身份证号", "身份证号", &text.identity, "学　历", "学历", &text.education),
        ("毕业学校", "毕业学校", &text.school, "专　业", "专业", &text.major),
        ("工作（学习）\n单位", "工作（学习）单位", &text.workplace, "职　务", "职务", &text.work_position),
    ];
    for (left, left_field, left_text, right, right_field, right_text) in pairs {
        let left_cell = value(left_field, left_text).across(3);
        table.tall_row(ROW, [label(left), left_cell, label(right), value(right_field, right_text)]);
    }
    let natures = Nature::ALL.map(|nature| (text.nature.trim() == nature.name(), nature.name()));
    table.tall_row(ROW, [label("工作单位\n性　质"), Cell::choices(natures).across(5)]);
    let pairs = [
        ("通讯地址", "通讯地址", &text.address, "邮　编", "邮编", &text.postcode),
        ("电子邮箱", "电子邮箱", &text.email, "移动电话", "移动电话", &text.mobile),
        ("QQ号", "QQ号", &text.qq, "办公电话", "办公电话", &text.office_phone),
    ];
    for (left, left_field, left_text, right, right_field, right_text) in pairs {
        let left_cell = value(left_field, left_text).across(3);
        table.tall_row(ROW, [label(left), left_cell, label(right), value(right_field, right_text)]);
    }
    table.tall_row(40.0, [label("个\n人\n简\n历"), value("个人简历", text.resume.trim()).across(5).top().size(9.0)]);
    let chosen: Vec<ServiceItem> = text.chosen().collect();
    let items = ServiceItem::all().map(|item| (chosen.contains(&item), item.name()));
    table.tall_row(
        ROW,
        [label("志愿服务项目\n（在相应服务项目划“√”，可选多项）").size(9.0), Cell::choices(items).across(5)],
    );
    if !text.guardian_name.is_empty() {
        let consent = format!(
            "本人同意被监护人参加志愿服务。　姓名：{}　关系：{}　电话：{}",
            text.guardian_name, text.guardian_relation, text.guardian_phone
        );
        let signature = format!("监护人签字：　　　　　　　{}", day_of(&text.guardian_consent));
        table.tall_row(
            14.0,
            [
                label("监护人意见\n（未满18周岁）").size(9.0),
                Cell::new(consent).field("监护人").across(5).top().signed(signature),
            ],
        );
    }
    let (opinion, signature) = match form.opinion {
        Some((words, by, on)) => {
            (format!("{words}\n审批机构：{by}"), format!("签章（签字）　　　　　　　　{}", chinese_day(on)))
        }
        None => (String::new(), "签章（签字）　　　　　　　　　年　　月　　日".to_owned()),
    };
    table.tall_row(
        26.0,
        [label("审批机构\n意　见"), Cell::new(opinion).field("审批机构意见").across(5).top().signed(signature)],
    );
    table
}

/// A day as forms write it, or room to write it by hand.
fn day_of(text: &str) -> String {
    match text.trim().parse::<Date>() {
        Ok(day) => chinese_day(day),
        Err(_) if text.trim().is_empty() => "　　年　　月　　日".into(),
        Err(_) => text.to_owned(),
    }
}

fn chinese_day(day: Date) -> String {
    format!("{}年{}月{}日", day.year(), day.month(), day.day())
}
