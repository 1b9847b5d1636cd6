//! The two faces of the card as display lists: where the words of a [`CardData`] go on the template.
//!
//! The front is in two parts. The ground is the same for every card of one star level and is painted once a document; the
//! rest is the holder's. The back is the same for all.

use super::draw::{self, Colour, Frame, Item, Text};
use super::text::{self, Glyph, MissingGlyph, Weight};
use super::{CardData, CardDesign, RenderError, qr};

/// Millimetres in a point.
pub(super) const POINT: f32 = 25.4 / 72.0;
/// From the top of the em square to the baseline, in em: Noto Sans SC's ideographic em box.
const ASCENT: f32 = 0.88;
/// The smallest module that prints and scans reliably, in millimetres (DOMAIN.md).
const LEAST_MODULE: f32 = 0.40;
/// White between the code's panel and the text to its left, in millimetres.
const BESIDE_CODE: f32 = 1.2;
/// Further than any bleed: the ground runs out here and the painter cuts it off.
const BEYOND: f32 = 4.0;
/// Space between the characters of a label, in em.
const LABEL_TRACKING: f32 = 0.04;
/// No text of the design itself goes below this, in points.
const LEAST_SIZE: f32 = 4.8;
/// Whose text it is when it is no holder's.
const DESIGN: &str = "证卡版式";

const STAR_LABELS: [&str; 6] = ["", "一星级志愿者", "二星级志愿者", "三星级志愿者", "四星级志愿者", "五星级志愿者"];

