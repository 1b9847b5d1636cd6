//! Tables with borders, merged cells and a head that every page repeats.

use super::super::RenderError;
use super::super::draw::Item;
use super::super::face::{self, POINT};
use super::super::text::{Weight, width};
use super::{Align, HALF_GAP, INK, LEADING, Line, Paper, SIDE, TOP, shift};

/// Thickness of a border.
const BORDER: f32 = 0.2;
/// Between border and text: at the sides, above and below.
const PADDING: f32 = 1.4;
const PADDING_ABOVE: f32 = 0.7;

/// A cell of a [`Table`]. It grows downwards with its text.
#[derive(Debug, Clone)]
pub struct Cell {
    content: Content,
    field: &'static str,
    across: usize,
    down: usize,
    align: Align,
    top: bool,
    bold: bool,
    size: Option<f32>,
    signature: String,
}

/// A table to put on a [`Paper`].
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<f32>,
    head: Vec<Row>,
    rows: Vec<Row>,
    size: f32,
    bordered: bool,
}

#[derive(Debug, Clone)]
enum Content {
    Text(String),
    Choices(Vec<(bool, String)>),
}

#[derive(Debug, Clone)]
struct Row {
    cells: Vec<Cell>,
    /// Height at least, in millimetres.
    least: f32,
}

impl Cell {
    /// A cell with a text; line breaks in it are kept.
    pub fn new(text: impl Into<String>) -> Self {
        Self::of(Content::Text(text.into()))
    }

    /// A cell with boxes to tick, each ticked or not, that run on like text and are never broken inside.
    pub fn choices<T: Into<String>>(choices: impl IntoIterator<Item = (bool, T)>) -> Self {
        Self::of(Content::Choices(choices.into_iter().map(|(ticked, text)| (ticked, text.into())).collect()))
    }

    fn of(content: Content) -> Self {
        let (align, size) = (Align::Left, None);
        Self {
            content,
            field: "表格内容",
            across: 1,
            down: 1,
            align,
            top: false,
            bold: false,
            size,
            signature: String::new(),
        }
    }

    /// What its content is called, in Chinese, for errors.
    #[must_use]
    pub fn field(mut self, name: &'static str) -> Self {
        self.field = name;
        self
    }

    /// Over so many columns.
    #[must_use]
    pub fn across(mut self, columns: usize) -> Self {
        self.across = columns.max(1);
        self
    }

    /// Over so many rows; the rows below leave it out.
    #[must_use]
    pub fn down(mut self, rows: usize) -> Self {
        self.down = rows.max(1);
        self
    }

    /// In the middle.
    #[must_use]
    pub fn centred(mut self) -> Self {
        self.align = Align::Centre;
        self
    }

    /// At the right, for figures.
    #[must_use]
    pub fn right(mut self) -> Self {
        self.align = Align::Right;
        self
    }

    /// From the top instead of half-way down.
    #[must_use]
    pub fn top(mut self) -> Self {
        self.top = true;
        self
    }

    /// Bold.
    #[must_use]
    pub fn bold(mut self) -> Self {
        self.bold = true;
        self
    }

    /// With a line at its foot, at the right, where somebody signs or stamps.
    #[must_use]
    pub fn signed(mut self, line: impl Into<String>) -> Self {
        self.signature = line.into();
        self
    }

    /// In another size than the table's, in points.
    #[must_use]
    pub fn size(mut self, points: f32) -> Self {
        self.size = Some(points);
        self
    }
}

impl Table {
    /// A table as wide as the page allows; `columns` are the widths' shares of it.
    pub fn new(columns: &[f32]) -> Self {
        Self { columns: columns.to_vec(), head: Vec::new(), rows: Vec::new(), size: 9.5, bordered: true }
    }

    /// A row of the head, bold and in the middle, repeated on every page. Several make a head of several rows.
    #[must_use]
    pub fn head(mut self, cells: impl IntoIterator<Item = Cell>) -> Self {
        let cells = cells.into_iter().map(|cell| cell.bold().centred()).collect();
        self.head.push(Row { cells, least: 0.0 });
        self
    }

    /// Size of the text, in points.
    #[must_use]
    pub fn size(mut self, points: f32) -> Self {
        self.size = points;
        self
    }

