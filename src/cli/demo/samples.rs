//! The spreadsheets that the demonstration imports, as three units would send them: in order, in disorder, and with
//! mistakes that must be refused.

use std::path::{Path, PathBuf};

use jiff::ToSpan;
use jiff::civil::Date;
use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};

use super::people::{Person, cast, identity_number};

/// A sample roster and the unit that sends it.
#[derive(Debug)]
pub struct SampleRoster {
    /// The file written.
    pub file: PathBuf,
    /// The unit's name.
    pub unit: &'static str,
    /// County code of the unit.
    pub county: &'static str,
    /// What is special about the sheet.
    pub about: &'static str,
}

/// Everything the demonstration imports.
#[derive(Debug)]
pub struct Samples {
    /// One roster a unit.
    pub rosters: Vec<SampleRoster>,
    /// The sheet of service hours.
    pub hours: PathBuf,
}

/// Kinds of service: item, activity, content, place.
pub(super) const WORK: [(&str, &str, &str, &str); 5] = [
    ("文明交通", "路口文明劝导", "协助行人过街、劝导非机动车", "思茅区振兴大道"),
    ("环保宣传", "周五环境集中整治", "清理绿化带与河道垃圾", "洗马河公园"),
    ("关爱空巢老人", "邻里守望", "陪伴、打扫、代购", "南屏镇五一社区"),
    ("文化服务", "图书馆志愿讲解", "引导读者、整理书架", "普洱市图书馆"),
    ("医疗卫生", "门诊导医", "协助挂号、取药", "普洱市人民医院"),
];

const HEAD: [&str; 10] =
    ["序号", "姓  名", "性别", "民族", "出生年月", "政治面貌", "身份证号码", "联系电话", "用户名", "密码"];

/// Writes the samples into `folder`; service hours are those of `year`.
///
/// # Errors
/// The folder cannot be written.
pub fn write(folder: &Path, year: i16) -> Result<Samples, XlsxError> {
    let people = cast(year);
    let (organ, rest) = people.split_at(24);
    let (school, company) = rest.split_at(24);
    Ok(Samples {
        rosters: vec![
            organ_workbook(folder.join("市直机关-志愿者统计表.xlsx"), organ)?,
            school_text(folder.join("学校-志愿者统计表.csv"), school)?,
            company_workbook(folder.join("公司-志愿者统计表.xlsx"), company, year)?,
        ],
        hours: hours_workbook(folder.join("志愿服务记录.xlsx"), &people, year)?,
    })
}

/// A roster as it should be: the official form, every row in order.
///
/// # Errors
/// The file cannot be written.
pub(super) fn plain_roster(file: &Path, unit: &str, people: &[Person]) -> Result<(), XlsxError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    title_rows(sheet, "普洱市志愿者统计表", &format!("单位名称（公章）：{unit}"))?;
    header(sheet, 2, &HEAD)?;
    for (n, person) in people.iter().enumerate() {
        let row = 3 + n as u32;
        sheet.write_number(row, 0, (n + 1) as f64)?;
        write_cells(sheet, row, 1, &cells(person, &format!("{:04}.{:02}", person.birth.year(), person.birth.month())))?;
    }
    book.save(file)
}

/// A city organ: the official form with its title, merged cells and footer; every row in order.
fn organ_workbook(file: PathBuf, people: &[Person]) -> Result<SampleRoster, XlsxError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    title_rows(sheet, "普洱市志愿者统计表", "单位名称（公章）：普洱市文化和旅游局        日期：2026年9月15日")?;
    header(sheet, 2, &HEAD)?;
    for (n, person) in people.iter().enumerate() {
        let row = 3 + n as u32;
        sheet.write_number(row, 0, (n + 1) as f64)?;
        write_cells(sheet, row, 1, &cells(person, &format!("{:04}.{:02}", person.birth.year(), person.birth.month())))?;
    }
    let foot = 3 + people.len() as u32;
    sheet.write_string(foot, 1, "合计")?;
    sheet.write_number(foot, 2, people.len() as f64)?;
    sheet.write_string(
        foot + 2,
        0,
        "本单位志愿服务工作负责人：          办公电话：          手机号码：          邮箱：",
    )?;
    book.save(&file)?;
    Ok(SampleRoster {
        file,
        unit: "普洱市文化和旅游局",
        county: "00",
        about: "官方附件2格式：标题行、合并单元格、合计与签名行；含生僻字姓名",
    })
}

