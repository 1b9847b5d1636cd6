//! Photos in bulk: pictures or archives of pictures, named by certificate number, looked at row by row, then confirmed.
//!
//! Nothing of an archive is written to disk, and of its names only the last part is read. What is not confirmed within a day
//! is forgotten.

use std::collections::{HashMap, HashSet};
use std::io::{Cursor, Read};
use std::sync::Arc;

use super::choose::grouped;
use super::{moment, numbers};
use crate::domain::certificate::VolunteerState;
use crate::domain::staff::Permission;
use crate::render::Photo;
use crate::render::photo::MAX_BYTES;
use crate::service::card_jobs::blocking;
use crate::service::desk::{Desk, DeskError, FieldError};
use crate::store::{KnownVolunteer, NewUploadRow, PhotoUpload, StoredPhoto, UnitId, VolunteerId};

/// Pictures in one upload.
const MOST: usize = 3000;
/// Rows a page.
const PAGE: u32 = 48;
/// Photos set in one transaction.
const SET_AT_ONCE: usize = 200;

/// A file as it was sent.
pub struct SentFile {
    /// Its name, without folders.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// A page of an upload.
#[derive(Debug, Clone)]
pub struct PhotoUploadPage {
    /// Key of the upload.
    pub id: i64,
    /// When it was sent.
    pub made_at: String,
    /// How many pictures are taken when it is confirmed.
    pub taken: u64,
    /// How many files are not.
    pub refused: u64,
    /// The rows.
    pub rows: Vec<PhotoRow>,
    /// Where the next page goes on.
    pub next: Option<i64>,
}

/// One file of an upload.
#[derive(Debug, Clone)]
pub struct PhotoRow {
    /// Its place, from 1.
    pub place: i64,
    /// Its name.
    pub file_name: String,
    /// The number in its name, in groups.
    pub grouped: String,
    /// Whose it is.
    pub name: String,
    /// Of which unit.
    pub unit: String,
    /// Whether they have a photo that this one replaces.
    pub replaces: bool,
    /// Why it is not taken.
    pub problem: Option<String>,
}

/// A picture before it is looked at.
struct Candidate {
    name: String,
    number: Option<String>,
    problem: Option<String>,
    from: Source,
}

/// Where a picture's bytes are.
#[derive(Clone, Copy)]
enum Source {
    /// A file of its own.
    File(usize),
    /// An entry of an archive.
    Entry { file: usize, entry: usize },
}

impl Desk {
    /// Looks at the files and keeps what is right until it is confirmed; returns the key of the upload.
    ///
    /// # Errors
    /// No permission to correct people; [`DeskError::Invalid`] for an archive that is none, too many pictures, or one that
    /// unpacks to more than `limits.unpacked_mb`.
    pub async fn take_photos(&self, files: Vec<SentFile>) -> Result<i64, DeskError> {
        self.need(Permission::EditPeople)?;
        if files.is_empty() {
            return Err(wrong("没有选择文件。请选择照片，或装有照片的 .zip 压缩包"));
        }
        let files = Arc::new(files);
        let listed = files.clone();
        let candidates = blocking(move || Ok(candidates(&listed))).await?.map_err(|why| wrong(&why))?;
        let people = self.people_of(&candidates).await?;
        let budget = self.office().config().limits.unpacked_mb.saturating_mul(1 << 20);
        let rows = blocking(move || Ok(look(&files, candidates, &people, budget))).await?.map_err(|why| wrong(&why))?;
        let mut tx = self.office().begin().await?;
        let id = tx.insert_photo_upload(self.staff().id, &rows).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// A page of one's own upload.
    ///
    /// # Errors
    /// [`DeskError::NotFound`] for none, or somebody else's.
    pub async fn photo_upload(&self, id: i64, wrong: bool, after: i64) -> Result<PhotoUploadPage, DeskError> {
        let upload = self.own_upload(id).await?;
        let mut reader = self.office().store.read().await?;
        let (taken, refused) = reader.photo_upload_counts(id).await?;
        let mut rows = reader.photo_upload_rows(id, wrong, after, PAGE + 1).await?;
        let more = rows.len() > PAGE as usize;
        rows.truncate(PAGE as usize);
        let next = rows.last().filter(|_| more).map(|row| row.place);
        let rows = rows
            .into_iter()
            .map(|row| {
                let (name, unit) = row.person.unwrap_or_default();
                let grouped = row.number.as_deref().map(grouped).unwrap_or_default();
                PhotoRow {
                    place: row.place,
                    file_name: row.file_name,
                    grouped,
                    name,
                    unit,
                    replaces: row.replaces,
                    problem: row.problem,
                }
            })
            .collect();
        Ok(PhotoUploadPage { id, made_at: moment(upload.made_at), taken, refused, rows, next })
    }

    /// The picture of one row, as JPEG.
    ///
    /// # Errors
    /// As [`Self::photo_upload`].
    pub async fn upload_picture(&self, id: i64, place: i64) -> Result<Vec<u8>, DeskError> {
        self.own_upload(id).await?;
        let found = self.office().store.read().await?.photo_upload_picture(id, place).await?;
        Ok(found.ok_or(DeskError::NotFound)?.1.jpeg)
    }

    /// Sets the photos of an upload; returns how many. Those of people who have left meanwhile are dropped.
    ///
    /// # Errors
    /// As [`Self::photo_upload`].
    pub async fn confirm_photos(&self, id: i64) -> Result<u64, DeskError> {
        self.own_upload(id).await?;
        let (mut after, mut set) = (0, 0);
        loop {
            let mut tx = self.office().begin().await?;
            let rows = tx.photo_upload_rows(id, false, after, SET_AT_ONCE as u32).await?;
            let Some(last) = rows.last() else { break };
            after = last.place;
            for row in rows.iter().filter(|row| row.problem.is_none()) {
                if let Some((volunteer, photo)) = tx.photo_upload_picture(id, row.place).await? {
                    set += u64::from(tx.set_photo(volunteer, &photo).await?);
                }
            }
            tx.commit().await?;
        }
        self.drop_photos(id).await?;
        Ok(set)
    }

    /// Forgets an upload.
    ///
    /// # Errors
    /// As [`Self::photo_upload`].
    pub async fn drop_photos(&self, id: i64) -> Result<(), DeskError> {
        self.own_upload(id).await?;
        let mut tx = self.office().begin().await?;
        tx.drop_photo_upload(id).await?;
        Ok(tx.commit().await?)
    }

    async fn own_upload(&self, id: i64) -> Result<PhotoUpload, DeskError> {
        self.need(Permission::EditPeople)?;
        let upload = self.office().store.read().await?.photo_upload(id).await?.ok_or(DeskError::NotFound)?;
        if upload.staff == self.staff().id { Ok(upload) } else { Err(DeskError::NotFound) }
    }

    /// Whose the numbers are, as far as within reach.
    async fn people_of(&self, candidates: &[Candidate]) -> Result<HashMap<String, KnownVolunteer>, DeskError> {
        let numbers: Vec<&str> = candidates.iter().filter_map(|candidate| candidate.number.as_deref()).collect();
        let mut reader = self.office().store.read().await?;
        let known = reader.known_by_number(&numbers).await?;
        let mut within: HashMap<UnitId, bool> = HashMap::new();
        let mut people = HashMap::new();
        for person in known.into_iter().flatten() {
            let reached = match within.get(&person.unit) {
                Some(reached) => *reached,
                None => {
                    let unit = reader.unit(person.unit).await?;
                    let reached = unit.is_some_and(|unit| self.reach_unit(unit.county, unit.id).is_ok());
                    within.insert(person.unit, reached);
                    reached
                }
            };
            if reached {
                people.insert(person.number.clone(), person);
            }
        }
        Ok(people)
    }
}

fn wrong(message: &str) -> DeskError {
    DeskError::Invalid(vec![FieldError { field: "file", message: message.into() }])
}

/// What is in the files: each picture's name with its number. Nothing is unpacked yet.
fn candidates(files: &[SentFile]) -> Result<Vec<Candidate>, String> {
    let (mut all, mut seen) = (Vec::new(), HashSet::new());
    for (file, sent) in files.iter().enumerate() {
        if !sent.bytes.starts_with(b"PK\x03\x04") {
            if sent.name.to_lowercase().ends_with(".zip") {
                return Err(format!("“{}”不是 .zip 压缩包，或已损坏。请重新压缩后上传", sent.name));
            }
            all.push(candidate(&sent.name, Source::File(file), &mut seen));
            continue;
        }
        let mut archive = zip::ZipArchive::new(Cursor::new(&sent.bytes[..]))
            .map_err(|_| format!("压缩包“{}”已损坏，打不开。请重新压缩后上传", sent.name))?;
        if archive.len() > MOST * 2 {
            return Err(format!("压缩包里有 {} 个文件，一次最多 {MOST} 张照片。请分批上传", archive.len()));
        }
        for entry in 0..archive.len() {
            let inside = archive.by_index_raw(entry).map_err(|_| format!("压缩包“{}”的目录已损坏", sent.name))?;
            let path = String::from_utf8_lossy(inside.name_raw()).into_owned();
            let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
            // What other systems leave in archives.
            if inside.is_dir() || name.is_empty() || name.starts_with('.') || path.starts_with("__MACOSX") {
                continue;
            }
            let mut found = candidate(name, Source::Entry { file, entry }, &mut seen);
            if inside.encrypted() {
                found.problem = Some("压缩包有密码，读不出来。请去掉密码后重新压缩".into());
            }
            all.push(found);
        }
    }
    match all.len() {
        0 => Err("压缩包里没有照片".into()),
        many if many > MOST => Err(format!("共 {many} 张照片，一次最多 {MOST} 张。请分批上传")),
        _ => Ok(all),
    }
}

fn candidate(name: &str, from: Source, seen: &mut HashSet<String>) -> Candidate {
    let name: String = name.chars().filter(|c| !c.is_control()).take(120).collect();
    let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
    let (number, problem) = match numbers::in_file_name(stem) {
        None => (None, Some("文件名里没有十位证书编号。请改名为“编号.jpg”".into())),
        Some(Err(why)) => (None, Some(why)),
        Some(Ok(number)) if !seen.insert(number.to_string()) => {
            (Some(number.to_string()), Some("同一编号有两张照片，只取第一张".into()))
        }
        Some(Ok(number)) => (Some(number.to_string()), None),
    };
    Candidate { name, number, problem, from }
}

/// Decodes the pictures of those who are known, on all cores. `budget` bounds what archives unpack to, bytes.
fn look(
    files: &[SentFile],
    candidates: Vec<Candidate>,
    people: &HashMap<String, KnownVolunteer>,
    budget: u64,
) -> Result<Vec<NewUploadRow>, String> {
    let unpacked = std::sync::atomic::AtomicU64::new(0);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = candidates.len().div_ceil(cores).max(1);
    let parts: Vec<Result<Vec<NewUploadRow>, String>> = std::thread::scope(|scope| {
        let workers: Vec<_> = candidates
            .chunks(share)
            .map(|part| {
                let unpacked = &unpacked;
                scope.spawn(move || {
                    let mut archives = HashMap::new();
                    part.iter()
                        .map(|candidate| {
                            let person = candidate.number.as_ref().and_then(|number| people.get(number));
                            let outcome = match (&candidate.problem, person) {
                                (Some(problem), _) => Err(problem.clone()),
                                (None, None) => Err("没有这个编号，或不在您的管辖范围内".into()),
                                (None, Some(person)) if person.state == VolunteerState::Exited => {
                                    Err("本人已退出，不再保存照片".into())
                                }
                                (None, Some(_)) => match bytes(files, candidate.from, &mut archives) {
                                    Err(problem) => Err(problem),
                                    Ok(bytes) => {
                                        let spent = bytes.len() as u64;
                                        let before = unpacked.fetch_add(spent, std::sync::atomic::Ordering::Relaxed);
                                        if before + spent > budget {
                                            return Err(format!(
                                                "照片解压后超过 {} MB，已拒绝。请缩小照片或分批上传",
                                                budget >> 20
                                            ));
                                        }
                                        Photo::decode(&bytes).map_err(|why| why.to_string())
                                    }
                                },
                            };
                            Ok(row(candidate, person.map(|person| person.id), outcome))
                        })
                        .collect()
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|_| Err("有照片无法处理，请分批上传以找出是哪一张".into())))
            .collect()
    });
    let mut rows = Vec::with_capacity(candidates.len());
    for part in parts {
        rows.extend(part?);
    }
    Ok(rows)
}

fn row(candidate: &Candidate, volunteer: Option<VolunteerId>, outcome: Result<Photo, String>) -> NewUploadRow {
    let (photo, problem) = match outcome {
        Ok(photo) => {
            let kept = StoredPhoto { jpeg: photo.jpeg().to_vec(), width: photo.width(), height: photo.height() };
            (Some(kept), None)
        }
        Err(problem) => (None, Some(problem)),
    };
    NewUploadRow {
        file_name: candidate.name.clone(),
        number: candidate.number.clone(),
        volunteer: volunteer.filter(|_| photo.is_some()),
        problem,
        photo,
    }
}

/// Archives opened by one worker, by the place of their file.
type Archives<'a> = HashMap<usize, zip::ZipArchive<Cursor<&'a [u8]>>>;

/// A picture's bytes; no more of an entry is unpacked than a picture may have, whatever it claims.
fn bytes<'a>(files: &'a [SentFile], from: Source, archives: &mut Archives<'a>) -> Result<Vec<u8>, String> {
    let too_large = || "照片过大：单张不得超过 20 MB，请缩小后重试".to_owned();
    match from {
        Source::File(file) if files[file].bytes.len() as u64 > MAX_BYTES => Err(too_large()),
        Source::File(file) => Ok(files[file].bytes.clone()),
        Source::Entry { file, entry } => {
            let broken = |_| "压缩包里的这个文件已损坏".to_owned();
            let archive = match archives.entry(file) {
                std::collections::hash_map::Entry::Occupied(open) => open.into_mut(),
                std::collections::hash_map::Entry::Vacant(place) => {
                    let opened = zip::ZipArchive::new(Cursor::new(&files[file].bytes[..]));
                    place.insert(opened.map_err(|_| "压缩包已损坏".to_owned())?)
                }
            };
            let inside = archive.by_index(entry).map_err(|_| "压缩包里的这个文件已损坏".to_owned())?;
            let mut bytes = Vec::new();
            inside.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(broken)?;
            if bytes.len() as u64 > MAX_BYTES { Err(too_large()) } else { Ok(bytes) }
        }
    }
}
