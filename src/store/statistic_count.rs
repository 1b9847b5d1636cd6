//! Counting for statistics. Each question goes through a whole table and is asked in the background only; pages read what
//! was counted (`statistic.rs`).
//!
//! The two databases agree on no calendar function. So moments are grouped by day in Beijing, a whole number, and the
//! caller makes months of days.

use jiff::Timestamp;

use super::row::Columns;
use super::{Reader, StoreError, UnitId};
use crate::domain::partner::PartnerId;
use crate::domain::redemption::CardStanding;

/// Volunteers of one unit, state and star.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeopleCount {
    /// Whose.
    pub unit: UnitId,
    /// Whether they have not left.
    pub active: bool,
    /// Their star, 0 to 5.
    pub star: u8,
    /// How many.
    pub count: u64,
}

/// Live cards of one unit's volunteers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CardCount {
    /// Whose.
    pub unit: UnitId,
    /// Valid and not expired.
    pub valid: u64,
    /// Suspended and not expired.
    pub suspended: u64,
    /// Valid, not expired and never printed.
    pub unprinted: u64,
    /// Valid and expiring soon.
    pub expiring: u64,
}

/// How many of one unit on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayCount {
    /// Whose.
    pub unit: UnitId,
    /// Days since 1970-01-01 in Beijing.
    pub day: i64,
    /// How many.
    pub count: u64,
}

/// Service of one unit in one month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceCount {
    /// Whose.
    pub unit: UnitId,
    /// The month, `2026-11`.
    pub month: String,
    /// Minutes.
    pub minutes: u64,
    /// Records.
    pub records: u64,
}

/// Uses of one offer on one day on cards of one standing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferDay {
    /// At which partner.
    pub partner: PartnerId,
    /// The offer's id, as the partner sent it.
    pub offer: String,
    /// Days since 1970-01-01 in Beijing.
    pub day: i64,
    /// How the cards stood.
    pub standing: CardStanding,
    /// Uses not taken back.
    pub uses: u64,
    /// Of these, over the limit.
    pub over_limit: u64,
    /// Uses taken back.
    pub reversed: u64,
}

/// Many uses of one number at one partner within one clock hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrowdedHour {
    /// At which partner.
    pub partner: PartnerId,
    /// Certificate number.
    pub number: String,
    /// Days since 1970-01-01 in Beijing.
    pub day: i64,
    /// How many uses in the fullest hour of that day.
    pub uses: u64,
}

/// Uses of one offer in one minute of the week, on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferMinute {
    /// At which partner.
    pub partner: PartnerId,
    /// The offer's id.
    pub offer: String,
    /// Days since 1970-01-01 in Beijing.
    pub day: i64,
    /// Minute of the day, 0 to 1439, Beijing time.
    pub minute: u16,
    /// How many.
    pub uses: u64,
}

impl Reader {
    /// Volunteers by unit, state and star. A registration that was merged into another is nobody of its own: neither here
    /// nor below has it come or gone.
    pub async fn count_people(&mut self) -> Result<Vec<PeopleCount>, StoreError> {
        let sql = "SELECT unit_id, CASE WHEN state = 'active' THEN 1 ELSE 0 END, star, count(*) FROM volunteer \
                   WHERE merged_into IS NULL GROUP BY 1, 2, 3";
        let rows = sqlx::query(sql).fetch_all(self.connection()).await?;
        rows.iter()
            .map(|row| {
                Ok(PeopleCount {
                    unit: UnitId(row.int(0)?),
                    active: row.yes(1)?,
                    star: row.number(2, "星级")?,
                    count: row.number(3, "计数")?,
                })
            })
            .collect()
    }

