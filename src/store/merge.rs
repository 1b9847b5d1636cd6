//! Two registrations of one person become one.

use std::collections::HashMap;

use serde_json::json;

use crate::domain::certificate::VolunteerState;
use crate::domain::correction::Fact;

use super::row::Columns;
use super::{Reader, StoreError, Tx, VolunteerId};

/// What a merge moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Merged {
    /// Service records that went over.
    pub records: u64,
    /// Service records that the other had too; they stay behind and count no more.
    pub same_records: u64,
    /// Years whose star went over.
    pub awards: u64,
}

impl Reader {
    /// What [`Tx::merge_volunteers`] would move from `ends` to `stays`.
    pub async fn merge_preview(&mut self, stays: VolunteerId, ends: VolunteerId) -> Result<Merged, StoreError> {
        let (moving, same_records) = self.records_to_move(stays, ends).await?;
        let stars = self.stars_by_year(stays).await?;
        let theirs = self.stars_by_year(ends).await?;
        let awards = theirs.iter().filter(|(year, (star, _))| stars.get(year).is_none_or(|(own, _)| own < star));
        Ok(Merged { records: moving.len() as u64, same_records, awards: awards.count() as u64 })
    }

    /// The records of `ends` with the fingerprint they will have, and how many `stays` has already.
    async fn records_to_move(
        &mut self,
        stays: VolunteerId,
        ends: VolunteerId,
    ) -> Result<(Vec<(i64, [u8; 32])>, u64), StoreError> {
        let mut moving = Vec::new();
        for record in self.service_records(ends).await? {
            let mut noted = record.noted;
            noted.volunteer = stays;
            moving.push((record.id.0, noted.fingerprint()));
        }
        let prints: Vec<[u8; 32]> = moving.iter().map(|(_, print)| *print).collect();
        let known = self.known_fingerprints(&prints).await?;
        let before = moving.len();
        moving.retain(|(_, print)| !known.contains(print));
        let same = (before - moving.len()) as u64;
        Ok((moving, same))
    }

    /// Star and key of each year's award.
    async fn stars_by_year(&mut self, id: VolunteerId) -> Result<HashMap<i64, (i64, i64)>, StoreError> {
        let sql = "SELECT year, star, id FROM star_award WHERE volunteer_id = $1";
        let rows = sqlx::query(sql).bind(id.0).fetch_all(self.connection()).await?;
        rows.iter().map(|row| Ok((row.int(0)?, (row.int(1)?, row.int(2)?)))).collect()
    }
}

impl Tx {
    /// Makes one of two registrations (`volunteer.merge`, an event on each): service records and stars of `ends` go to
    /// `stays`, so do contact data that `stays` lacks; the rest of `ends`' contact data is erased. `ends` keeps its number,
    /// its cards and its trail and points to `stays` from now on. Its live card is the caller's to supersede.
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
        (merged.records, merged.same_records) = (moving.len() as u64, same);
        merged.awards = self.move_stars(stays, ends).await?;
        self.move_contact(&into, &from).await?;
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
            "records": merged.records, "same_records": merged.same_records, "awards": merged.awards, "reason": reason,
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

    /// Fills what `into` lacks and erases all of `from`'s.
    async fn move_contact(&mut self, into: &super::Volunteer, from: &super::Volunteer) -> Result<(), StoreError> {
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
