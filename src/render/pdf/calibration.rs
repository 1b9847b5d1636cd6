//! The calibration page: does this printer print at true size, straight, and with back behind front?

use jiff::Timestamp;

use super::super::draw::{self, Colour, Frame, Item};
use super::super::layout::{Layout, Place, Side};
use super::super::text::{Fonts, Weight};
use super::super::{RenderError, face, qr};
use super::document::{Document, Form};
use super::fonts::Embedded;
use super::paint;

const INK: Colour = [0; 3];
const GREY: Colour = [120; 3];
/// Thickness of rulers and frames, in millimetres.
const LINE: f32 = 0.12;
/// What the test code says; it is no credential, so a verifier answers that it is malformed.
const TEST_TEXT: &str = "https://zyz.example.cn/#";
/// Digits in the test code: with the prefix above, a version 8 symbol like a real card's.
const TEST_DIGITS: usize = 300;

/// A sheet of two sides to print before the first batch on a printer: the outline of every card, rulers, a test code at
/// the size of real ones, bars of 0.40 to 0.50 mm, and crosses that show how far the two sides are apart.
///
/// # Errors
/// None with the embedded faces; the type is that of [`super::sheets`].
pub fn calibration(layout: Layout, created: Timestamp) -> Result<Vec<u8>, RenderError> {
    let fonts = Fonts::embedded();
    let (front, back) = match layout {
        Layout::A4EightUp | Layout::A4TenUp => {
            (sheet(layout, Side::Front, &fonts)?, sheet(layout, Side::Back, &fonts)?)
        }
        Layout::Cr80 => (single(Side::Front, &fonts)?, single(Side::Back, &fonts)?),
    };
    let embedded = Embedded::subset(&fonts, front.iter().chain(&back))?;
    let mut document = Document::new(&embedded, layout);
    let mut deflater = paint::Deflater::new();
    let size = layout.page();
    let frame = Frame { x: 0.0, y: 0.0, width: size.width, height: size.height };
    for (name, items) in [("C0", &front), ("C1", &back)] {
        let stream = deflater.deflate(&paint::content(items, size.height, &embedded)?);
        let form = document.form(name.into(), Form { stream, frame, height: size.height, items });
        document.page([(&form, (0.0, 0.0))]);
    }
    Ok(document.finish("志愿服务证打印校准页", "普洱市志愿服务联合会", created))
}

/// One side of an A4 sheet.
fn sheet(layout: Layout, side: Side, fonts: &Fonts) -> Result<Vec<Item>, RenderError> {
    let mut pen = Pen { fonts, items: Vec::new() };
    let (width, height) = (Layout::Cr80.page().width, Layout::Cr80.page().height);
    for index in 0..layout.per_page() {
        let Place { x, y } = layout.place(index, side);
        let path = draw::border(Frame { x, y, width, height }, 3.18, LINE);
        pen.items.push(Item::Shape { path, colour: GREY });
        let name = match side {
            Side::Front => format!("正面 {}", index + 1),
            Side::Back => format!("背面 {}", index + 1),
        };
        pen.text(x + 3.0, y + height - 5.0, 6.5, GREY, &name)?;
    }
    let page = layout.page();
    for (x, y) in [(105.0, 7.0), (105.0, page.height - 7.0), (7.0, page.height / 2.0), (203.0, page.height / 2.0)] {
        pen.cross(x, y, 4.0);
    }
    if side == Side::Back {
        let Place { x, y } = layout.place(0, side);
        pen.text(x + 5.0, y + 6.0, 10.0, INK, "打印校准页 · 背面")?;
        pen.lines(
            x + 5.0,
            y + 13.0,
            &[
                "对着光看：背面的方框与正面同号的方框应当重合，",
                "四边的十字相差不超过 1 毫米（每小格 1 毫米）。",
                "若左右颠倒或上下颠倒，请把双面打印改为“沿长边翻转”。",
                "若整体偏移，请在打印机设置中调整背面的位置。",
            ],
        )?;
        return Ok(pen.items);
    }

    let Place { x, y } = layout.place(0, side);
    pen.text(x + 5.0, y + 6.0, 10.0, INK, "打印校准页 · 正面")?;
    pen.lines(
        x + 5.0,
        y + 13.0,
        &[
            "1  打印时选择“实际大小”或“100%”，不要选择“适合页面”。",
            "2  双面打印选择“沿长边翻转”。",
            "3  用直尺量两条标尺，刻度应与直尺一致。",
            "4  拿一张标准卡（如银行卡）与方框比对：85.60 × 53.98 毫米。",
            "5  用手机扫描测试码，应能立即识别；细线应根根分开。",
            "6  对着光看正反两面的方框和十字是否重合。",
        ],
    )?;

    let Place { x, y } = layout.place(1, side);
    pen.text(x + 5.0, y + 5.0, 7.0, INK, "横向标尺（毫米）")?;
    pen.ruler(x + 2.8, y + 14.0, 80, true)?;
    pen.text(x + 14.0, y + 25.0, 7.0, INK, "纵向标尺（毫米）")?;
    pen.ruler(x + 8.0, y + 22.0, 25, false)?;

    let Place { x, y } = layout.place(2, side);
    pen.text(x + 5.0, y + 5.0, 7.0, INK, "测试码，模块 0.42 毫米")?;
    pen.code(x + 5.0, y + 10.0, 0.42);
    pen.text(x + 36.0, y + 5.0, 7.0, INK, "细线与间隔（毫米）")?;
    for (row, width) in [0.40, 0.42, 0.45, 0.50].into_iter().enumerate() {
        let top = y + 10.0 + row as f32 * 6.5;
        pen.text(x + 36.0, top, 6.5, INK, &format!("{width:.2}"))?;
        for bar in 0..32u8 {
            pen.bar(x + 44.0 + f32::from(bar) * 2.0 * width, top - 0.5, width, 4.0);
        }
    }
    Ok(pen.items)
}

