//! Holders' photos, sealed; and those sent in that wait for a yes.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::json;

use super::bulk::{Insert, Statement};
use super::row::Columns;
use super::sealed::Place;
use super::{Reader, StoreError, Tx, VolunteerId};

/// A photo as it is printed: JPEG, no larger than its place on the card.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredPhoto {
    /// The JPEG.
    pub jpeg: Vec<u8>,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// One file of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUploadRow {
    /// Its name, without folders.
    pub file_name: String,
    /// The certificate number in its name.
    pub number: Option<String>,
    /// Whose it is.
    pub volunteer: Option<VolunteerId>,
    /// Why it is not taken.
    pub problem: Option<String>,
    /// The picture, if nothing is wrong.
    pub photo: Option<StoredPhoto>,
}

/// One file of an upload, as stored; without the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadRow {
    /// Its place in the upload, from 1.
    pub place: i64,
    /// Its name.
    pub file_name: String,
    /// The certificate number in its name.
    pub number: Option<String>,
    /// Whose it is: name and unit.
    pub person: Option<(String, String)>,
    /// Whether they have a photo that this one replaces.
    pub replaces: bool,
    /// Why it is not taken.
    pub problem: Option<String>,
}

/// An upload that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhotoUpload {
    /// Key.
    pub id: i64,
    /// Account of whoever sent it.
    pub staff: i64,
    /// When.
    pub made_at: Timestamp,
}

const INSERT: Insert = Insert {
    table: "photo_upload_row",
    columns: &[
        "id",
        "upload_id",
        "place",
        "file_name",
        "number",
        "volunteer_id",
        "problem",
        "sealed",
        "width",
        "height",
    ],
    fixed: &[],
    conflict: "",
    may_stop_halfway: false,
};

impl Reader {
    /// One volunteer's photo.
    pub async fn photo(&mut self, volunteer: VolunteerId) -> Result<Option<StoredPhoto>, StoreError> {
        Ok(self.photos(&[volunteer]).await?.remove(&volunteer))
    }

    /// The photos of these volunteers, opened.
    pub async fn photos(
        &mut self,
        volunteers: &[VolunteerId],
    ) -> Result<HashMap<VolunteerId, StoredPhoto>, StoreError> {
        let select = "SELECT volunteer_id, sealed, width, height FROM photo WHERE volunteer_id";
        let rows = self.select_in(select, volunteers, "", |values, id| values.push(id.0)).await?;
        rows.iter()
            .map(|row| {
                let id = row.int(0)?;
                let jpeg = self.shared.sealer.open_bytes(place("photo", id), row.bytes(1)?)?.to_vec();
                let photo = StoredPhoto { jpeg, width: row.number(2, "照片")?, height: row.number(3, "照片")? };
                Ok((VolunteerId(id), photo))
            })
            .collect()
    }

    /// An upload that waits.
    pub async fn photo_upload(&mut self, id: i64) -> Result<Option<PhotoUpload>, StoreError> {
        let query = sqlx::query("SELECT id, staff_id, made_at FROM photo_upload WHERE id = $1").bind(id);
        let row = query.fetch_optional(self.connection()).await?;
        row.map(|row| Ok(PhotoUpload { id: row.int(0)?, staff: row.int(1)?, made_at: row.moment(2)? })).transpose()
    }

