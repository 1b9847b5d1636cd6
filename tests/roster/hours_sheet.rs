//! Sheets of service hours.

use jiff::civil::date;
use zyz::domain::hours::HoursError;
use zyz::roster::hours::{HoursCheck, Who, check};
use zyz::roster::{HeaderError, Reason, Warning};

use crate::support::{TODAY, number, read, reasons_in};

/// A certificate number: MOD 11-10 over the first nine digits.
fn certificate(nine: &str) -> String {
    let product = nine.bytes().fold(10, |product, b| {
        let sum = (product + u32::from(b - b'0')) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    format!("{nine}{}", (11 - product) % 10)
}

const HEADER: &str = "序号,证书编号,姓名,服务日期,开始时间,结束时间,小时数,活动名称,服务内容,地点,服务项目";

fn judged(lines: &[&str]) -> HoursCheck {
    check(&read(format!("{HEADER}\n{}\n", lines.join("\n"))), TODAY, &[]).unwrap()
}

fn row(changes: &[(usize, &str)]) -> Vec<(String, Reason)> {
    let who = certificate("020001234");
    let mut cells = vec![
        "1",
        who.as_str(),
        "张三",
        "2026-11-20",
        "08:30",
        "11:30",
        "3",
        "清扫活动",
        "清扫街道",
        "思茅区",
        "社区服务",
    ];
    for &(column, text) in changes {
        cells[column] = text;
    }
    reasons_in(&judged(&[&cells.join(",")]).rows)
}

fn one(changes: &[(usize, &str)], cell: &str, reason: Reason) {
    assert_eq!(row(changes), [(cell.to_owned(), reason)]);
}

#[test]
fn a_good_row() {
    let who = certificate("020001234");
    let result = judged(&[&format!("1,{who},张三,2026-11-20,08:30,11:30,2.5,清扫活动,清扫街道,思茅区,社区服务")]);
    let service = result.accepted().next().unwrap();
    assert_eq!(service.who, Who::Number(who));
    assert_eq!(service.entry.time.date, date(2026, 11, 20));
    assert_eq!(service.entry.time.minutes, 150);
    assert_eq!(service.entry.item.unwrap().name(), "社区服务");
    assert!(!service.entry.late);
}

#[test]
fn who_it_was() {
    one(&[(1, "")], "B2", Reason::WhoMissing);
    one(&[(1, "12345")], "B2", Reason::NumberLength { digits: 5 });
    let wrong = certificate("020001234").replace("1234", "1235");
    one(&[(1, &wrong)], "B2", Reason::NumberCheck);
    let good = certificate("020001234");
    let grouped = format!("{} {} {}", &good[..2], &good[2..9], &good[9..]);
    assert_eq!(row(&[(1, &grouped)]), []);
}

#[test]
fn by_identity_number() {
    let id = number("19900501", 1);
    let text =
        format!("姓名,身份证号码,日期,小时数,内容\n张三,{id},2026年11月20日,3小时,植树\n李四,,2026-11-20,3,植树\n");
    let result = check(&read(text), TODAY, &[]).unwrap();
    assert!(matches!(result.accepted().next().unwrap().who, Who::Identity(n) if n.as_str() == id));
    assert_eq!(result.problems().next().unwrap().reason, Reason::WhoMissing);
}

#[test]
fn impossible_hours() {
    one(&[(6, "0")], "G2", Reason::Hours(HoursError::NotPositive));
    one(&[(6, "-2")], "G2", Reason::Hours(HoursError::NotPositive));
    one(&[(4, ""), (5, ""), (6, "25")], "G2", Reason::Hours(HoursError::OverADay));
    one(&[(6, "4")], "G2", Reason::Hours(HoursError::OverSpan { claimed: 240, span: 180 }));
    one(&[(4, ""), (5, ""), (6, "")], "G2", Reason::Hours(HoursError::Missing));
    one(&[(6, "很多")], "G2", Reason::HoursText("很多".into()));
    assert!(
        matches!(&row(&[(4, "22:00"), (5, "02:00")])[..], [(cell, Reason::Hours(HoursError::EndBeforeStart { .. }))] if cell == "F2")
    );
    one(&[(4, "早上")], "E2", Reason::Time("早上".into()));
    one(&[(5, "25:00")], "F2", Reason::Time("25:00".into()));
}

#[test]
fn dates() {
    assert!(
        matches!(&row(&[(3, "2026-11-24")])[..], [(cell, Reason::Hours(HoursError::Future { .. }))] if cell == "D2")
    );
    one(&[(3, "")], "D2", Reason::DateMissing);
    one(&[(3, "2026.11")], "D2", Reason::Date("2026.11".into()));
    one(&[(3, "1999-01-01")], "D2", Reason::DateTooEarly(date(1999, 1, 1)));
    assert_eq!(row(&[(3, "2026/11/20")]), []);
}

#[test]
fn content_and_item() {
    one(&[(10, "扫地")], "K2", Reason::Item("扫地".into()));
    one(&[(7, ""), (8, ""), (10, "")], "I2", Reason::ContentMissing);
    assert_eq!(row(&[(10, "\"\"\"五老\"\"服务\"")]), []);
    assert_eq!(row(&[(10, "“五老”服务"), (7, "")]), []);
}

#[test]
fn repeats_overlaps_and_days_of_more_than_24_hours() {
    let who = certificate("020001234");
    let line = |start: &str, end: &str, what: &str| format!("1,{who},张三,2026-11-20,{start},{end},,{what},,,");
    let result = judged(&[
        &line("08:00", "10:00", "清扫"),
        &line("08:00", "10:00", "清扫"),
        &line("09:00", "11:00", "值守"),
        &line("10:00", "11:00", "值守"),
        &format!("1,{who},张三,2026-11-20,,,22,巡逻,,,"),
    ]);
    let reasons: Vec<_> = result.problems().map(|p| (p.row, p.reason.to_string())).collect();
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    assert_eq!(reasons[0].0, 3);
    assert!(reasons[0].1.contains("与第 2 行 2026-11-20 的记录重复"), "{}", reasons[0].1);
    assert!(reasons[1].1.contains("重叠"), "{}", reasons[1].1);
    assert!(reasons[2].1.contains("合计 25 小时"), "{}", reasons[2].1);
}

#[test]
fn others_may_serve_at_the_same_time() {
    let (a, b) = (certificate("020001234"), certificate("020001235"));
    let result = judged(&[
        &format!("1,{a},张三,2026-11-20,08:00,10:00,,清扫,,,"),
        &format!("2,{b},李四,2026-11-20,08:00,10:00,,清扫,,,"),
    ]);
    assert_eq!(result.accepted().count(), 2);
}

#[test]
fn late_entries_are_flagged_not_refused() {
    let who = certificate("020001234");
    let line = |day: &str| format!("1,{who},张三,{day},,,2,清扫,,,");
    // 2026-11-23 is a Monday; ten working days before it is Monday the 9th.
    let result = judged(&[&line("2026-11-09"), &line("2026-11-06")]);
    let late: Vec<_> = result.accepted().map(|s| s.entry.late).collect();
    assert_eq!(late, [false, true]);
    assert!(result.warnings.contains(&Warning::Late { count: 1, first: 3 }));
    let sheet = read(format!("{HEADER}\n{}\n", line("2026-11-06")));
    let with_holiday = check(&sheet, TODAY, &[date(2026, 11, 10)]).unwrap();
    assert!(with_holiday.accepted().all(|s| !s.entry.late));
}

#[test]
fn a_time_column_may_hold_the_span_or_the_date_too() {
    let who = certificate("020001234");
    let text = format!("证书编号,服务时间,内容\n{who},2026-11-20 8:30-11:30,植树\n{who},2026年11月21日 3小时,植树\n");
    let result = check(&read(text), TODAY, &[]).unwrap();
    let service = result.accepted().next().unwrap();
    assert_eq!((service.entry.time.date, service.entry.time.minutes), (date(2026, 11, 20), 180));
}

#[test]
fn missing_columns_are_named() {
    let error = check(&read("姓名,证书编号\n"), TODAY, &[]).unwrap_err();
    let HeaderError::Missing { columns, .. } = error else { panic!() };
    assert_eq!(columns, ["服务日期", "小时数", "服务内容"]);
}