    /// Live cards by unit; `soon` is until when a card expires soon.
    pub async fn count_cards(&mut self, now: Timestamp, soon: Timestamp) -> Result<Vec<CardCount>, StoreError> {
        let sql = "SELECT v.unit_id, \
                   CAST(sum(CASE WHEN c.state = 'valid' THEN 1 ELSE 0 END) AS BIGINT), \
                   CAST(sum(CASE WHEN c.state = 'suspended' THEN 1 ELSE 0 END) AS BIGINT), \
                   CAST(sum(CASE WHEN c.state = 'valid' AND c.printed_at IS NULL THEN 1 ELSE 0 END) AS BIGINT), \
                   CAST(sum(CASE WHEN c.state = 'valid' AND c.expires_at < $2 THEN 1 ELSE 0 END) AS BIGINT) \
                   FROM certificate c JOIN volunteer v ON v.id = c.volunteer_id \
                   WHERE c.state IN ('valid', 'suspended') AND c.expires_at > $1 AND v.state = 'active' GROUP BY 1";
        let query = sqlx::query(sql).bind(now.as_second()).bind(soon.as_second());
        let rows = query.fetch_all(self.connection()).await?;
        rows.iter()
            .map(|row| {
                Ok(CardCount {
                    unit: UnitId(row.int(0)?),
                    valid: row.number(1, "计数")?,
                    suspended: row.number(2, "计数")?,
                    unprinted: row.number(3, "计数")?,
                    expiring: row.number(4, "计数")?,
                })
            })
            .collect()
    }

    /// Registrations by unit and day.
    pub async fn count_registrations(&mut self) -> Result<Vec<DayCount>, StoreError> {
        let sql = "SELECT unit_id, (registered_at + 28800) / 86400, count(*) FROM volunteer \
                   WHERE merged_into IS NULL GROUP BY 1, 2";
        self.days(sql).await
    }

    /// Volunteers who left by unit and day.
    pub async fn count_exits(&mut self) -> Result<Vec<DayCount>, StoreError> {
        let sql = "SELECT unit_id, (exited_at + 28800) / 86400, count(*) FROM volunteer \
                   WHERE state = 'exited' AND exited_at IS NOT NULL AND merged_into IS NULL GROUP BY 1, 2";
        self.days(sql).await
    }

    /// Cards issued by unit and day.
    pub async fn count_issued(&mut self) -> Result<Vec<DayCount>, StoreError> {
        let sql = "SELECT v.unit_id, (c.issued_at + 28800) / 86400, count(*) FROM certificate c \
                   JOIN volunteer v ON v.id = c.volunteer_id GROUP BY 1, 2";
        self.days(sql).await
    }

    /// Uses of offers by the holder's unit and day, without those taken back.
    pub async fn count_uses(&mut self) -> Result<Vec<DayCount>, StoreError> {
        let sql = "SELECT v.unit_id, (r.redeemed_at + 28800) / 86400, count(*) FROM redemption r \
                   JOIN volunteer v ON v.number = r.number WHERE r.reversed_at IS NULL GROUP BY 1, 2";
        self.days(sql).await
    }

    /// Volunteers certified with a star, by unit and year.
    pub async fn count_awards(&mut self) -> Result<Vec<(UnitId, i16, u64)>, StoreError> {
        let sql = "SELECT v.unit_id, a.year, count(*) FROM star_award a JOIN volunteer v ON v.id = a.volunteer_id \
                   WHERE a.star > 0 GROUP BY 1, 2";
        let rows = sqlx::query(sql).fetch_all(self.connection()).await?;
        rows.iter().map(|row| Ok((UnitId(row.int(0)?), row.number(1, "年度")?, row.number(2, "计数")?))).collect()
    }

    /// Service by unit and month.
    pub async fn count_service(&mut self) -> Result<Vec<ServiceCount>, StoreError> {
        let sql = "SELECT v.unit_id, substr(r.date, 1, 7), CAST(sum(r.minutes) AS BIGINT), count(*) \
                   FROM service_record r JOIN volunteer v ON v.id = r.volunteer_id GROUP BY 1, 2";
        let rows = sqlx::query(sql).fetch_all(self.connection()).await?;
        rows.iter()
            .map(|row| {
                Ok(ServiceCount {
                    unit: UnitId(row.int(0)?),
                    month: row.text(1)?,
                    minutes: row.number(2, "时长")?,
                    records: row.number(3, "计数")?,
                })
            })
            .collect()
    }