    /// Up to `limit` rows of an upload after the place `after`; with `wrong`, only those not taken.
    pub async fn photo_upload_rows(
        &mut self,
        id: i64,
        wrong: bool,
        after: i64,
        limit: u32,
    ) -> Result<Vec<UploadRow>, StoreError> {
        let mut query = Statement::new(
            "SELECT r.place, r.file_name, r.number, v.name, u.name, p.added_at, r.problem FROM photo_upload_row r \
             LEFT JOIN volunteer v ON v.id = r.volunteer_id LEFT JOIN unit u ON u.id = v.unit_id \
             LEFT JOIN photo p ON p.volunteer_id = r.volunteer_id WHERE r.upload_id = ",
        );
        query.bind(id).push(" AND r.place > ").bind(after);
        if wrong {
            query.push(" AND r.problem IS NOT NULL");
        }
        query.push(" ORDER BY r.place LIMIT ").bind(i64::from(limit));
        let rows = query.fetch_all(self).await?;
        rows.iter()
            .map(|row| {
                Ok(UploadRow {
                    place: row.int(0)?,
                    file_name: row.text(1)?,
                    number: row.text_or_null(2)?,
                    person: row.text_or_null(3)?.zip(row.text_or_null(4)?),
                    replaces: row.int_or_null(5)?.is_some(),
                    problem: row.text_or_null(6)?,
                })
            })
            .collect()
    }

    /// How many rows of an upload are taken, and how many are not.
    pub async fn photo_upload_counts(&mut self, id: i64) -> Result<(u64, u64), StoreError> {
        let sql = "SELECT count(*), count(problem) FROM photo_upload_row WHERE upload_id = $1";
        let row = sqlx::query(sql).bind(id).fetch_one(self.connection()).await?;
        let (all, wrong): (u64, u64) = (row.number(0, "计数")?, row.number(1, "计数")?);
        Ok((all - wrong, wrong))
    }

    /// The picture of one row of an upload, with whose it is.
    pub async fn photo_upload_picture(
        &mut self,
        upload: i64,
        at: i64,
    ) -> Result<Option<(VolunteerId, StoredPhoto)>, StoreError> {
        let sql = "SELECT id, volunteer_id, sealed, width, height FROM photo_upload_row \
                   WHERE upload_id = $1 AND place = $2 AND sealed IS NOT NULL AND volunteer_id IS NOT NULL";
        let row = sqlx::query(sql).bind(upload).bind(at).fetch_optional(self.connection()).await?;
        let Some(row) = row else { return Ok(None) };
        let jpeg = self.shared.sealer.open_bytes(place("photo_upload_row", row.int(0)?), row.bytes(2)?)?.to_vec();
        let photo = StoredPhoto { jpeg, width: row.number(3, "照片")?, height: row.number(4, "照片")? };
        Ok(Some((VolunteerId(row.int(1)?), photo)))
    }
}

impl Tx {
    /// Sets a volunteer's photo, in place of an older one (`photo.set`); false if they have left.
    pub async fn set_photo(&mut self, volunteer: VolunteerId, photo: &StoredPhoto) -> Result<bool, StoreError> {
        let query = sqlx::query("SELECT number FROM volunteer WHERE id = $1 AND state = 'active'").bind(volunteer.0);
        let Some(row) = query.fetch_optional(self.connection()).await? else { return Ok(false) };
        let number = row.text(0)?;
        let sealed = self.seal_photo(place("photo", volunteer.0), &photo.jpeg);
        let (now, actor) = (self.now.as_second(), self.actor.clone());
        sqlx::query(
            "INSERT INTO photo (volunteer_id, sealed, width, height, added_at, added_by) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (volunteer_id) DO UPDATE SET sealed = excluded.sealed, width = excluded.width, \
             height = excluded.height, added_at = excluded.added_at, added_by = excluded.added_by",
        )
        .bind(volunteer.0)
        .bind(sealed)
        .bind(i64::from(photo.width))
        .bind(i64::from(photo.height))
        .bind(now)
        .bind(actor)
        .execute(self.connection())
        .await?;
        self.audit("photo.set", format!("volunteer/{number}"), json!({"width": photo.width, "height": photo.height}));
        Ok(true)
    }

