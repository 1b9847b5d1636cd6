//! A roster of 100,000 rows: what calamine alone takes to read it, and what reading and judging it takes here.
//!
//! `cargo bench --bench roster`

use std::hint::black_box;
use std::io::Cursor;
use std::time::Duration;

use calamine::{Reader, Xlsx};
use criterion::{Criterion, criterion_group, criterion_main};
use jiff::civil::date;
use rust_xlsxwriter::Workbook;
use zyz::domain::identity::check_character_for;
use zyz::roster::{Limits, people, sheet};

const ROWS: u32 = 100_000;

fn roster() -> Vec<u8> {
    let mut book = Workbook::new();
    let page = book.add_worksheet();
    let headings = ["序号", "姓名", "性别", "民族", "出生年月", "政治面貌", "身份证号码", "联系电话", "用户名", "密码"];
    page.write_string(0, 0, "普洱市志愿者统计表").expect("a cell");
    page.write_row(2, 0, headings).expect("a header");
    for row in 0..ROWS {
        // One birth date for every thousand people, who differ in their serial.
        let (day, serial) = (row / 1_000, row % 1_000);
        let birth = date(1970 + (day / 12 % 36) as i16, (day % 12 + 1) as i8, (day % 28 + 1) as i8);
        let digits = format!("530802{}{serial:03}", birth.strftime("%Y%m%d"));
        let number = format!("{digits}{}", check_character_for(&digits).expect("seventeen digits"));
        let name: String =
            [row % 97, row / 97 % 89, row / 8633].into_iter().filter_map(|n| char::from_u32(0x4E00 + 7 * n)).collect();
        let at = row + 3;
        page.write_number(at, 0, row + 1).expect("a cell");
        let texts = [
            name,
            if serial % 2 == 1 { "男" } else { "女" }.to_owned(),
            "汉族".to_owned(),
            birth.strftime("%Y.%m").to_string(),
            "群众".to_owned(),
            number,
            format!("138{row:08}"),
            format!("user{row}"),
            "abc123".to_owned(),
        ];
        for (column, text) in (1_u16..).zip(texts) {
            page.write_string(at, column, text).expect("a cell");
        }
    }
    book.save_to_buffer().expect("a workbook")
}

fn bench(c: &mut Criterion) {
    let bytes = roster();
    let today = date(2026, 11, 23);
    let mut group = c.benchmark_group("roster of 100,000 rows");
    group.sample_size(10).measurement_time(Duration::from_secs(20));
    group.bench_function("calamine alone, range", |b| {
        b.iter(|| {
            let mut book = Xlsx::new(Cursor::new(&bytes[..])).expect("a workbook");
            black_box(book.worksheet_range_at(0).expect("a sheet").expect("a range"))
        });
    });
    group.bench_function("calamine alone, cells", |b| {
        b.iter(|| {
            let mut book = Xlsx::new(Cursor::new(&bytes[..])).expect("a workbook");
            let mut cells = book.worksheet_cells_reader("Sheet1").expect("a sheet");
            while let Some(cell) = cells.next_cell().expect("a cell") {
                black_box(cell);
            }
        });
    });
    group.bench_function("read", |b| {
        b.iter(|| black_box(sheet::read_bytes(&bytes, &Limits::default()).expect("a sheet")));
    });
    group.bench_function("read and check", |b| {
        b.iter(|| {
            let sheet = sheet::read_bytes(&bytes, &Limits::default()).expect("a sheet");
            let check = people::check(&sheet, today).expect("a header");
            assert_eq!(check.accepted().count(), ROWS as usize);
            black_box(check)
        });
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