    /// Uses by partner, offer, day and the card's standing.
    pub async fn count_offer_uses(&mut self) -> Result<Vec<OfferDay>, StoreError> {
        let sql = "SELECT partner_id, offer, (redeemed_at + 28800) / 86400, standing, \
                   CAST(sum(CASE WHEN reversed_at IS NULL THEN 1 ELSE 0 END) AS BIGINT), \
                   CAST(sum(CASE WHEN reversed_at IS NULL THEN over_limit ELSE 0 END) AS BIGINT), \
                   CAST(sum(CASE WHEN reversed_at IS NULL THEN 0 ELSE 1 END) AS BIGINT) \
                   FROM redemption GROUP BY 1, 2, 3, 4";
        let rows = sqlx::query(sql).fetch_all(self.connection()).await?;
        rows.iter()
            .map(|row| {
                Ok(OfferDay {
                    partner: PartnerId(row.int(0)?),
                    offer: row.text(1)?,
                    day: row.int(2)?,
                    standing: CardStanding::parse(row.str(3)?)?,
                    uses: row.number(4, "计数")?,
                    over_limit: row.number(5, "计数")?,
                    reversed: row.number(6, "计数")?,
                })
            })
            .collect()
    }

    /// Numbers used at one partner at least `least` times within a clock hour since `since`, a row a day.
    pub async fn crowded_hours(&mut self, since: Timestamp, least: u32) -> Result<Vec<CrowdedHour>, StoreError> {
        let sql = "SELECT partner_id, number, hour / 24, max(uses) FROM \
                   (SELECT partner_id, number, (redeemed_at + 28800) / 3600 AS hour, count(*) AS uses FROM redemption \
                   WHERE redeemed_at >= $1 AND reversed_at IS NULL GROUP BY 1, 2, 3) crowd \
                   WHERE uses >= $2 GROUP BY 1, 2, 3 ORDER BY 4 DESC LIMIT 1000";
        let query = sqlx::query(sql).bind(since.as_second()).bind(i64::from(least));
        let rows = query.fetch_all(self.connection()).await?;
        rows.iter()
            .map(|row| {
                Ok(CrowdedHour {
                    partner: PartnerId(row.int(0)?),
                    number: row.text(1)?,
                    day: row.int(2)?,
                    uses: row.number(3, "计数")?,
                })
            })
            .collect()
    }

    /// Uses of one offer by day and minute since `since`.
    pub async fn offer_minutes(
        &mut self,
        partner: PartnerId,
        offer: &str,
        since: Timestamp,
    ) -> Result<Vec<OfferMinute>, StoreError> {
        let sql = "SELECT (redeemed_at + 28800) / 60, count(*) FROM redemption \
                   WHERE partner_id = $1 AND redeemed_at >= $2 AND offer = $3 AND reversed_at IS NULL GROUP BY 1";
        let query = sqlx::query(sql).bind(partner.0).bind(since.as_second()).bind(offer);
        let rows = query.fetch_all(self.connection()).await?;
        rows.iter()
            .map(|row| {
                let minute = row.int(0)?;
                Ok(OfferMinute {
                    partner,
                    offer: offer.to_owned(),
                    day: minute.div_euclid(1440),
                    minute: u16::try_from(minute.rem_euclid(1440))
                        .map_err(|_| StoreError::BadValue { what: "时间" })?,
                    uses: row.number(1, "计数")?,
                })
            })
            .collect()
    }

    async fn days(&mut self, sql: &'static str) -> Result<Vec<DayCount>, StoreError> {
        let rows = sqlx::query(sql).fetch_all(self.connection()).await?;
        rows.iter()
            .map(|row| Ok(DayCount { unit: UnitId(row.int(0)?), day: row.int(1)?, count: row.number(2, "计数")? }))
            .collect()
    }
}