/// One side of a card for a card printer.
fn single(side: Side, fonts: &Fonts) -> Result<Vec<Item>, RenderError> {
    let mut pen = Pen { fonts, items: Vec::new() };
    let size = Layout::Cr80.page();
    let frame = Frame { x: 1.0, y: 1.0, width: size.width - 2.0, height: size.height - 2.0 };
    pen.items.push(Item::Shape { path: draw::border(frame, 2.18, LINE), colour: INK });
    pen.cross(size.width / 2.0, 4.0, 2.0);
    pen.cross(size.width / 2.0, size.height - 4.0, 2.0);
    match side {
        Side::Front => {
            pen.text(5.0, 6.0, 9.0, INK, "打印校准 · 正面")?;
            let lines = ["外框距卡边 1 毫米，四边应等宽。", "选择“实际大小”，不要缩放。", "测试码应能立即识别。"];
            pen.lines(5.0, 13.0, &lines)?;
            pen.ruler(5.0, 38.0, 45, true)?;
            pen.code(size.width - 27.0, 14.0, 0.42);
        }
        Side::Back => {
            pen.text(5.0, 6.0, 9.0, INK, "打印校准 · 背面")?;
            pen.lines(5.0, 13.0, &["文字应与正面同向（上边对上边）。", "外框距卡边 1 毫米，四边应等宽。"])?;
        }
    }
    Ok(pen.items)
}

struct Pen<'a> {
    fonts: &'a Fonts,
    items: Vec<Item>,
}

impl Pen<'_> {
    fn text(&mut self, x: f32, top: f32, size: f32, colour: Colour, words: &str) -> Result<(), RenderError> {
        self.fonts.check(words)?;
        let glyphs = words.chars().filter_map(|c| self.fonts.glyph(c, Weight::Regular)).collect();
        self.items.push(face::write(x, top, size, 0.0, colour, glyphs));
        Ok(())
    }

    fn lines(&mut self, x: f32, top: f32, lines: &[&str]) -> Result<(), RenderError> {
        for (index, line) in lines.iter().enumerate() {
            self.text(x, top + index as f32 * 4.8, 7.5, INK, line)?;
        }
        Ok(())
    }

    fn bar(&mut self, x: f32, y: f32, width: f32, height: f32) {
        self.items.push(face::bar(x, y, width, height, INK));
    }

    /// A cross with a tick each millimetre up to `reach`; its lines are centred on the point.
    fn cross(&mut self, x: f32, y: f32, reach: f32) {
        self.bar(x - reach, y - LINE / 2.0, 2.0 * reach, LINE);
        self.bar(x - LINE / 2.0, y - reach, LINE, 2.0 * reach);
        let mut at = 1.0;
        while at < reach {
            for sign in [-1.0, 1.0] {
                self.bar(x + sign * at - LINE / 2.0, y - 0.5, LINE, 1.0);
                self.bar(x - 0.5, y + sign * at - LINE / 2.0, 1.0, LINE);
            }
            at += 1.0;
        }
    }

    /// A ruler of `length` millimetres to the right or downwards; the edge of each tick that counts is its middle.
    fn ruler(&mut self, x: f32, y: f32, length: u8, across: bool) -> Result<(), RenderError> {
        let total = f32::from(length);
        if across {
            self.bar(x, y, total, LINE);
        } else {
            self.bar(x, y, LINE, total);
        }
        for at in 0..=length {
            let tick = match at {
                _ if at % 10 == 0 => 4.0,
                _ if at % 5 == 0 => 3.0,
                _ => 1.8,
            };
            let along = f32::from(at) - LINE / 2.0;
            if across {
                self.bar(x + along, y, LINE, tick);
            } else {
                self.bar(x, y + along, tick, LINE);
            }
            if at % 10 == 0 {
                let shift = if at < 10 { 0.6 } else { 1.2 };
                if across {
                    self.text(x + f32::from(at) - shift, y + 4.6, 6.0, INK, &at.to_string())?;
                } else {
                    self.text(x - 3.6, y + f32::from(at) - 1.1, 6.0, INK, &at.to_string())?;
                }
            }
        }
        Ok(())
    }

    /// A code at its real size; (`x`, `y`) is the corner of its quiet zone.
    fn code(&mut self, x: f32, y: f32, module: f32) {
        let text = format!("{TEST_TEXT}{}", "0123456789".repeat(TEST_DIGITS / 10));
        let quiet = qr::QUIET_ZONE as f32 * module;
        self.items.push(Item::Code { x: x + quiet, y: y + quiet, module, text });
    }
}