    /// Erases a volunteer's photo, and what of theirs waits in uploads (`photo.erase`); false if there was none.
    pub async fn erase_photo(&mut self, volunteer: VolunteerId) -> Result<bool, StoreError> {
        let query = sqlx::query("DELETE FROM photo_upload_row WHERE volunteer_id = $1").bind(volunteer.0);
        query.execute(self.connection()).await?;
        let query = sqlx::query("DELETE FROM photo WHERE volunteer_id = $1").bind(volunteer.0);
        if query.execute(self.connection()).await?.rows_affected() == 0 {
            return Ok(false);
        }
        let query = sqlx::query("SELECT number FROM volunteer WHERE id = $1").bind(volunteer.0);
        let number = query.fetch_one(self.connection()).await?.text(0)?;
        self.audit("photo.erase", format!("volunteer/{number}"), json!({}));
        Ok(true)
    }

    /// Keeps an upload until it is confirmed (`photo.upload`) and returns its key.
    pub async fn insert_photo_upload(&mut self, staff: i64, rows: &[NewUploadRow]) -> Result<i64, StoreError> {
        let id = self.draw_one("photo_upload").await?;
        let now = self.now.as_second();
        sqlx::query("INSERT INTO photo_upload (id, staff_id, made_at) VALUES ($1, $2, $3)")
            .bind(id)
            .bind(staff)
            .bind(now)
            .execute(self.connection())
            .await?;
        let keys = self.draw("photo_upload_row", rows.len()).await?;
        let sealed: Vec<_> = keys
            .zip(rows)
            .map(|(key, row)| {
                let sealed =
                    row.photo.as_ref().map(|photo| self.seal_photo(place("photo_upload_row", key), &photo.jpeg));
                (key, row, sealed)
            })
            .collect();
        let placed: Vec<_> = (1i64..).zip(&sealed).collect();
        self.insert_all(&INSERT, &placed, |values, (at, (key, row, sealed))| {
            let side = |of: fn(&StoredPhoto) -> u32| row.photo.as_ref().map_or(0, |photo| i64::from(of(photo)));
            values.push(*key);
            values.push(id);
            values.push(*at);
            values.push(row.file_name.as_str());
            values.push(row.number.as_deref());
            values.push(row.volunteer.map(|volunteer| volunteer.0));
            values.push(row.problem.as_deref());
            values.push(sealed.as_deref());
            values.push(side(|photo| photo.width));
            values.push(side(|photo| photo.height));
        })
        .await?;
        let taken = rows.iter().filter(|row| row.photo.is_some()).count();
        self.audit("photo.upload", format!("photo_upload/{id}"), json!({"files": rows.len(), "taken": taken}));
        Ok(id)
    }

    /// Forgets an upload, its pictures with it.
    pub async fn drop_photo_upload(&mut self, id: i64) -> Result<(), StoreError> {
        for sql in ["DELETE FROM photo_upload_row WHERE upload_id = $1", "DELETE FROM photo_upload WHERE id = $1"] {
            sqlx::query(sql).bind(id).execute(self.connection()).await?;
        }
        self.audit("photo.upload_drop", format!("photo_upload/{id}"), json!({}));
        Ok(())
    }

    /// Forgets uploads that nobody confirmed since before this moment; returns how many.
    pub async fn forget_photo_uploads(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        let query = sqlx::query("SELECT id FROM photo_upload WHERE made_at < $1").bind(before.as_second());
        let rows = query.fetch_all(self.connection()).await?;
        for row in &rows {
            self.drop_photo_upload(row.int(0)?).await?;
        }
        Ok(rows.len() as u64)
    }

    fn seal_photo(&self, place: Place, jpeg: &[u8]) -> Vec<u8> {
        let mut nonce = [0; 24];
        self.shared.entropy.fill(&mut nonce);
        self.shared.sealer.seal_bytes(place, &nonce, jpeg)
    }
}

fn place(table: &'static str, row: i64) -> Place {
    Place { table, column: "sealed", row }
}

/// Without the pixels: a face has no place in a log.
impl std::fmt::Debug for StoredPhoto {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StoredPhoto({} × {})", self.width, self.height)
    }
}
