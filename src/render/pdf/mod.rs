//! Sheets of cards as PDF: vector shapes and codes, subset fonts, fronts and backs paired for duplex.
//!
//! printpdf makes the document. What repeats is one form in it: the ground of each star level, the back, the cut marks.
//! A card adds one form of its own, built and deflated on all cores: its text and the dark runs of its code. A page only
//! says which form goes where. The same input gives the same bytes: the document's identifier is a digest of its
//! content, and the dates are the caller's.

mod calibration;
mod content;
mod document;
mod fonts;
mod paint;

use std::collections::BTreeMap;

use jiff::Timestamp;
use printpdf::XObjectId;

use super::draw::{Frame, Item};
use super::layout::{Layout, Side, Size};
use super::text::Fonts;
use super::{CardData, CardDesign, RenderError, face, spread};
use document::{Document, Form};
use paint::Deflater;

pub use calibration::calibration;
pub(super) use paint::THICKEN;

/// One PDF of plain pages, all of `size` and each given as what stands on it; texts and shapes alone.
pub(super) fn pages(
    pages: &[Vec<Item>],
    size: Size,
    fonts: &Fonts,
    about: [&str; 2],
    created: Timestamp,
) -> Result<Vec<u8>, RenderError> {
    let fonts = fonts::Embedded::subset(fonts, pages.iter().flatten())?;
    let streams: Vec<Vec<u8>> = collect(spread(pages, |chunk| {
        let mut deflater = Deflater::new();
        let paint = |items: &Vec<Item>| Ok(deflater.deflate(&paint::content(items, size.height, &fonts)?));
        chunk.iter().map(paint).collect::<Result<Vec<_>, RenderError>>()
    }))?;
    let mut document = Document::text(&fonts, size);
    let frame = Frame { x: 0.0, y: 0.0, width: size.width, height: size.height };
    for (index, (stream, items)) in streams.into_iter().zip(pages).enumerate() {
        let form = document.form(format!("P{index}"), Form { stream, frame, height: size.height, items });
        document.page([(&form, (0.0, 0.0))]);
    }
    let [title, author] = about;
    Ok(document.finish(title, author, created))
}

/// One PDF with `cards` on `layout`: a page of fronts, then the page of their backs, and so on. On the backs the columns
/// are mirrored for printing on both sides, turned on the long edge. `created` is written as the document's dates.
///
/// The document is held in memory, about 40 MB for a thousand cards without photos: give no more than that at a time.
///
/// # Errors
/// The first card that cannot be drawn; run [`super::check`] over the whole batch first, so that this never happens
/// half-way.
pub fn sheets(
    cards: &[CardData],
    design: &CardDesign,
    layout: Layout,
    created: Timestamp,
) -> Result<Vec<u8>, RenderError> {
    let (Some(first), Some(last)) = (cards.first(), cards.last()) else {
        return Err(RenderError::NothingToPrint);
    };
    let fronts: Vec<Vec<Item>> = collect(spread(cards, |chunk| {
        chunk.iter().map(|card| face::front(card, design)).collect::<Result<Vec<_>, _>>()
    }))?;
    let mut grounds = BTreeMap::new();
    for card in cards {
        if let std::collections::btree_map::Entry::Vacant(entry) = grounds.entry(card.star) {
            entry.insert(face::front_ground(design, card.star)?);
        }
    }
    let back = face::back(design)?;

    let all = fronts.iter().chain(grounds.values()).chain([&back]);
    let fonts = fonts::Embedded::subset(&design.fonts, all.flatten())?;
    let card = &design.template.card;
    let streams: Vec<Vec<u8>> = collect(spread(&fronts, |chunk| {
        let mut deflater = Deflater::new();
        let paint = |items: &Vec<Item>| Ok(deflater.deflate(&paint::content(items, card.height, &fonts)?));
        chunk.iter().map(paint).collect::<Result<Vec<_>, RenderError>>()
    }))?;

    let mut document = Document::new(&fonts, layout);
    let bleed = layout.bleed();
    let frame = Frame { x: -bleed, y: -bleed, width: card.width + 2.0 * bleed, height: card.height + 2.0 * bleed };
    let mut deflater = Deflater::new();
    let mut shared = BTreeMap::new();
    for (&star, items) in &grounds {
        let stream = deflater.deflate(&paint::content(items, card.height, &fonts)?);
        shared.insert(star, document.form(format!("G{star}"), Form { stream, frame, height: card.height, items }));
    }
    let stream = deflater.deflate(&paint::content(&back, card.height, &fonts)?);
    let back = document.form("B".into(), Form { stream, frame, height: card.height, items: &back });
    let forms: Vec<XObjectId> = streams
        .into_iter()
        .zip(&fronts)
        .enumerate()
        .map(|(index, (stream, items))| {
            document.form(format!("C{index}"), Form { stream, frame, height: card.height, items })
        })
        .collect();

    for (cards, forms) in cards.chunks(layout.per_page()).zip(forms.chunks(layout.per_page())) {
        let bottom_left = |index, side| {
            let place = layout.place(index, side);
            (place.x, layout.page().height - place.y - card.height)
        };
        document.page(cards.iter().zip(forms).enumerate().flat_map(|(index, (card, form))| {
            let at = bottom_left(index, Side::Front);
            [(&shared[&card.star], at), (form, at)]
        }));
        document.page((0..cards.len()).map(|index| (&back, bottom_left(index, Side::Back))));
    }
    let title = if cards.len() == 1 {
        format!("{} {}", design.title, first.number)
    } else {
        format!("{} {} 至 {}（{} 张）", design.title, first.number, last.number, cards.len())
    };
    Ok(document.finish(&title, &design.issuer, created))
}

/// The chunks' results in one list, or the first error.
fn collect<T>(chunks: Vec<Result<Vec<T>, RenderError>>) -> Result<Vec<T>, RenderError> {
    let mut all = Vec::new();
    for chunk in chunks {
        all.append(&mut chunk?);
    }
    Ok(all)
}