/// See [`super::check`].
pub(super) fn check(cards: &[CardData], design: &CardDesign) -> Result<(), Vec<RenderError>> {
    let mut errors: Vec<RenderError> =
        [front_ground(design, 5), back(design)].into_iter().filter_map(Result::err).collect();
    errors.dedup();
    let found =
        super::spread(cards, |chunk| chunk.iter().filter_map(|card| front(card, design).err()).collect::<Vec<_>>());
    errors.extend(found.into_iter().flatten());
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// The part of the front that all cards of one star level share.
pub(super) fn front_ground(design: &CardDesign, star: u8) -> Result<Vec<Item>, RenderError> {
    let (front, colour) = (&design.template.front, &design.template.colour);
    let pen = Pen { design, owner: DESIGN };
    let mut items = ground(design);
    items.extend(front.ornament.iter().map(|o| Item::Shape { path: o.path.clone(), colour: o.colour.0 }));

    let title = &front.title;
    let mut left = title.x;
    if let Some(logo) = &design.logo {
        let place = &front.logo;
        let scale = (place.width / logo.width() as f32).min(place.height / logo.height() as f32);
        let (width, height) = (logo.width() as f32 * scale, logo.height() as f32 * scale);
        let frame = Frame { x: place.x, y: place.y + (place.height - height) / 2.0, width, height };
        items.push(Item::Logo { frame, logo: logo.clone() });
        left = place.x + width + place.gap;
    }
    let line = pen.line("标题", &design.title, Weight::Bold)?;
    let room = title.x + title.width - left;
    let size = shrink(&line, title.tracking, room, title.size, LEAST_SIZE)
        .ok_or_else(|| pen.too_long("标题", &design.title))?;
    let top = title.y + (title.size - size) * POINT / 2.0;
    items.push(write(left, top, size, title.tracking, colour.accent.0, line));
    let rule = &front.rule;
    items.push(bar(rule.x, rule.y, rule.width, rule.height, colour.accent.0));

    let stars = &front.stars;
    for place in 0..5u8 {
        let x = stars.right - f32::from(5 - place) * stars.height - f32::from(4 - place) * stars.gap;
        items.push(if place < star {
            Item::Shape { path: draw::star(x, stars.y, stars.height), colour: colour.gold.0 }
        } else {
            let path = draw::star_outline(x, stars.y, stars.height, stars.line);
            Item::Shape { path, colour: colour.outline.0 }
        });
    }
    let label = &front.star_label;
    let words = STAR_LABELS[usize::from(star.min(5))];
    let line = pen.line("星级", words, Weight::Bold)?;
    let x = label.right - text::width(&line, label.tracking) * label.size * POINT;
    items.push(write(x, label.y, label.size, label.tracking, colour.ink.0, line));

    // This label shares a baseline with its value, so its place is given by that.
    let validity_top = front.validity.y - ASCENT * front.validity.label_size * POINT;
    let labels = [
        (front.number.x, front.number.y, front.number.label_size, &front.number.label),
        (front.validity.x, validity_top, front.validity.label_size, &front.validity.label),
    ];
    for (x, y, size, words) in labels {
        let line = pen.line("栏目名称", words, Weight::Regular)?;
        items.push(write(x, y, size, LABEL_TRACKING, colour.muted.0, line));
    }

    let foot = &front.foot;
    let words = joined(" · ", &[&design.issuer, &design.verify_line]);
    let line = pen.line("落款", &words, Weight::Regular)?;
    let size = shrink(&line, 0.02, foot.width, foot.size, LEAST_SIZE).ok_or_else(|| pen.too_long("落款", &words))?;
    items.push(write(foot.x, foot.y, size, 0.02, colour.ink.0, line));
    Ok(items)
}

/// The holder's part of the front.
pub(super) fn front(card: &CardData, design: &CardDesign) -> Result<Vec<Item>, RenderError> {
    let (front, colour) = (&design.template.front, &design.template.colour);
    let owner = format!("{}（证书编号 {}）", card.name, card.number);
    let pen = Pen { design, owner: &owner };
    if card.star > 5 {
        return Err(RenderError::StarOutOfRange { owner, star: card.star });
    }
    for (field, value) in [("姓名", &card.name), ("证书编号", &card.number)] {
        if value.trim().is_empty() {
            return Err(RenderError::EmptyField { owner, field });
        }
    }
    let mut items = Vec::with_capacity(12);

    let place = &front.photo;
    let frame = Frame { x: place.x, y: place.y, width: place.width, height: place.height };
    match &card.photo {
        Some(photo) => {
            items.push(Item::Photo { frame, radius: place.radius, photo: photo.clone() });
            let edge = draw::border(frame, place.radius, 0.12);
            items.push(Item::Shape { path: edge, colour: colour.hairline.0 });
        }
        None => {
            items.push(Item::Shape { path: draw::rectangle(frame, place.radius), colour: colour.panel.0 });
            let edge = draw::border(frame, place.radius, 0.12);
            items.push(Item::Shape { path: edge, colour: colour.hairline.0 });
            let first: String = card.name.trim().chars().take(1).collect();
            let line = pen.line("姓名", &first, Weight::Bold)?;
            let em = place.initial_size * POINT;
            let x = frame.x + (frame.width - text::width(&line, 0.0) * em) / 2.0;
            let y = frame.y + (frame.height - em) / 2.0;
            items.push(write(x, y, place.initial_size, 0.0, colour.initial.0, line));
        }
    }

    let code = code(card, design, &owner)?;
    let column = code.panel.x - BESIDE_CODE;
    name(card, &pen, &mut items)?;

    let number = &front.number;
    let line = pen.line("证书编号", &card.number, Weight::Bold)?;
    let size = shrink(&line, 0.02, column - number.x, number.size, 6.0)
        .ok_or_else(|| pen.too_long("证书编号", &card.number))?;
    let top = number.y + number.label_size * POINT + number.gap;
    items.push(write(number.x, top, size, 0.02, colour.ink.0, line));

    unit(card, &pen, column, &mut items)?;

    let validity = &front.validity;
    let line = pen.line("有效期", &card.valid_until.to_string(), Weight::Regular)?;
    let label = pen.line("栏目名称", &validity.label, Weight::Regular)?;
    let left = validity.x + text::width(&label, LABEL_TRACKING) * validity.label_size * POINT + validity.gap;
    let size = shrink(&line, 0.02, column - left, validity.size, LEAST_SIZE)
        .ok_or_else(|| pen.too_long("有效期", &card.valid_until.to_string()))?;
    items.push(write(left, validity.y - ASCENT * size * POINT, size, 0.02, colour.ink.0, line));

    let radius = front.code.radius;
    items.push(Item::Shape { path: draw::rectangle(code.panel, radius), colour: [255; 3] });
    let edge = draw::border(code.panel, radius, front.code.line);
    items.push(Item::Shape { path: edge, colour: colour.hairline.0 });
    let quiet = qr::QUIET_ZONE as f32 * code.module;
    let (x, y) = (code.panel.x + quiet, code.panel.y + quiet);
    items.push(Item::Code { x, y, module: code.module, text: card.code.clone() });
    Ok(items)
}

/// The back, the same for every card.
pub(super) fn back(design: &CardDesign) -> Result<Vec<Item>, RenderError> {
    let (back, colour) = (&design.template.back, &design.template.colour);
    let pen = Pen { design, owner: DESIGN };
    let mut items = ground(design);
    items.extend(back.ornament.iter().map(|o| Item::Shape { path: o.path.clone(), colour: o.colour.0 }));

    let heading = &back.heading;
    let line = pen.line("背面标题", &heading.text, Weight::Bold)?;
    items.push(write(heading.x, heading.y, heading.size, heading.tracking, colour.accent.0, line));
    let rule = &back.rule;
    items.push(bar(rule.x, rule.y, rule.width, rule.height, colour.accent.0));

    let duties = &back.duties;
    // Six lines have the pitch of the template; more of them share the same height.
    let pitch = duties.pitch * (6.0 / design.duties.len().max(1) as f32).min(1.0);
    for (index, duty) in design.duties.iter().enumerate() {
        let top = duties.y + index as f32 * pitch;
        let number = pen.line("持证须知", &(index + 1).to_string(), Weight::Bold)?;
        items.push(write(duties.x, top, duties.size, 0.0, colour.accent.0, number));
        let line = pen.line("持证须知", duty, Weight::Regular)?;
        let size = shrink(&line, 0.0, duties.width - duties.number_width, duties.size, LEAST_SIZE)
            .filter(|size| size * POINT <= pitch)
            .ok_or_else(|| pen.too_long("持证须知", duty))?;
        items.push(write(duties.x + duties.number_width, top, size, 0.0, colour.ink.0, line));
    }
    sections(&pen, &mut items)?;
    Ok(items)
}

/// 激励回馈, 挂失 and contact at the foot of the back: each a label and its text, empty ones left out.
fn sections(pen: &Pen, items: &mut Vec<Item>) -> Result<(), RenderError> {
    let design = pen.design;
    let (place, colour) = (&design.template.back.sections, &design.template.colour);
    let phone = if design.phone.is_empty() { String::new() } else { format!("电话 {}", design.phone) };
    let address = if design.address.is_empty() { String::new() } else { format!("地址 {}", design.address) };
    let contact = [joined("　", &[&design.issuer, &phone]), address];
    let rows: [(&'static str, &str, &[String]); 3] = [
        ("激励回馈", &place.incentive_label, std::slice::from_ref(&design.incentive)),
        ("遗失挂失", &place.lost_label, std::slice::from_ref(&design.lost_line)),
        ("联系方式", &place.contact_label, &contact),
    ];
    // Each section: its name for messages, its label, and its paragraphs.
    let mut set = Vec::new();
    for (field, label, paragraphs) in rows {
        let filled: Vec<&String> = paragraphs.iter().filter(|words| !words.trim().is_empty()).collect();
        if !filled.is_empty() {
            let label = pen.line(field, label, Weight::Bold)?;
            let words = filled.into_iter().map(|words| pen.line(field, words, Weight::Regular));
            set.push((field, label, words.collect::<Result<Vec<_>, _>>()?));
        }
    }
    let indent = place.x + place.label_width;
    let measure = place.width - place.label_width;
    let mut size = place.size;
    loop {
        let em = size * POINT;
        let paragraphs = set.iter().flat_map(|(_, _, paragraphs)| paragraphs);
        let lines: usize = paragraphs.map(|words| text::wrap(words, measure / em).len()).sum();
        let gaps = set.len().saturating_sub(1) as f32 * place.gap;
        if place.y + lines as f32 * em * place.leading + gaps <= place.bottom {
            break;
        }
        size -= 0.2;
        if size < LEAST_SIZE {
            let all = set.iter().flat_map(|(field, _, paragraphs)| paragraphs.iter().map(move |words| (*field, words)));
            let (field, words) =
                all.max_by_key(|(_, words)| words.len()).map_or(("背面文字", String::new()), |longest| {
                    (longest.0, longest.1.iter().map(|glyph| glyph.character).collect())
                });
            return Err(pen.too_long(field, &words));
        }
    }
    let em = size * POINT;
    let mut y = place.y;
    if !set.is_empty() {
        items.push(bar(place.x, y - 1.5 * place.gap, place.width, place.line, colour.hairline.0));
    }
    for (_, label, paragraphs) in set {
        items.push(write(place.x, y, size, 0.02, colour.accent.0, label));
        for line in paragraphs.iter().flat_map(|words| text::wrap(words, measure / em)) {
            items.push(write(indent, y, size, 0.0, colour.ink.0, line.to_vec()));
            y += em * place.leading;
        }
        y += place.gap;
    }
    Ok(())
}

/// The name: as large as fits on one line, at the smallest on two, never cut.
fn name(card: &CardData, pen: &Pen, items: &mut Vec<Item>) -> Result<(), RenderError> {
    let (place, ink) = (&pen.design.template.front.name, pen.design.template.colour.ink.0);
    let glyphs = pen.line("姓名", card.name.trim(), Weight::Bold)?;
    let tracking = if glyphs.len() <= 4 { 0.06 } else { 0.0 };
    if let Some(size) = shrink(&glyphs, tracking, place.width, place.size, place.min_size) {
        // A smaller name keeps the baseline of a large one.
        let top = place.y + ASCENT * (place.size - size) * POINT;
        items.push(write(place.x, top, size, tracking, ink, glyphs));
        return Ok(());
    }
    let mut size = place.min_size;
    while size >= place.two_line_min_size {
        let em = size * POINT;
        let pitch = 1.2 * em;
        if let Some(lines) = text::wrap_evenly(&glyphs, place.width / em, 2).filter(|_| pitch + em <= place.height) {
            for (index, line) in lines.into_iter().enumerate() {
                items.push(write(place.x, place.y + index as f32 * pitch, size, 0.0, ink, line.to_vec()));
            }
            return Ok(());
        }
        size -= 0.25;
    }
    Err(pen.too_long("姓名", &card.name))
}

/// The unit: wrapped, then shrunk, then on a third line, never cut. An empty one takes its label with it.
fn unit(card: &CardData, pen: &Pen, column: f32, items: &mut Vec<Item>) -> Result<(), RenderError> {
    let (place, ink) = (&pen.design.template.front.unit, pen.design.template.colour.ink.0);
    let glyphs = pen.line("单位", card.unit.trim(), Weight::Regular)?;
    if glyphs.is_empty() {
        return Ok(());
    }
    let label = pen.line("栏目名称", &place.label, Weight::Regular)?;
    let muted = pen.design.template.colour.muted.0;
    items.push(write(place.x, place.y, place.label_size, LABEL_TRACKING, muted, label));
    let top = place.y + place.label_size * POINT + place.gap;
    let width = column - place.x;
    let tries =
        [(place.lines, place.size, place.min_size), (place.lines + 1, place.min_size, place.three_line_min_size)];
    for (most, from, least) in tries {
        let mut size = from;
        while size >= least - 1e-3 {
            let em = size * POINT;
            if let Some(lines) = text::wrap_evenly(&glyphs, width / em, most) {
                for (index, line) in lines.into_iter().enumerate() {
                    let y = top + index as f32 * em * place.leading;
                    items.push(write(place.x, y, size, 0.0, ink, line.to_vec()));
                }
                return Ok(());
            }
            size -= 0.25;
        }
    }
    Err(pen.too_long("单位", &card.unit))
}

/// The panel of the code and the side of a module, in millimetres.
struct CodePlace {
    panel: Frame,
    module: f32,
}

/// The panel keeps its side and the modules share it, down to 0.40 mm; a still larger symbol widens the panel.
fn code(card: &CardData, design: &CardDesign, owner: &str) -> Result<CodePlace, RenderError> {
    let place = &design.template.front.code;
    let refuse = |source| RenderError::CodeTooLarge { owner: owner.to_owned(), source };
    let version = qr::version(&card.code).map_err(refuse)?;
    let modules = 17 + 4 * usize::from(version);
    let across = (modules + 2 * qr::QUIET_ZONE) as f32;
    let module = (place.side / across).max(LEAST_MODULE);
    let side = module * across;
    if side > place.max_side {
        return Err(refuse(qr::CodeTooLarge::NoRoom { version, modules, needed: side, room: place.max_side }));
    }
    let panel = Frame { x: place.right - side, y: place.bottom - side, width: side, height: side };
    Ok(CodePlace { panel, module })
}

/// Sets text for one owner, whom every refusal names.
struct Pen<'a> {
    design: &'a CardDesign,
    owner: &'a str,
}

impl Pen<'_> {
    fn line(&self, field: &'static str, text: &str, weight: Weight) -> Result<Vec<Glyph>, RenderError> {
        self.design.fonts.set(text, weight).map_err(|character| {
            MissingGlyph { owner: self.owner.to_owned(), field, text: text.to_owned(), character }.into()
        })
    }

    fn too_long(&self, field: &'static str, text: &str) -> RenderError {
        RenderError::TextTooLong { owner: self.owner.to_owned(), field, text: text.to_owned() }
    }
}