/// A school: a text file in GB18030 with other headings, full-width digits, spaces and apostrophes.
fn school_text(file: PathBuf, people: &[Person]) -> Result<SampleRoster, XlsxError> {
    let mut text = String::from(
        "思茅区第九中学志愿者名单,,,,,,\r\n,,,,,,\r\n姓名,性 别,民族,出生日期,政治面貌,公民身份号码,手机号\r\n",
    );
    for (n, person) in people.iter().enumerate() {
        let birth = match n % 4 {
            0 => format!("{:04}年{}月{}日", person.birth.year(), person.birth.month(), person.birth.day()),
            1 => person.birth.to_string(),
            2 => format!("{}/{}/{}", person.birth.year(), person.birth.month(), person.birth.day()),
            _ => format!("{:04}{:02}", person.birth.year(), person.birth.month()),
        };
        let identity = match n % 3 {
            0 => format!("'{}", person.identity),
            1 => full_width(&person.identity.to_lowercase()),
            _ => person.identity.clone(),
        };
        let phone = match n % 3 {
            0 => format!("+86 {}", person.phone),
            1 => format!("{} {} {}", &person.phone[..3], &person.phone[3..7], &person.phone[7..]),
            _ => format!("{} / 0879-2120000", person.phone),
        };
        let line = [&person.name, person.sex, person.ethnicity, &birth, person.political, &identity, &phone].join(",");
        text.push_str(&line);
        text.push_str("\r\n");
        if n == 11 {
            text.push_str("\r\n姓名,性 别,民族,出生日期,政治面貌,公民身份号码,手机号\r\n");
        }
    }
    let (bytes, _, _) = encoding_rs::GB18030.encode(&text);
    std::fs::write(&file, bytes)?;
    Ok(SampleRoster {
        file,
        unit: "思茅区第九中学",
        county: "02",
        about: "GB18030 文本：全角数字、撇号、+86、空行、重复表头、各种日期写法",
    })
}

/// A company: columns in another order, and most of the mistakes that really happen.
fn company_workbook(file: PathBuf, people: &[Person], year: i16) -> Result<SampleRoster, XlsxError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    title_rows(sheet, "普洱茶源商贸有限公司 志愿者报名表", "")?;
    header(sheet, 2, &HEAD)?;
    let mut row = 3;
    for person in people {
        write_cells(sheet, row, 1, &cells(person, &format!("{}年{}月", person.birth.year(), person.birth.month())))?;
        row += 1;
    }
    let adult = Date::constant(year - 30, 5, 17);
    let mut add = |person: Person, birth: &str| -> Result<(), XlsxError> {
        write_cells(sheet, row, 1, &cells(&person, birth))?;
        row += 1;
        Ok(())
    };
    let invented = |name: &str, sex: &'static str, birth: Date, serial: u16| Person {
        name: name.to_owned(),
        sex,
        ethnicity: "汉族",
        birth,
        political: "群众",
        identity: identity_number("530802", birth, serial, sex),
        phone: format!("199000090{serial:02}"),
    };
    let text = |date: Date| format!("{}.{:02}", date.year(), date.month());
    let born = text(adult);

    let mut wrong_digit = invented("钱错位", "男", adult, 71);
    let last = if wrong_digit.identity.ends_with('0') { "1" } else { "0" };
    wrong_digit.identity.replace_range(17.., last);
    add(wrong_digit, &born)?;
    let child = Date::constant(year - 12, 3, 5);
    add(invented("冯小童", "女", child, 72), &text(child))?;
    let elder = Date::constant(year - 63, 6, 1);
    add(invented("褚长青", "男", elder, 73), &text(elder))?;
    let woman = invented("卫错性", "女", adult, 74);
    add(Person { sex: "男", ..woman }, &born)?;
    add(invented("蒋生日", "男", adult, 75), "1988.01")?;
    add(invented("韩123", "男", adult, 76), &born)?;
    let lost = invented("沈丢位", "女", adult, 77);
    let rounded = format!("{}000", &lost.identity[..15]);
    add(Person { identity: rounded, ..lost }, &born)?;
    add(people[0].clone(), &text(people[0].birth))?;
    add(Person { phone: "12345".to_owned(), ..invented("杨电话", "女", adult, 78) }, &born)?;
    add(Person { ethnicity: "云南族", ..invented("尤民族", "男", adult, 79) }, &born)?;
    add(Person { identity: String::new(), ..invented("何缺号", "女", adult, 80) }, &born)?;
    sheet.write_string(row + 1, 0, "备注：密码与用户名一致。")?;
    book.save(&file)?;
    Ok(SampleRoster {
        file,
        unit: "普洱茶源商贸有限公司",
        county: "02",
        about: "故意填错 11 行：校验位、年龄、性别、生日、姓名、丢位、重复、电话、民族、缺号",
    })
}

