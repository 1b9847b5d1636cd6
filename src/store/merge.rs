//! Two registrations of one person become one.

use std::collections::HashMap;

use serde_json::json;

use crate::domain::certificate::VolunteerState;
use crate::domain::correction::Fact;

use super::row::Columns;
use super::{Reader, ServiceRecord, StoreError, Tx, Volunteer, VolunteerId};

/// What a merge moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Merged {
    /// Service records that went over.
    pub records: u64,
    /// Service records that the other had too; they are declared void, so that no sum counts an hour twice.
    pub same_records: u64,
    /// Years whose star went over.
    pub awards: u64,
    /// Registration forms that went over.
    pub forms: u64,
    /// Whether the photo went over.
    pub photo: bool,
}

/// What leads from the one that stays to its earlier papers. Cards, what was handed out and corrections stay with the
/// number that they were made for; the list of the console leads there.
const FOLLOWING: [&str; 2] = [
    "UPDATE service_proof SET volunteer_id = $1 WHERE volunteer_id = $2",
    "UPDATE service_record_void SET volunteer_id = $1 WHERE volunteer_id = $2",
];

impl Reader {
    /// What [`Tx::merge_volunteers`] would move from `ends` to `stays`.
    pub async fn merge_preview(&mut self, stays: VolunteerId, ends: VolunteerId) -> Result<Merged, StoreError> {
        let (moving, same) = self.records_to_move(stays, ends).await?;
        let stars = self.stars_by_year(stays).await?;
        let theirs = self.stars_by_year(ends).await?;
        let awards = theirs.iter().filter(|(year, (star, _))| stars.get(year).is_none_or(|(own, _)| own < star));
        let awards = awards.count() as u64;
        let sql = "SELECT count(*) FROM application WHERE volunteer_id = $1";
        let forms = sqlx::query(sql).bind(ends.0).fetch_one(self.connection()).await?.number(0, "计数")?;
        let photo = self.photo_moves(stays, ends).await?;
        Ok(Merged { records: moving.len() as u64, same_records: same.len() as u64, awards, forms, photo })
    }

    /// The records of `ends` with the fingerprint they will have, and those that `stays` has already.
    async fn records_to_move(
        &mut self,
        stays: VolunteerId,
        ends: VolunteerId,
    ) -> Result<(Vec<(i64, [u8; 32])>, Vec<ServiceRecord>), StoreError> {
        let mut all = Vec::new();
        for record in self.service_records(ends).await? {
            let mut noted = record.noted.clone();
            noted.volunteer = stays;
            all.push((record, noted.fingerprint()));
        }
        let prints: Vec<[u8; 32]> = all.iter().map(|(_, print)| *print).collect();
        let known = self.known_fingerprints(&prints).await?;
        let (same, moving): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, print)| known.contains(print));
        let moving = moving.into_iter().map(|(record, print)| (record.id.0, print)).collect();
        Ok((moving, same.into_iter().map(|(record, _)| record).collect()))
    }

    /// Whether `ends` has a photo, and `stays`, still with us, none.
    async fn photo_moves(&mut self, stays: VolunteerId, ends: VolunteerId) -> Result<bool, StoreError> {
        let sql = "SELECT count(*) FROM photo p, volunteer v WHERE p.volunteer_id = $1 AND v.id = $2 \
                   AND v.state = 'active' AND NOT EXISTS (SELECT 1 FROM photo o WHERE o.volunteer_id = v.id)";
        let query = sqlx::query(sql).bind(ends.0).bind(stays.0);
        Ok(query.fetch_one(self.connection()).await?.int(0)? == 1)
    }

    /// Star and key of each year's award.
    async fn stars_by_year(&mut self, id: VolunteerId) -> Result<HashMap<i64, (i64, i64)>, StoreError> {
        let sql = "SELECT year, star, id FROM star_award WHERE volunteer_id = $1";
        let rows = sqlx::query(sql).bind(id.0).fetch_all(self.connection()).await?;
        rows.iter().map(|row| Ok((row.int(0)?, (row.int(1)?, row.int(2)?)))).collect()
    }
}