/// The ground colour, beyond every edge.
fn ground(design: &CardDesign) -> Vec<Item> {
    let card = &design.template.card;
    let (width, height) = (card.width + 2.0 * BEYOND, card.height + 2.0 * BEYOND);
    vec![bar(-BEYOND, -BEYOND, width, height, design.template.colour.ground.0)]
}

pub(super) fn bar(x: f32, y: f32, width: f32, height: f32, colour: Colour) -> Item {
    Item::Shape { path: draw::rectangle(Frame { x, y, width, height }, 0.0), colour }
}

/// A line whose em square has its top left at (`x`, `top`).
pub(super) fn write(x: f32, top: f32, size: f32, tracking: f32, colour: Colour, glyphs: Vec<Glyph>) -> Item {
    let em = size * POINT;
    Item::Text(Text { x, y: top + ASCENT * em, size: em, tracking, colour, glyphs })
}

/// The size, in points, at which `line` is at most `width` millimetres wide: `largest` or what fits, if that is at least
/// `least`.
fn shrink(line: &[Glyph], tracking: f32, width: f32, largest: f32, least: f32) -> Option<f32> {
    let natural = text::width(line, tracking) * POINT;
    let fits = if natural > 0.0 { width / natural } else { largest };
    (fits >= least).then_some(fits.min(largest))
}

fn joined(between: &str, parts: &[&str]) -> String {
    let filled: Vec<&str> = parts.iter().copied().filter(|part| !part.trim().is_empty()).collect();
    filled.join(between)
}

#[cfg(test)]
mod tests;