    /// Without borders, to put things side by side.
    #[must_use]
    pub fn plain(mut self) -> Self {
        self.bordered = false;
        self
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) -> &mut Self {
        self.tall_row(0.0, cells)
    }

    /// Adds a row at least so many millimetres high.
    pub fn tall_row(&mut self, least: f32, cells: impl IntoIterator<Item = Cell>) -> &mut Self {
        self.rows.push(Row { cells: cells.into_iter().collect(), least });
        self
    }
}

/// A cell with its place and its lines.
struct Laid<'a> {
    cell: &'a Cell,
    row: usize,
    left: f32,
    width: f32,
    size: f32,
    lines: Vec<Line>,
    signature: Vec<Line>,
}

impl Laid<'_> {
    fn height(&self) -> f32 {
        (self.lines.len() + self.signature.len()) as f32 * LEADING * self.size * POINT + 2.0 * PADDING_ABOVE
    }
}

impl Paper {
    /// Adds a table. Rows are never broken; rows joined by merged cells stay together.
    ///
    /// # Errors
    /// A character without a font; rows that fit no page.
    pub fn table(&mut self, table: &Table) -> Result<(), RenderError> {
        let (head, head_heights) = self.lay(table, &table.head)?;
        let head_height: f32 = head_heights.iter().sum();
        let (body, heights) = self.lay(table, &table.rows)?;
        let mut first_on_page = true;
        for (from, to) in groups(&table.rows) {
            let height: f32 = heights[from..to].iter().sum();
            let fresh = if first_on_page { head_height } else { 0.0 };
            if self.room() < height + fresh {
                if self.y > TOP {
                    self.page_break();
                    first_on_page = true;
                }
                if self.room() < height + head_height {
                    let text = body.iter().find(|laid| laid.row == from).map(|laid| laid.cell.text());
                    return Err(self.too_long("表格内容", &text.unwrap_or_default()));
                }
            }
            if first_on_page {
                self.paint(table, &head, &head_heights, (0, head_heights.len()));
                first_on_page = false;
            }
            self.paint(table, &body, &heights, (from, to));
        }
        if table.rows.is_empty() {
            self.paint(table, &head, &head_heights, (0, head_heights.len()));
        }
        self.space(2.0);
        Ok(())
    }