impl Tx {
    /// Makes one of two registrations (`volunteer.merge`, an event on each): service records (void ones too), proofs, stars,
    /// registration forms and rows of star batches under way go from `ends` to `stays`, so do the photo and contact data
    /// that `stays` lacks; the rest of `ends`' contact data is erased. `ends` keeps its number, its cards, what was handed
    /// out and its trail, and points to `stays` from now on. Its live card is the caller's to supersede.
    pub async fn merge_volunteers(
        &mut self,
        stays: VolunteerId,
        ends: VolunteerId,
        reason: &str,
    ) -> Result<Merged, StoreError> {
        let missing = StoreError::NotFound { what: "志愿者" };
        let into = self.volunteer_by_id(stays).await?.ok_or(missing)?;
        let from = self.volunteer_by_id(ends).await?.ok_or(StoreError::NotFound { what: "志愿者" })?;
        if into.merged_into.is_some() || from.merged_into.is_some() || stays == ends {
            return Err(StoreError::NotFound { what: "可合并的志愿者" });
        }
        let mut merged = Merged::default();
        let (moving, same) = self.records_to_move(stays, ends).await?;
        for (id, print) in &moving {
            sqlx::query(
                "UPDATE service_record SET volunteer_id = $1, fingerprint = $2, revision = revision + 1 WHERE id = $3",
            )
            .bind(stays.0)
            .bind(&print[..])
            .bind(id)
            .execute(self.connection())
            .await?;
        }
        (merged.records, merged.same_records) = (moving.len() as u64, same.len() as u64);
        self.void_same(&same, &format!("合并重复登记：与 {} 的记录相同", into.number)).await?;
        merged.awards = self.move_stars(stays, ends).await?;
        self.move_draft_rows(&into, &from).await?;
        self.move_contact(&into, &from).await?;
        merged.photo = self.move_photo(stays, ends).await?;
        for sql in FOLLOWING {
            sqlx::query(sql).bind(stays.0).bind(ends.0).execute(self.connection()).await?;
        }
        let sql = "UPDATE application SET volunteer_id = $1 WHERE volunteer_id = $2";
        merged.forms = sqlx::query(sql).bind(stays.0).bind(ends.0).execute(self.connection()).await?.rows_affected();
        if into.state == VolunteerState::Exited {
            self.erase_forms_contact(stays).await?;
        }
        let star = into.star.max(from.star);
        sqlx::query("UPDATE volunteer SET star = $1, revision = revision + 1 WHERE id = $2")
            .bind(i64::from(star))
            .bind(stays.0)
            .execute(self.connection())
            .await?;
        let now = self.now.as_second();
        sqlx::query(
            "UPDATE volunteer SET state = 'exited', exited_at = COALESCE(exited_at, $1), merged_into = $2, star = 0, \
             revision = revision + 1 WHERE id = $3",
        )
        .bind(now)
        .bind(stays.0)
        .bind(ends.0)
        .execute(self.connection())
        .await?;
        // Those merged into the one that ends point past it.
        sqlx::query("UPDATE volunteer SET merged_into = $1 WHERE merged_into = $2")
            .bind(stays.0)
            .bind(ends.0)
            .execute(self.connection())
            .await?;
        let counts = json!({
            "records": merged.records, "same_records": merged.same_records, "awards": merged.awards,
            "forms": merged.forms, "photo": merged.photo, "reason": reason,
        });
        let (mut of_into, mut of_from) = (counts.clone(), counts);
        of_into["from"] = from.number.clone().into();
        of_from["into"] = into.number.clone().into();
        self.audit("volunteer.merge", format!("volunteer/{}", into.number), of_into);
        self.audit("volunteer.merged", format!("volunteer/{}", from.number), of_from);
        Ok(merged)
    }

    /// Exchanges the identity numbers of a volunteer and of one that was merged into them, when it is the other's that is
    /// right; false if `other` is none of theirs.
    pub async fn exchange_identities(&mut self, id: VolunteerId, other: VolunteerId) -> Result<bool, StoreError> {
        let of = self.volunteer_by_id(other).await?.and_then(|other| other.merged_into);
        if of != Some(id) {
            return Ok(false);
        }
        let missing = || StoreError::NotFound { what: "志愿者" };
        let own = self.personal_data(id).await?.ok_or_else(missing)?.identity;
        let theirs = self.personal_data(other).await?.ok_or_else(missing)?.identity;
        // The blind index is one of a kind: a stand-in is in it while both change places.
        let stand_in = format!("exchanged/{other}");
        self.write_sealed(other, Fact::Identity, Some(&stand_in)).await?;
        self.write_sealed(id, Fact::Identity, Some(&theirs)).await?;
        self.write_sealed(other, Fact::Identity, Some(&own)).await?;
        Ok(true)
    }

