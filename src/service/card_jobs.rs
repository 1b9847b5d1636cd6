//! What jobs do with cards: sign everybody on a list, print everybody on a list.

use std::path::Path;

use super::files::{at, write_whole};
use super::issue::Bench;
use super::jobs::{Halt, Work};
use super::print::{PER_FILE, PER_FILE_WITH_PHOTOS};
use super::{Federation, ServiceError};
use crate::domain::certificate::Reason;
use crate::domain::job::{JobFile, JobResult};
use crate::render::{self, CardData, CardDesign, Layout, Photo, pdf};
use crate::store::{CertificateId, PrintCard};

/// Entries signed in one transaction.
const SIGNED_AT_ONCE: usize = 1000;
/// The one file with all the others.
const ARCHIVE: &str = "cards.zip";

impl Federation {
    /// Signs for everybody on a list, a thousand a transaction.
    pub(super) async fn issue_list(
        &self,
        work: &Work<'_>,
        list: i64,
        reason: Option<Reason>,
        result: &mut JobResult,
    ) -> Result<(), Halt> {
        let entries = self.store.read().await?.list_entries(list).await?;
        let total = entries.len() as u64;
        let mut bench: Option<Bench> = None;
        for (part, chunk) in entries.chunks(SIGNED_AT_ONCE).enumerate() {
            work.step((part * SIGNED_AT_ONCE) as u64, total).await?;
            let signed = self.issue_entries(&mut bench, chunk, reason).await?;
            result.cards += signed.cards + signed.before;
            result.replaced += signed.replaced;
            result.skipped += signed.skipped;
        }
        self.store.refresh_statistics().await?;
        work.step(total, total).await
    }

    /// Prints the cards on a list into `folder`: first everything is checked, then a file a thousand cards, then all in
    /// one archive; only then the cards count as printed.
    pub(super) async fn print_list(
        &self,
        work: &Work<'_>,
        list: i64,
        layout: &str,
        photos: bool,
        folder: &Path,
        result: &mut JobResult,
    ) -> Result<(), Halt> {
        let layout = layout_named(layout)?;
        let design = self.design()?;
        let entries = self.store.read().await?.list_entries(list).await?;
        let wanted: Vec<CertificateId> = entries.iter().filter_map(|(_, card)| *card).collect();
        let total = wanted.len() as u64;
        result.skipped = entries.len() as u64 - total;
        work.step(0, total).await?;
        self.check_list(work, &design, &wanted).await?;

        let size = if photos { PER_FILE_WITH_PHOTOS } else { PER_FILE } as usize;
        let mut printed = Vec::with_capacity(wanted.len());
        let mut names = Vec::new();
        for (part, chunk) in wanted.chunks(size).enumerate() {
            work.step((part * size) as u64, total).await?;
            let cards = self.store.read().await?.print_cards_by_key(chunk).await?;
            result.skipped += (chunk.len() - cards.len()) as u64;
            if cards.is_empty() {
                continue;
            }
            let name = format!("cards-{:04}.pdf", part + 1);
            let path = folder.join(&name);
            let with_photos = self.with_photos(&cards, photos).await?;
            result.without_photo += with_photos.iter().filter(|card| card.photo.is_none()).count() as u64;
            if !path.is_file() {
                let (design, created) = (design.clone(), self.now());
                let bytes = blocking(move || Ok(pdf::sheets(&with_photos, &design, layout, created)?)).await?;
                write_whole(&path, &bytes)?;
            }
            let bytes = std::fs::metadata(&path).map_err(|error| at(&path, error))?.len();
            let pages = 2 * cards.len().div_ceil(layout.per_page()) as u64;
            result.files.push(JobFile { name: name.clone(), bytes, cards: cards.len() as u64, pages });
            names.push(name);
            printed.extend(cards.iter().map(|card| (card.id, card.number.clone())));
        }
        if printed.is_empty() {
            return Err(Halt::Failed(ServiceError::NothingToPrint));
        }
        let bytes = self.archive(folder, names).await?;
        result.files.push(JobFile { name: ARCHIVE.into(), bytes, cards: printed.len() as u64, pages: 0 });
        result.cards = printed.len() as u64;
        let ids: Vec<_> = printed.iter().map(|(id, _)| *id).collect();
        let mut tx = self.begin().await?;
        tx.mark_printed(&ids).await?;
        let valid = tx.print_cards_by_key(&ids).await?;
        tx.commit().await?;
        let valid: std::collections::HashSet<_> = valid.iter().map(|card| card.id).collect();
        result.void = printed.into_iter().filter(|(id, _)| !valid.contains(id)).map(|(_, number)| number).collect();
        work.step(total, total).await
    }