    /// Places cells in columns, sets their text and finds the rows' heights.
    fn lay<'t>(&self, table: &Table, rows: &'t [Row]) -> Result<(Vec<Laid<'t>>, Vec<f32>), RenderError> {
        let shares: f32 = table.columns.iter().sum();
        let edges: Vec<f32> = std::iter::once(0.0)
            .chain(table.columns.iter().scan(0.0, |sum, share| {
                *sum += share;
                Some(*sum)
            }))
            .map(|edge| edge / shares * self.width())
            .collect();
        let mut taken = vec![0; table.columns.len()];
        let mut laid = Vec::new();
        for (row, Row { cells, .. }) in rows.iter().enumerate() {
            let mut column = 0;
            for cell in cells {
                while taken.get(column).is_some_and(|&until| until > row) {
                    column += 1;
                }
                let end = (column + cell.across).min(table.columns.len());
                if column >= end {
                    return Err(self.too_long(cell.field, &cell.text()));
                }
                taken[column..end].fill(row + cell.down);
                let (left, width) = (edges[column], edges[end] - edges[column]);
                let size = cell.size.unwrap_or(table.size);
                let limit = (width - 2.0 * PADDING) / (size * POINT);
                let lines = self.cell_lines(cell, limit)?;
                let signature = match cell.signature.as_str() {
                    "" => Vec::new(),
                    line => self.lines(line, Weight::Regular, (limit, 0.0), cell.field)?,
                };
                laid.push(Laid { cell, row, left, width, size, lines, signature });
                column = end;
            }
        }
        let mut heights: Vec<f32> = rows.iter().map(|row| row.least).collect();
        for cell in laid.iter().filter(|laid| laid.cell.down == 1) {
            heights[cell.row] = heights[cell.row].max(cell.height());
        }
        for cell in laid.iter().filter(|laid| laid.cell.down > 1) {
            let last = (cell.row + cell.cell.down).min(rows.len());
            let missing = cell.height() - heights[cell.row..last].iter().sum::<f32>();
            heights[last - 1] += missing.max(0.0);
        }
        Ok((laid, heights))
    }

    fn cell_lines(&self, cell: &Cell, limit: f32) -> Result<Vec<Line>, RenderError> {
        let weight = if cell.bold { Weight::Bold } else { Weight::Regular };
        let lines = match &cell.content {
            Content::Text(text) => self.lines(text, weight, (limit, 0.0), cell.field)?,
            Content::Choices(choices) => {
                let space = self.set("  ", weight, cell.field)?;
                let gap = width(&space, 0.0);
                let mut lines = vec![Line { glyphs: Vec::new(), indent: 0.0 }];
                for (ticked, text) in choices {
                    let piece = self.set(&format!("{}{text}", if *ticked { '☑' } else { '☐' }), weight, cell.field)?;
                    let line = lines.last_mut().expect("there is always a line");
                    let joined = width(&line.glyphs, 0.0) + gap + width(&piece, 0.0);
                    if line.glyphs.is_empty() || joined <= limit + 1e-3 {
                        if !line.glyphs.is_empty() {
                            line.glyphs.extend_from_slice(&space);
                        }
                        line.glyphs.extend(piece);
                    } else {
                        lines.push(Line { glyphs: piece, indent: 0.0 });
                    }
                }
                lines
            }
        };
        match lines.iter().any(|line| width(&line.glyphs, 0.0) > limit + 1e-2) {
            true => Err(RenderError::TextTooLong { owner: self.owner.clone(), field: cell.field, text: cell.text() }),
            false => Ok(lines),
        }
    }

    /// Paints rows `from..to` and goes below them.
    fn paint(&mut self, table: &Table, laid: &[Laid], heights: &[f32], (from, to): (usize, usize)) {
        let start = self.y;
        for cell in laid.iter().filter(|laid| (from..to).contains(&laid.row)) {
            let top = start + heights[from..cell.row].iter().sum::<f32>();
            let last = (cell.row + cell.cell.down).min(to);
            let height: f32 = heights[cell.row..last].iter().sum();
            let left = SIDE + cell.left;
            if table.bordered {
                for edge in frame(left, top, cell.width, height) {
                    self.push(edge);
                }
            }
            let em = cell.size * POINT;
            let free = if cell.cell.top { 0.0 } else { (height - cell.height()) / 2.0 };
            let mut y = top + PADDING_ABOVE + free;
            for line in &cell.lines {
                let x = left + PADDING + shift(cell.cell.align, cell.width - 2.0 * PADDING, &line.glyphs, em);
                self.write(x, y + HALF_GAP * em, cell.size, INK, line.glyphs.clone());
                y += LEADING * em;
            }
            let mut y = top + height - PADDING_ABOVE - cell.signature.len() as f32 * LEADING * em;
            for line in &cell.signature {
                let x = left + PADDING + shift(Align::Right, cell.width - 2.0 * PADDING, &line.glyphs, em);
                self.write(x, y + HALF_GAP * em, cell.size, INK, line.glyphs.clone());
                y += LEADING * em;
            }
        }
        self.y = start + heights[from..to].iter().sum::<f32>();
    }
}

impl Cell {
    fn text(&self) -> String {
        match &self.content {
            Content::Text(text) => text.clone(),
            Content::Choices(choices) => choices.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("、"),
        }
    }
}

/// Rows that merged cells join, as ranges.
fn groups(rows: &[Row]) -> Vec<(usize, usize)> {
    let mut groups = Vec::new();
    let (mut from, mut to) = (0, 0);
    for (index, row) in rows.iter().enumerate() {
        if index >= to && index > from {
            groups.push((from, index));
            from = index;
        }
        let reach = row.cells.iter().map(|cell| index + cell.down).max().unwrap_or(index + 1);
        to = to.max(reach.min(rows.len()));
    }
    if !rows.is_empty() {
        groups.push((from, rows.len()));
    }
    groups
}

/// The four sides of a cell, each over the line between it and its neighbour.
fn frame(left: f32, top: f32, width: f32, height: f32) -> [Item; 4] {
    let half = BORDER / 2.0;
    let bar = |x, y, width, height| face::bar(x, y, width, height, INK);
    [
        bar(left - half, top - half, width + BORDER, BORDER),
        bar(left - half, top + height - half, width + BORDER, BORDER),
        bar(left - half, top - half, BORDER, height + BORDER),
        bar(left + width - half, top - half, BORDER, height + BORDER),
    ]
}
