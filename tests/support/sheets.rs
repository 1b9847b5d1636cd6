//! Invented people and the sheets they come in.

use std::path::Path;

use jiff::civil::Date;
use rust_xlsxwriter::Workbook;
use zyz::domain::identity::check_character_for;

/// Headings of 附件2.
pub const HEAD: [&str; 9] =
    ["序号", "姓  名", "性别", "民族", "出生年月", "政治面貌", "身份证号码", "联系电话", "密码"];

/// One invented person, as a row of 附件2.
#[derive(Debug, Clone)]
pub struct Somebody {
    /// 姓名.
    pub name: String,
    /// 性别.
    pub sex: String,
    /// Birth date.
    pub birth: Date,
    /// 身份证号码.
    pub identity: String,
    /// 联系电话.
    pub phone: String,
}

/// The `n`th invented person, always the same: adult, of alternating sex.
pub fn person(n: usize) -> Somebody {
    const FAMILY: [&str; 10] = ["李", "王", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴"];
    const GIVEN: [&str; 10] = ["建国", "秀英", "思雨", "浩然", "桂芳", "志强", "婷婷", "小满", "云飞", "丽华"];
    let male = n.is_multiple_of(2);
    let birth = Date::constant(1975 + (n % 25) as i16, (n % 12 + 1) as i8, (n % 28 + 1) as i8);
    Somebody {
        name: format!("{}{}", FAMILY[n / 10 % 10], GIVEN[n % 10]),
        sex: if male { "男" } else { "女" }.into(),
        birth,
        identity: identity(birth, n as u32 / 25, male),
        phone: format!("199{:08}", n),
    }
}

/// The first `count` invented people.
pub fn people(count: usize) -> Vec<Somebody> {
    (0..count).map(person).collect()
}

/// A right identity number for somebody born on `birth`.
pub fn identity(birth: Date, serial: u32, male: bool) -> String {
    let area = 530_802 + (serial / 440);
    let order = 100 + serial % 440 * 2 + u32::from(male);
    let first = format!("{area}{:04}{:02}{:02}{order:03}", birth.year(), birth.month(), birth.day());
    let check = check_character_for(&first).unwrap();
    format!("{first}{check}")
}

/// Writes `people` as 附件2 with a title row; the 密码 column holds words that must turn up nowhere.
pub fn roster(file: &Path, people: &[Somebody]) {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write(0, 0, "普洱市志愿者统计表").unwrap();
    for (column, name) in HEAD.iter().enumerate() {
        sheet.write(1, column as u16, *name).unwrap();
    }
    for (n, person) in people.iter().enumerate() {
        let row = n as u32 + 2;
        sheet.write(row, 0, (n + 1) as u32).unwrap();
        let birth = format!("{:04}.{:02}", person.birth.year(), person.birth.month());
        let cells =
            [&person.name, &person.sex, "汉族", &birth, "群众", &person.identity, &person.phone, "secret-pw-77"];
        for (column, cell) in cells.iter().enumerate() {
            sheet.write(row, column as u16 + 1, *cell).unwrap();
        }
    }
    book.save(file).unwrap();
}

/// One row of a sheet of service hours.
#[derive(Debug, Clone)]
pub struct Service {
    /// Whose: identity or certificate number.
    pub who: String,
    /// Date.
    pub date: Date,
    /// From, like `08:00`.
    pub from: String,
    /// To.
    pub to: String,
    /// 服务内容.
    pub content: String,
}

/// Writes service hours.
pub fn services(file: &Path, rows: &[Service]) {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, name) in
        ["证书编号", "身份证号码", "服务日期", "开始时间", "结束时间", "服务内容", "活动名称", "服务项目"]
            .iter()
            .enumerate()
    {
        sheet.write(0, column as u16, *name).unwrap();
    }
    for (n, row) in rows.iter().enumerate() {
        let date = row.date.to_string();
        let (number, identity) = if row.who.len() == 10 { (&*row.who, "") } else { ("", &*row.who) };
        let cells = [number, identity, &date, &row.from, &row.to, &row.content, "社区清洁", "环保宣传"];
        for (column, cell) in cells.iter().enumerate() {
            sheet.write(n as u32 + 1, column as u16, *cell).unwrap();
        }
    }
    book.save(file).unwrap();
}

/// Enough rows for `hours` of service in `year`: eight a day from 1 January.
pub fn hours_of(who: &str, year: i16, hours: u32) -> Vec<Service> {
    let mut rows = Vec::new();
    let mut day = Date::constant(year, 1, 1);
    let mut left = hours;
    while left > 0 {
        let now = left.min(8);
        rows.push(Service {
            who: who.into(),
            date: day,
            from: "08:00".into(),
            to: format!("{:02}:00", 8 + now),
            content: "清理河道".into(),
        });
        left -= now;
        day = day.tomorrow().unwrap();
    }
    rows
}
