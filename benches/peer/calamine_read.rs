//! Reads the first sheet of a workbook with calamine and nothing else: the yardstick for `zyz roster import`.
//!
//! `calamine_read FILE cells|range` reads cell by cell, or into a `Range` as most programs do; it prints the number of
//! cells that hold something.
#![expect(clippy::print_stdout, reason = "a program to be timed, which prints its one figure")]

use std::error::Error;

use calamine::{DataRef, Reader, Xlsx, open_workbook};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(how)) = (arguments.next(), arguments.next()) else {
        return Err("usage: calamine_read FILE cells|range".into());
    };
    let mut book: Xlsx<_> = open_workbook(file)?;
    let sheet = book.sheet_names().first().cloned().ok_or("no sheet")?;
    let mut count = 0_usize;
    match how.as_str() {
        "cells" => {
            let mut cells = book.worksheet_cells_reader(&sheet)?;
            while let Some(cell) = cells.next_cell()? {
                count += usize::from(!matches!(cell.get_value(), DataRef::Empty));
            }
        }
        "range" => count = book.worksheet_range(&sheet)?.used_cells().count(),
        other => return Err(format!("neither cells nor range: {other}").into()),
    }
    println!("{count}");
    Ok(())
}
