//! A sheet read in parts: the same rows, judgements, warnings and report as in one.

use calamine::{Reader, Xlsx, open_workbook};
use rust_xlsxwriter::Workbook;
use zyz::roster::people::{Checker, RosterCheck, check};
use zyz::roster::sheet::{CellKind, read_bytes, read_in_parts};
use zyz::roster::{Limits, Reason, RowCheck, RowOutcome, Sheet, SheetError, Warning, report};

use crate::support::{FORM, TODAY, grid, number, xlsx};

/// What a part's taker may refuse with.
#[derive(Debug)]
enum Stop {
    Sheet(SheetError),
    Enough,
}

impl From<SheetError> for Stop {
    fn from(error: SheetError) -> Self {
        Self::Sheet(error)
    }
}

fn in_parts(bytes: &[u8], rows: usize) -> Result<Vec<Sheet>, SheetError> {
    let mut parts = Vec::new();
    let last = read_in_parts(bytes, &Limits::default(), rows, |part| {
        parts.push(part);
        Ok::<_, SheetError>(())
    })?;
    parts.push(last);
    Ok(parts)
}

fn judged(parts: &[Sheet]) -> RosterCheck {
    let mut checker = Checker::new(&parts[0], TODAY).unwrap();
    let rows = parts.iter().flat_map(|part| checker.part(part)).collect();
    let (skipped, warnings) = checker.finish(parts.last().unwrap());
    RosterCheck { rows, skipped, warnings }
}

/// Row number, and column, text and kind of each cell.
type Shown = Vec<(u32, Vec<(u16, String, CellKind)>)>;

fn shown<'s>(rows: impl Iterator<Item = zyz::roster::sheet::Row<'s>>) -> Shown {
    rows.map(|row| {
        (row.number(), row.cells().map(|(column, cell)| (column, cell.text.to_owned(), cell.kind)).collect())
    })
    .collect()
}

/// Title, header, people, a sum, gaps, mistakes of every scope, a second of two far from the first, a foot.
fn lines() -> Vec<Vec<String>> {
    let mut lines: Vec<Vec<String>> = vec![vec!["普洱市志愿者统计表".into()], Vec::new()];
    lines.push(FORM.split(',').map(str::to_owned).collect());
    for n in 0..40_u16 {
        if n % 9 == 4 {
            lines.push(Vec::new());
        }
        let identity = if n == 37 { number("19900501", 2) } else { number("19900501", n * 2) };
        let sex = if n == 11 { "男" } else { "女" };
        let phone = if n % 7 == 5 { String::new() } else { format!("138000000{n:02}") };
        let cells = [&n.to_string(), "张三", sex, "汉族", "1990.05", "群众", &identity, &phone, "u", "secret"];
        lines.push(cells.map(str::to_owned).to_vec());
    }
    lines.push(vec!["41".into()]);
    lines.push(vec!["合计".into(), "40".into()]);
    lines.push(vec!["负责人：某某".into()]);
    lines
}

fn csv() -> Vec<u8> {
    lines().iter().map(|cells| cells.join(",") + "\n").collect::<String>().into_bytes()
}

fn workbook() -> Vec<u8> {
    let lines = lines();
    let lines: Vec<Vec<&str>> = lines.iter().map(|cells| cells.iter().map(String::as_str).collect()).collect();
    let lines: Vec<&[&str]> = lines.iter().map(Vec::as_slice).collect();
    let mut book = Workbook::new();
    grid(book.add_worksheet(), &lines).unwrap();
    grid(book.add_worksheet(), &[&["姓名", "身份证号码"], &["李四", &number("19900501", 99)]]).unwrap();
    book.save_to_buffer().unwrap()
}

fn xls() -> Vec<u8> {
    std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/roster.xls")).unwrap()
}

#[test]
fn parts_hold_what_the_whole_holds() {
    for (bytes, kind) in [(csv(), "csv"), (workbook(), "xlsx"), (xls(), "xls")] {
        let whole = read_bytes(&bytes, &Limits::default()).unwrap();
        let expected = check(&whole, TODAY).unwrap();
        for size in [1, 2, 3, 5, 7, 16, 43, 1_000] {
            let parts = in_parts(&bytes, size).unwrap();
            assert_eq!(shown(parts.iter().flat_map(Sheet::rows)), shown(whole.rows()), "{kind}, {size}");
            assert_eq!(shown(parts.iter().flat_map(Sheet::data_rows)), shown(whole.data_rows()), "{kind}, {size}");
            assert!(parts.iter().all(|part| part.rows().next().is_some()), "{kind}, {size}: no part is empty");
            for part in &parts {
                assert_eq!(part.header().headings().collect::<Vec<_>>(), whole.header().headings().collect::<Vec<_>>());
                assert_eq!((part.name(), part.epoch_1904()), (whole.name(), whole.epoch_1904()));
            }
            let (last, before) = parts.split_last().unwrap();
            assert_eq!(last.other_sheets(), whole.other_sheets());
            assert!(before.iter().all(|part| part.other_sheets().is_empty()));
            assert_eq!(judged(&parts), expected, "{kind}, {size}");
        }
        assert_eq!(in_parts(&bytes, 1_000).unwrap().len(), 1);
    }
}

