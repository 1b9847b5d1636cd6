//! The list for public notice.

use calamine::{Reader, Xlsx, open_workbook};
use zyz::roster::star_list::{StarRow, write};

use crate::support::TODAY;

#[test]
fn it_shows_names_numbers_and_hours() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("公示.xlsx");
    let row = StarRow {
        name: "岩温扁".into(),
        unit: "=某某单位".into(),
        number: "02 0001234 9".into(),
        year_minutes: 18_030,
        total_minutes: 90_000,
        star: 3,
    };
    write(&path, "2026 年度星级志愿者公示名单", "公示期五个工作日。", &[row], TODAY).unwrap();
    let mut book: Xlsx<_> = open_workbook(&path).unwrap();
    let range = book.worksheet_range_at(0).unwrap().unwrap();
    let line: Vec<String> =
        (0..7).map(|c| range.get_value((3, c)).map(ToString::to_string).unwrap_or_default()).collect();
    assert_eq!(line, ["1", "岩温扁", "=某某单位", "02 0001234 9", "300.5", "1500", "三星级"]);
    assert_eq!(range.get_value((2, 6)).unwrap().to_string(), "拟认定星级");
}