    /// The awards of years in which `stays` has none or a lower one go over.
    async fn move_stars(&mut self, stays: VolunteerId, ends: VolunteerId) -> Result<u64, StoreError> {
        let own = self.stars_by_year(stays).await?;
        let mut moved = 0;
        for (year, (star, award)) in self.stars_by_year(ends).await? {
            match own.get(&year) {
                Some((better, _)) if *better >= star => continue,
                Some((_, lower)) => {
                    // Each year has one award a volunteer: the two change places, by way of a year that is none.
                    for (award, to, year) in [(*lower, ends, -year), (award, stays, year), (*lower, ends, year)] {
                        self.give_award(award, to, year).await?;
                    }
                }
                None => self.give_award(award, stays, year).await?,
            }
            moved += 1;
        }
        Ok(moved)
    }

    async fn give_award(&mut self, award: i64, to: VolunteerId, year: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE star_award SET volunteer_id = $1, year = $2 WHERE id = $3")
            .bind(to.0)
            .bind(year)
            .bind(award)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Rows of batches that are not certified yet: `from`'s become `into`'s where it has none of its own; else they are taken
    /// out, as if somebody had objected. Either way the batch's revision moves on.
    async fn move_draft_rows(&mut self, into: &Volunteer, from: &Volunteer) -> Result<(), StoreError> {
        let sql = "SELECT r.id, r.draft_id, r.star, (SELECT count(*) FROM star_draft_row o WHERE o.draft_id = r.draft_id \
                   AND o.volunteer_id = $1) FROM star_draft_row r JOIN star_draft d ON d.id = r.draft_id \
                   WHERE d.state IN ('draft', 'announced') AND r.removed = 0 AND r.volunteer_id = $2 ORDER BY r.id";
        let rows = sqlx::query(sql).bind(into.id.0).bind(from.id.0).fetch_all(self.connection()).await?;
        for row in &rows {
            let (id, draft, star) = (row.int(0)?, row.int(1)?, row.int(2)?);
            if row.int(3)? == 0 {
                let sql = "UPDATE star_draft_row SET volunteer_id = $1, number = $2, name = $3, unit_id = $4, unit_name = $5, \
                           county = (SELECT unit.county FROM unit WHERE unit.id = $4), star_before = $6 WHERE id = $7";
                sqlx::query(sql)
                    .bind(into.id.0)
                    .bind(into.number.clone())
                    .bind(into.name.clone())
                    .bind(into.unit.0)
                    .bind(into.unit_name.clone())
                    .bind(i64::from(into.star))
                    .bind(id)
                    .execute(self.connection())
                    .await?;
            } else {
                let reason = format!("登记已并入 {}，按合并后的登记认定", into.number);
                self.take_out_of_draft(draft, id, star, &reason).await?;
            }
            let sql = "UPDATE star_draft SET revision = revision + 1 WHERE id = $1";
            sqlx::query(sql).bind(draft).execute(self.connection()).await?;
        }
        Ok(())
    }

    /// The photo goes over if `stays` has none; `ends` keeps none.
    async fn move_photo(&mut self, stays: VolunteerId, ends: VolunteerId) -> Result<bool, StoreError> {
        let moves = self.photo_moves(stays, ends).await?;
        if moves && let Some(photo) = self.photo(ends).await? {
            self.set_photo(stays, &photo).await?;
        }
        // What waits in uploads is not erased with it: it goes over.
        let sql = "UPDATE photo_upload_row SET volunteer_id = $1 WHERE volunteer_id = $2";
        sqlx::query(sql).bind(stays.0).bind(ends.0).execute(self.connection()).await?;
        self.erase_photo(ends).await?;
        Ok(moves)
    }

    /// Fills what `into` lacks and erases all of `from`'s.
    async fn move_contact(&mut self, into: &Volunteer, from: &Volunteer) -> Result<(), StoreError> {
        let missing = || StoreError::NotFound { what: "志愿者" };
        let own = self.personal_data(into.id).await?.ok_or_else(missing)?;
        let theirs = self.personal_data(from.id).await?.ok_or_else(missing)?;
        let active = into.state == VolunteerState::Active;
        let pairs = [
            (Fact::Phone, own.phone, theirs.phone),
            (Fact::Email, own.email, theirs.email),
            (Fact::Address, own.address, theirs.address),
        ];
        for (fact, own, theirs) in pairs {
            if let (None, Some(theirs), true) = (own, theirs, active) {
                self.write_sealed(into.id, fact, Some(&theirs)).await?;
            }
            self.write_sealed(from.id, fact, None).await?;
        }
        sqlx::query("UPDATE volunteer SET user_name = NULL WHERE id = $1")
            .bind(from.id.0)
            .execute(self.connection())
            .await?;
        self.erase_contact_corrections(from.id).await
    }
}
