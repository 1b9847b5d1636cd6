//! A sheet kept elsewhere row by row, and put together again: what was read once is judged and reported as on the first day.

use serde::{Deserialize, Serialize};

use super::{Cell, CellKind, CellRef, Header, Row, RowRef, Sheet};

/// What belongs to a sheet as a whole: its name, its header, how its dates count.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Layout {
    name: String,
    header: Header,
    epoch_1904: bool,
    other_sheets: Vec<String>,
}

/// A row of a sheet: its number as the spreadsheet program counts, its cells with something in them from the left.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptRow {
    /// From 1.
    pub number: u32,
    /// Column counted from 0, what it held, its text.
    pub cells: Vec<(u16, CellKind, String)>,
}

impl Sheet {
    /// What belongs to it as a whole. The last part of a sheet alone names the other worksheets.
    pub fn layout(&self) -> Layout {
        Layout {
            name: self.name.clone(),
            header: self.header.clone(),
            epoch_1904: self.epoch_1904,
            other_sheets: self.other_sheets.clone(),
        }
    }
}

impl Row<'_> {
    /// The row for keeping.
    pub fn kept(&self) -> KeptRow {
        let cells = self.cells().map(|(column, cell)| (column, cell.kind, cell.text.to_owned())).collect();
        KeptRow { number: self.number(), cells }
    }
}

impl Layout {
    /// Its header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The worksheet's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A part of the sheet made of `rows`, in order. The `first` part holds every row up to the header, which stands in it;
    /// all others lie below it.
    pub fn sheet<'r>(&self, first: bool, rows: impl IntoIterator<Item = &'r KeptRow>) -> Sheet {
        let mut sheet = Sheet {
            name: self.name.clone(),
            text: String::new(),
            cells: Vec::new(),
            rows: Vec::new(),
            header: self.header.clone(),
            continued: !first,
            epoch_1904: self.epoch_1904,
            other_sheets: self.other_sheets.clone(),
        };
        for row in rows {
            sheet.rows.push(RowRef { number: row.number, first: sheet.cells.len() as u32 });
            for (column, kind, text) in &row.cells {
                // As long as any cell that was read can be (`builder`).
                let (start, len) = (sheet.text.len() as u32, text.len().min(usize::from(u16::MAX)) as u16);
                sheet.text.push_str(&text[..text.floor_char_boundary(usize::from(len))]);
                sheet.cells.push(CellRef {
                    start,
                    len: (sheet.text.len() - start as usize) as u16,
                    column: *column,
                    kind: *kind,
                });
            }
        }
        sheet
    }
}

impl KeptRow {
    /// The cell in a column counted from 0.
    pub fn cell(&self, column: u16) -> Cell<'_> {
        let found = self.cells.iter().find(|(at, _, _)| *at == column);
        found.map_or(Cell { text: "", kind: CellKind::Empty }, |(_, kind, text)| Cell { text, kind: *kind })
    }

    /// Writes `text` into a cell as a person types it; what is unchanged stays what it was. Blanks at its ends go.
    pub fn write(&mut self, column: u16, text: &str) {
        let text = text.trim();
        if self.cell(column).text == text {
            return;
        }
        self.cells.retain(|(at, _, _)| *at != column);
        if !text.is_empty() {
            let place = self.cells.partition_point(|(at, _, _)| *at < column);
            self.cells.insert(place, (column, CellKind::Text, text.to_owned()));
        }
    }
}

impl std::fmt::Debug for KeptRow {
    /// Its number only: the cells are people's data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeptRow({})", self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, read_bytes};
    use super::*;

    #[test]
    fn a_kept_sheet_is_the_sheet() {
        let csv = "普洱市志愿者统计表,,\n姓名,身份证号码,备注\n岩温扁,530802199001010018,\n玉波罕,,缺号码\n";
        let sheet = read_bytes(csv.as_bytes(), &Limits::default()).unwrap();
        let rows: Vec<KeptRow> = sheet.rows().map(|row| row.kept()).collect();
        let json = serde_json::to_string(&sheet.layout()).unwrap();
        let layout: Layout = serde_json::from_str(&json).unwrap();
        let again = layout.sheet(true, &rows);
        let shown = |sheet: &Sheet| sheet.rows().map(|row| row.kept()).collect::<Vec<_>>();
        assert_eq!(shown(&again), shown(&sheet));
        assert_eq!(again.data_rows().count(), 2);
        assert_eq!(layout.sheet(false, &rows[2..]).data_rows().count(), 2);
    }

    #[test]
    fn what_is_typed_is_text_and_what_stays_is_what_it_was() {
        let mut row = KeptRow { number: 3, cells: vec![(1, CellKind::Number, "5308".into())] };
        row.write(1, " 5308 ");
        assert_eq!(row.cell(1).kind, CellKind::Number);
        row.write(1, "5309");
        row.write(0, "岩温扁");
        assert_eq!(row.cell(1), Cell { text: "5309", kind: CellKind::Text });
        assert_eq!(row.cells[0].0, 0);
        row.write(0, "");
        assert_eq!(row.cells.len(), 1);
    }
}
