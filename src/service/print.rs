//! Printing cards: everything is checked before the first page is made, then a file a thousand cards.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;
use zyz_credential::{CertificateNumber, code_text};

use super::files::{make_folder, write_whole};
use super::issue::number_of;
use super::{Federation, Progress, Selection, ServiceError};
use crate::clock::beijing_date;
use crate::domain::certificate::CertificateState;
use crate::render::{self, CardData, CardDesign, Fonts, Layout, Photo, Picture, RenderError, pdf, png};
use crate::store::{self, PrintCard, PrintCursor};

/// Cards a PDF file: what a print shop handles well and memory holds easily.
pub(super) const PER_FILE: u32 = 1000;
/// The same when photos are printed, which weigh more.
pub(super) const PER_FILE_WITH_PHOTOS: u32 = 200;
/// Resolution of a card's picture, dots a millimetre: 508 dpi, for screens and phones.
const PICTURE_DOTS_PER_MM: f32 = 20.0;

/// What to print.
#[derive(Debug)]
pub struct PrintRequest<'a> {
    /// Whose cards; only valid ones are printed.
    pub selection: Selection,
    /// How they stand on the sheet.
    pub layout: Layout,
    /// Folder for the files.
    pub folder: &'a Path,
    /// Folder of photos.
    pub photos: Option<&'a Path>,
}

/// What was printed.
#[derive(Debug, Default, Serialize)]
pub struct Printed {
    /// Cards in all.
    pub cards: usize,
    /// Cards for which there was no photo.
    pub without_photo: usize,
    /// The files, in order.
    pub files: Vec<PrintedFile>,
}

/// One PDF file.
#[derive(Debug, Serialize)]
pub struct PrintedFile {
    /// Where it is.
    pub path: String,
    /// Cards in it.
    pub cards: usize,
    /// Pages in it, fronts and backs.
    pub pages: usize,
}