#[test]
fn the_sample_has_what_is_compared() {
    let result = judged(&in_parts(&workbook(), 4).unwrap());
    let last = result.rows.last().unwrap();
    let first = result.rows[1].row;
    let RowCheck::Refused(problems) = &result.rows[37].check else { panic!("row 37 is the second of two") };
    assert_eq!(problems.iter().map(|p| &p.reason).collect::<Vec<_>>(), [&Reason::Duplicate { row: first }]);
    assert!(last.row > 45 && result.skipped.len() == 3);
    assert!(result.warnings.iter().any(|w| matches!(w, Warning::NoPhone { count: 5, .. })), "{:?}", result.warnings);
    assert!(result.warnings.iter().any(|w| matches!(w, Warning::OtherSheets { .. })), "{:?}", result.warnings);
    assert!(result.warnings.contains(&Warning::PasswordDropped));
}

#[test]
fn a_second_header_row_stays_with_the_first() {
    let two = "姓名,性别,联系方式,,身份证号码\n,,手机,邮箱,\n";
    let people: String = (0..4).map(|n| format!("张三,女,1380000000{n},,{}\n", number("19900501", n * 2))).collect();
    let bytes = format!("{two}{people}").into_bytes();
    let parts = in_parts(&bytes, 1).unwrap();
    assert_eq!(parts[0].rows().count(), 2, "cut only when nothing can change the header");
    assert!(parts.iter().all(|part| part.header().depth() == 2));
    assert_eq!(parts.len(), 5);
    assert_eq!(judged(&parts), check(&read_bytes(&bytes, &Limits::default()).unwrap(), TODAY).unwrap());
}

#[test]
fn a_report_on_parts_is_that_on_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let cells = |size: usize| {
        let parts = in_parts(&workbook(), size).unwrap();
        let result = judged(&parts);
        let outcomes: Vec<(u32, RowOutcome)> = result
            .rows
            .into_iter()
            .map(|row| match row.check {
                RowCheck::Refused(problems) => (row.row, RowOutcome::Refused(problems)),
                RowCheck::Accepted(_) => (row.row, RowOutcome::New),
            })
            .collect();
        let path = folder.path().join(format!("{size}.xlsx"));
        report::write(&path, &parts, &outcomes, &result.warnings, TODAY).unwrap();
        let mut book: Xlsx<_> = open_workbook(&path).unwrap();
        book.worksheets()
            .into_iter()
            .map(|(name, range)| (name, range.cells().map(|(r, c, v)| (r, c, v.to_string())).collect::<Vec<_>>()))
            .collect::<Vec<_>>()
    };
    let whole = cells(1_000);
    assert_eq!(cells(6), whole);
    assert_eq!(cells(1), whole);
}

#[test]
fn limits_count_over_all_parts() {
    let read = |limits: Limits| {
        let mut parts = 0;
        let done = read_in_parts(&csv(), &limits, 5, |_| {
            parts += 1;
            Ok::<_, SheetError>(())
        });
        (parts, done.unwrap_err())
    };
    let (parts, error) = read(Limits { rows: 30, ..Limits::default() });
    assert!(matches!(error, SheetError::TooManyRows { limit: 30 }), "{error:?}");
    assert_eq!(parts, 6, "what came before was handed over");
    let (_, error) = read(Limits { text_bytes: 1_500, ..Limits::default() });
    assert!(matches!(error, SheetError::TooMuchText { limit: 1_500 }), "{error:?}");
}

#[test]
fn whoever_has_enough_ends_the_reading() {
    let mut parts = 0;
    let ended = read_in_parts(&workbook(), &Limits::default(), 5, |_| {
        parts += 1;
        if parts == 3 { Err(Stop::Enough) } else { Ok(()) }
    });
    assert!(matches!(ended, Err(Stop::Enough)), "{ended:?}");
    assert_eq!(parts, 3);
    let refused = read_in_parts(b"%PDF-1.7", &Limits::default(), 5, |_| Err(Stop::Enough));
    assert!(matches!(refused, Err(Stop::Sheet(SheetError::WrongKind(_)))), "{refused:?}");
}

#[test]
#[should_panic(expected = "the taker's own")]
fn a_panic_of_the_takers_is_not_the_files() {
    let _ = read_in_parts(&csv(), &Limits::default(), 5, |_| -> Result<(), SheetError> { panic!("the taker's own") });
}

#[test]
fn a_sheet_without_header_hands_nothing_over() {
    let bytes = xlsx(|sheet| grid(sheet, &vec![&["一", "二"][..]; 60]));
    let read = read_in_parts(&bytes, &Limits::default(), 1, |_| -> Result<(), SheetError> { panic!("a part") });
    assert!(matches!(read, Err(SheetError::NoHeader { .. })), "{read:?}");
}
