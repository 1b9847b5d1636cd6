//! Where cards go on a sheet, and the marks to cut by. Millimetres from the top left of the page; pure geometry.

use serde::{Deserialize, Serialize};

/// A4, ISO 216, upright.
const A4: Size = Size { width: 210.0, height: 297.0 };
/// A CR80 card, ISO/IEC 7810 ID-1.
const CARD: Size = Size { width: 85.60, height: 53.98 };
/// Bleed around a card in the 8-up layout.
const BLEED: f32 = 3.0;
/// White between two bleeds in the 8-up layout, with room for marks.
const GUTTER: f32 = 4.0;
/// Length of a mark at the sheet's edge.
const MARK: f32 = 5.0;
/// Distance of a mark from what it must not touch.
const MARK_GAP: f32 = 0.5;

/// How cards are laid on pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Eight on A4 (2 × 4), 3 mm bleed and crop marks around each.
    #[serde(rename = "a4-8up")]
    A4EightUp,
    /// Ten on A4 (2 × 5), edge to edge without bleed, cut marks at the margins.
    #[serde(rename = "a4-10up")]
    A4TenUp,
    /// One card a page of its own size, for a card printer.
    #[serde(rename = "cr80")]
    Cr80,
}

/// Which side of the card, and so of the sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The side with name and code.
    Front,
    /// The side with the duties.
    Back,
}

/// Width and height in millimetres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    /// Millimetres.
    pub width: f32,
    /// Millimetres.
    pub height: f32,
}

/// A place on the page, in millimetres from its top left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// From the left edge of the page to the left edge of the card.
    pub x: f32,
    /// From the top edge of the page to the top edge of the card.
    pub y: f32,
}

/// A straight mark from one point to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    /// Where it begins.
    pub from: Place,
    /// Where it ends.
    pub to: Place,
}

impl Layout {
    /// Every layout, in the order offered.
    pub const ALL: [Self; 3] = [Self::A4EightUp, Self::A4TenUp, Self::Cr80];

    /// The name on the command line and in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::A4EightUp => "a4-8up",
            Self::A4TenUp => "a4-10up",
            Self::Cr80 => "cr80",
        }
    }

    /// Cards on a page.
    pub fn per_page(self) -> usize {
        self.columns() * self.rows()
    }

    /// The page, in millimetres.
    pub fn page(self) -> Size {
        match self {
            Self::A4EightUp | Self::A4TenUp => A4,
            Self::Cr80 => CARD,
        }
    }

    /// How far the ground colour runs beyond the card, in millimetres.
    pub fn bleed(self) -> f32 {
        match self {
            Self::A4EightUp => BLEED,
            Self::A4TenUp | Self::Cr80 => 0.0,
        }
    }

    /// Where card `index` of a page goes, counted by rows from the top left **of the front**. On the back the columns are
    /// mirrored, so that a sheet turned on its long edge has every back behind its front.
    pub fn place(self, index: usize, side: Side) -> Place {
        let column = match side {
            Side::Front => index % self.columns(),
            Side::Back => self.columns() - 1 - index % self.columns(),
        };
        let (x, y) = self.origin();
        let (dx, dy) = self.pitch();
        Place { x: x + column as f32 * dx, y: y + (index / self.columns()) as f32 * dy }
    }

    /// The marks to cut by, the same on both sides of the sheet. A card printer needs none.
    pub fn marks(self) -> Vec<Mark> {
        if self == Self::Cr80 {
            return Vec::new();
        }
        let (columns, rows) = (self.columns(), self.rows());
        let (x, y) = self.origin();
        let (dx, dy) = self.pitch();
        let right = x + (columns - 1) as f32 * dx + CARD.width;
        let bottom = y + (rows - 1) as f32 * dy + CARD.height;
        let clear = self.bleed() + MARK_GAP;
        let mut marks = Vec::new();
        let mut vertical = |at: f32, from: f32, to: f32| {
            marks.push(Mark { from: Place { x: at, y: from }, to: Place { x: at, y: to } });
        };
        for edge in edges(x, dx, CARD.width, columns) {
            vertical(edge, y - clear - MARK, y - clear);
            vertical(edge, bottom + clear, bottom + clear + MARK);
            if self == Self::A4EightUp {
                for row in 1..rows {
                    let gutter = y + row as f32 * dy - BLEED - GUTTER;
                    vertical(edge, gutter + MARK_GAP, gutter + GUTTER - MARK_GAP);
                }
            }
        }
        let mut horizontal = |at: f32, from: f32, to: f32| {
            marks.push(Mark { from: Place { x: from, y: at }, to: Place { x: to, y: at } });
        };
        for edge in edges(y, dy, CARD.height, rows) {
            horizontal(edge, x - clear - MARK, x - clear);
            horizontal(edge, right + clear, right + clear + MARK);
            if self == Self::A4EightUp {
                for column in 1..columns {
                    let gutter = x + column as f32 * dx - BLEED - GUTTER;
                    horizontal(edge, gutter + MARK_GAP, gutter + GUTTER - MARK_GAP);
                }
            }
        }
        marks
    }

    fn columns(self) -> usize {
        match self {
            Self::A4EightUp | Self::A4TenUp => 2,
            Self::Cr80 => 1,
        }
    }

    fn rows(self) -> usize {
        match self {
            Self::A4EightUp => 4,
            Self::A4TenUp => 5,
            Self::Cr80 => 1,
        }
    }

    /// From one card's left edge to the next one's, and from one's top edge to the next one's.
    fn pitch(self) -> (f32, f32) {
        let between = match self {
            Self::A4EightUp => 2.0 * BLEED + GUTTER,
            Self::A4TenUp | Self::Cr80 => 0.0,
        };
        (CARD.width + between, CARD.height + between)
    }

    /// The top left of the first card; the block of cards stands in the middle of the page.
    fn origin(self) -> (f32, f32) {
        let (dx, dy) = self.pitch();
        let block_width = (self.columns() - 1) as f32 * dx + CARD.width;
        let block_height = (self.rows() - 1) as f32 * dy + CARD.height;
        ((self.page().width - block_width) / 2.0, (self.page().height - block_height) / 2.0)
    }
}

/// The cut lines across one direction; where cards touch, two fall together and only one is kept.
fn edges(start: f32, pitch: f32, length: f32, count: usize) -> Vec<f32> {
    let mut edges: Vec<f32> =
        (0..count).flat_map(|i| [start + i as f32 * pitch, start + i as f32 * pitch + length]).collect();
    edges.dedup_by(|a, b| (*a - *b).abs() < 0.01);
    edges
}