impl Federation {
    /// Prints the valid cards selected into PDF files `cards-0001.pdf`, … and notes that they were printed. An old file
    /// of the same name is replaced.
    ///
    /// # Errors
    /// Nothing to print; a character no font has, a name that does not fit (each with name and number, before anything is
    /// written); a photo that is no picture; a full disk (no half file is left).
    pub async fn print(&self, request: PrintRequest<'_>, progress: Progress<'_>) -> Result<Printed, ServiceError> {
        let design = self.design()?;
        let unprinted = request.selection == Selection::Unprinted;
        let selection = self.whose(&request.selection).await?;
        let total = self.store.read().await?.print_count(&selection, unprinted).await?;
        if total == 0 {
            return Err(ServiceError::NothingToPrint);
        }
        self.check_all(&design, &selection, unprinted).await?;
        make_folder(request.folder)?;
        let size = if request.photos.is_some() { PER_FILE_WITH_PHOTOS } else { PER_FILE };
        let mut done = Printed::default();
        let mut after: Option<PrintCursor> = None;
        progress(0, total);
        loop {
            let page = self.store.read().await?.print_cards(&selection, unprinted, after.as_ref(), size).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.cursor());
            let mut cards = Vec::with_capacity(page.len());
            for card in &page {
                let photo = photo_of(request.photos, &card.number)?;
                done.without_photo += usize::from(photo.is_none());
                cards.push(self.card_data(card, photo)?);
            }
            let bytes = pdf::sheets(&cards, &design, request.layout, self.now())?;
            let path = request.folder.join(format!("cards-{:04}.pdf", done.files.len() + 1));
            write_whole(&path, &bytes)?;
            let mut tx = self.begin().await?;
            let ids: Vec<_> = page.iter().map(|card| card.id).collect();
            tx.mark_printed(&ids).await?;
            tx.commit().await?;
            done.cards += page.len();
            done.files.push(PrintedFile {
                path: path.display().to_string(),
                cards: page.len(),
                pages: 2 * page.len().div_ceil(request.layout.per_page()),
            });
            progress(done.cards as u64, total);
        }
        Ok(done)
    }

    /// Draws the front of one valid card into a PNG file.
    ///
    /// # Errors
    /// Unknown number, no valid card, or as [`Self::print`].
    pub async fn card_png(
        &self,
        number: CertificateNumber,
        file: &Path,
        photos: Option<&Path>,
    ) -> Result<(), ServiceError> {
        let card = self.one_card(number).await?;
        let photo = photo_of(photos, &card.number)?;
        let data = self.card_data(&card, photo)?;
        let picture = png::front(&data, &self.design()?, PICTURE_DOTS_PER_MM)?;
        write_whole(file, &picture)
    }

    /// The text of one valid card's code.
    ///
    /// # Errors
    /// Unknown number, or no valid card.
    pub async fn card_text(&self, number: CertificateNumber) -> Result<String, ServiceError> {
        let card = self.one_card(number).await?;
        Ok(code_text(&self.config.public_url, &card.code))
    }

    async fn one_card(&self, number: CertificateNumber) -> Result<PrintCard, ServiceError> {
        let mut reader = self.store.read().await?;
        self.known(&mut reader, number).await?;
        let selection = store::Selection::Numbers(vec![number.to_string()]);
        if let Some(card) = reader.print_cards(&selection, false, None, 1).await?.pop() {
            return Ok(card);
        }
        match reader.certificate(number.as_str()).await? {
            Some(card) if card.state == CertificateState::Suspended => Err(ServiceError::WrongState {
                number: number.grouped(),
                state: card.state,
                hint: "恢复之后才能制证：zyz resume",
            }),
            Some(card) => Err(ServiceError::WrongState {
                number: number.grouped(),
                state: card.state,
                hint: "没有有效的证；需要时请重新签发：zyz issue --volunteer",
            }),
            None => Err(ServiceError::NoCertificate { number: number.to_string() }),
        }
    }

    /// Checks every card to be printed, so that nothing is written before the last name is known to be printable.
    pub(super) async fn check_all(
        &self,
        design: &CardDesign,
        selection: &store::Selection,
        unprinted: bool,
    ) -> Result<(), ServiceError> {
        let mut faults = Vec::new();
        let mut after: Option<PrintCursor> = None;
        loop {
            let page = self.store.read().await?.print_cards(selection, unprinted, after.as_ref(), PER_FILE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.cursor());
            let cards = page.iter().map(|card| self.card_data(card, None)).collect::<Result<Vec<_>, _>>()?;
            if let Err(found) = render::check(&cards, design) {
                faults.extend(found);
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(ServiceError::Unprintable { faults }) }
    }

    pub(super) fn card_data(&self, card: &PrintCard, photo: Option<Photo>) -> Result<CardData, ServiceError> {
        Ok(CardData {
            number: number_of(&card.number)?.grouped(),
            name: card.name.clone(),
            unit: card.unit.clone(),
            star: card.star,
            valid_until: beijing_date(card.expires_at),
            code: code_text(&self.config.public_url, &card.code),
            photo,
        })
    }

    /// The card's words, mark and fonts from the configuration.
    pub(super) fn design(&self) -> Result<CardDesign, ServiceError> {
        let card = &self.config.card;
        let wrong = |field, why: String| ServiceError::Configuration { field, why };
        let logo = match card.logo.as_str() {
            "" => None,
            path => Some(Picture::open(&PathBuf::from(path)).map_err(|e| wrong("card.logo", e.to_string()))?),
        };
        Ok(CardDesign {
            title: card.title.clone(),
            issuer: card.issuer.clone(),
            phone: card.phone.clone(),
            address: card.address.clone(),
            logo,
            fonts: Fonts::load(&self.config.fonts.extra).map_err(|e| wrong("fonts.extra", e.to_string()))?,
            ..CardDesign::default()
        })
    }
}

/// Writes the calibration page of a layout.
///
/// # Errors
/// The file cannot be written.
pub fn calibration(layout: Layout, file: &Path, created: Timestamp) -> Result<(), ServiceError> {
    write_whole(file, &pdf::calibration(layout, created)?)
}

/// The photo of a number, if the folder has one.
fn photo_of(folder: Option<&Path>, number: &str) -> Result<Option<Photo>, ServiceError> {
    let Some(folder) = folder else { return Ok(None) };
    for ending in ["jpg", "jpeg", "png", "JPG", "JPEG", "PNG"] {
        let path = folder.join(format!("{number}.{ending}"));
        if path.is_file() {
            let photo =
                Photo::open(&path).map_err(|why| ServiceError::Photo { path: path.display().to_string(), why })?;
            return Ok(Some(photo));
        }
    }
    Ok(None)
}

/// The first few of many faults, for an error's text.
pub(super) fn first_faults(faults: &[RenderError]) -> String {
    const SHOWN: usize = 10;
    let mut text: String = faults.iter().take(SHOWN).map(|fault| format!("\n  {fault}")).collect();
    if faults.len() > SHOWN {
        text.push_str(&format!("\n  ……另有 {} 处", faults.len() - SHOWN));
    }
    text
}