    /// Nothing is written before the last name is known to be printable.
    async fn check_list(&self, work: &Work<'_>, design: &CardDesign, wanted: &[CertificateId]) -> Result<(), Halt> {
        let mut faults = Vec::new();
        for chunk in wanted.chunks(PER_FILE as usize) {
            let cards = self.store.read().await?.print_cards_by_key(chunk).await?;
            let cards = cards.iter().map(|card| self.card_data(card, None)).collect::<Result<Vec<_>, _>>()?;
            let design = design.clone();
            faults.extend(blocking(move || Ok(render::check(&cards, &design).err())).await?.unwrap_or_default());
            work.step(0, wanted.len() as u64).await?;
        }
        if faults.is_empty() { Ok(()) } else { Err(Halt::Failed(ServiceError::Unprintable { faults })) }
    }

    /// What is drawn of these cards, with their photos if wanted.
    async fn with_photos(&self, cards: &[PrintCard], photos: bool) -> Result<Vec<CardData>, ServiceError> {
        let mut kept = if photos { self.photos_of(cards).await? } else { Default::default() };
        cards.iter().map(|card| self.card_data(card, kept.remove(&card.id))).collect()
    }

    /// The photos of these cards' holders.
    async fn photos_of(
        &self,
        cards: &[PrintCard],
    ) -> Result<std::collections::HashMap<CertificateId, Photo>, ServiceError> {
        let mut reader = self.store.read().await?;
        let holders: Vec<_> = cards.iter().map(|card| card.volunteer).collect();
        let mut photos = reader.photos(&holders).await?;
        let kept = |photo: crate::store::StoredPhoto| Photo::kept(photo.jpeg, photo.width, photo.height);
        Ok(cards.iter().filter_map(|card| Some((card.id, kept(photos.remove(&card.volunteer)?)))).collect())
    }

    /// All files in one, stored as they are: they are deflated already.
    async fn archive(&self, folder: &Path, names: Vec<String>) -> Result<u64, ServiceError> {
        let path = folder.join(ARCHIVE);
        let folder = folder.to_owned();
        blocking(move || {
            let part = folder.join("cards.zip.part");
            let failed = |error: std::io::Error| at(&part, error);
            let spoiled = |error: zip::result::ZipError| failed(std::io::Error::other(error));
            let mut archive = zip::ZipWriter::new(std::fs::File::create(&part).map_err(failed)?);
            let options = zip::write::SimpleFileOptions::default()
                .compression_method(zip::CompressionMethod::Stored)
                .large_file(true);
            for name in names {
                archive.start_file(&name, options).map_err(spoiled)?;
                let mut file = std::fs::File::open(folder.join(&name)).map_err(failed)?;
                std::io::copy(&mut file, &mut archive).map_err(failed)?;
            }
            let file = archive.finish().map_err(spoiled)?;
            file.sync_all().map_err(failed)?;
            std::fs::rename(&part, &path).map_err(failed)?;
            Ok(std::fs::metadata(&path).map_err(failed)?.len())
        })
        .await
    }
}

/// A layout by its name.
///
/// # Errors
/// There is none of this name.
pub fn layout_named(name: &str) -> Result<Layout, ServiceError> {
    let known = Layout::ALL.into_iter().find(|layout| layout.name() == name);
    known.ok_or_else(|| ServiceError::Configuration {
        field: "layout", why: format!("没有名为“{name}”的版式")
    })
}

/// Work that keeps a core busy, where it does not keep others waiting.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ServiceError> + Send + 'static,
) -> Result<T, ServiceError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| ServiceError::Aborted)?
}