/// Service hours of `year`: enough for every star, and a few rows that must not count.
fn hours_workbook(file: PathBuf, people: &[Person], year: i16) -> Result<PathBuf, XlsxError> {
    // Hours a volunteer serves in the year: one of five stars, one of four, and so on; the others a little.
    const PLAN: [(usize, u32); 14] = [
        (0, 1520),
        (3, 1010),
        (4, 640),
        (5, 610),
        (6, 330),
        (7, 320),
        (10, 310),
        (25, 160),
        (26, 140),
        (27, 120),
        (28, 110),
        (50, 104),
        (51, 102),
        (52, 100),
    ];
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    title_rows(sheet, "志愿服务记录汇总", &format!("{year}年度"))?;
    header(
        sheet,
        2,
        &[
            "姓名",
            "身份证号码",
            "服务日期",
            "开始时间",
            "结束时间",
            "小时数",
            "服务项目",
            "活动名称",
            "服务内容",
            "服务地点",
        ],
    )?;
    let mut row = 3;
    let mut add = |person: &Person, date: Date, from: u32, hours: u32, work: usize| -> Result<(), XlsxError> {
        let (item, activity, content, place) = WORK[work % WORK.len()];
        let times = [format!("{from:02}:00"), format!("{:02}:00", from + hours)];
        write_cells(sheet, row, 0, &[&person.name, &person.identity, &date.to_string(), &times[0], &times[1]])?;
        sheet.write_number(row, 5, f64::from(hours))?;
        write_cells(sheet, row, 6, &[item, activity, content, place])?;
        row += 1;
        Ok(())
    };
    let first = Date::constant(year, 1, 1);
    for (who, hours) in PLAN {
        let (mut left, mut day) = (hours, 0);
        let most = if hours > 900 { 10 } else { 8 };
        while left > 0 {
            let now = left.min(most);
            add(&people[who], first + (day * 2 + who as i64 % 2).days(), 8, now, who + day as usize)?;
            left -= now;
            day += 1;
        }
    }
    for (n, person) in people.iter().enumerate().skip(12).step_by(3) {
        let saturday = Date::constant(year, (n % 12 + 1) as i8, 5);
        add(person, saturday, 9, 3, n)?;
    }
    // Must not count: the same service twice, one that overlaps another, one in the future.
    add(&people[12], Date::constant(year, 1, 5), 9, 3, 12)?;
    add(&people[12], Date::constant(year, 1, 5), 10, 4, 1)?;
    add(&people[13], Date::constant(year + 3, 1, 5), 9, 3, 1)?;
    book.save(&file)?;
    Ok(file)
}

fn cells<'a>(person: &'a Person, birth: &'a str) -> [&'a str; 9] {
    let user = "pzyz2120000";
    [
        &person.name,
        person.sex,
        person.ethnicity,
        birth,
        person.political,
        &person.identity,
        &person.phone,
        user,
        // As the form suggests; the import throws it away.
        user,
    ]
}

pub(super) fn write_cells(sheet: &mut Worksheet, row: u32, first: u16, cells: &[&str]) -> Result<(), XlsxError> {
    for (n, cell) in cells.iter().enumerate() {
        sheet.write_string(row, first + n as u16, *cell)?;
    }
    Ok(())
}

fn title_rows(sheet: &mut Worksheet, title: &str, under: &str) -> Result<(), XlsxError> {
    let big = Format::new().set_bold().set_font_size(16).set_align(FormatAlign::Center);
    sheet.merge_range(0, 0, 0, 9, title, &big)?;
    sheet.merge_range(1, 0, 1, 9, under, &Format::new())?;
    sheet.set_column_width(1, 14)?;
    sheet.set_column_width(6, 22)?;
    sheet.set_column_width(7, 14)?;
    Ok(())
}

pub(super) fn header(sheet: &mut Worksheet, row: u32, names: &[&str]) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold().set_border(FormatBorder::Thin).set_align(FormatAlign::Center);
    for (column, name) in names.iter().enumerate() {
        sheet.write_string_with_format(row, column as u16, *name, &bold)?;
    }
    Ok(())
}

fn full_width(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { char::from_u32(c as u32 + 0xFEE0).unwrap_or(c) } else { c }).collect()
}
