//! A year's star batch on its way: drafted, put up for public notice, confirmed by a second person, or thrown away.

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::any::AnyRow;

use super::bulk::Statement;
use super::row::{Columns, county_text, id, name_of};
use super::{Reach, Reader, StarBatchId, StoreError, UnitId, VolunteerId};

id!(
    /// Key of a draft.
    StarDraftId
);

/// How far a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftState {
    /// Computed and frozen.
    Draft,
    /// Up for public notice.
    Announced,
    /// Certified.
    Confirmed,
    /// Thrown away.
    Dropped,
}

impl DraftState {
    /// The word stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Announced => "announced",
            Self::Confirmed => "confirmed",
            Self::Dropped => "dropped",
        }
    }

    /// The word shown.
    pub fn label(self) -> &'static str {
        match self {
            Self::Draft => "草案",
            Self::Announced => "公示中",
            Self::Confirmed => "已认定",
            Self::Dropped => "已作废",
        }
    }

    /// Whether it can still be changed.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Draft | Self::Announced)
    }

    fn parse(text: &str) -> Result<Self, StoreError> {
        [Self::Draft, Self::Announced, Self::Confirmed, Self::Dropped]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(StoreError::BadValue { what: "批次状态" })
    }
}

/// A draft to freeze.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStarDraft {
    /// Year it is for.
    pub year: i16,
    /// First day that counted.
    pub first_day: Date,
    /// Last day that counted.
    pub last_day: Date,
    /// The rule followed, by its date.
    pub policy: Date,
    /// The account that drafts.
    pub staff: i64,
}

/// Somebody whose year's hours give or take a star.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDraftRow {
    /// Volunteer.
    pub volunteer: VolunteerId,
    /// Certificate number.
    pub number: String,
    /// Name at the time.
    pub name: String,
    /// Unit at the time.
    pub unit: UnitId,
    /// Its name.
    pub unit_name: String,
    /// Its county.
    pub county: u8,
    /// Star in force at the time.
    pub star_before: u8,
    /// Star to be certified.
    pub star: u8,
    /// Minutes inside the window.
    pub window_minutes: u64,
    /// Minutes up to the window's last day.
    pub lifetime_minutes: u64,
}

/// A row of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftRow {
    /// Key.
    pub id: i64,
    /// Who, and what they would get.
    pub noted: NewDraftRow,
    /// Whether an objection took them out.
    pub removed: bool,
}

/// A batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StarDraft {
    /// Key.
    pub id: StarDraftId,
    /// What it is for.
    pub noted: NewStarDraft,
    /// How far it is.
    pub state: DraftState,
    /// Rows.
    pub people: u64,
    /// Name of who drafted.
    pub drafted_by: String,
    /// When.
    pub drafted_at: Timestamp,
    /// First and last day of the public notice.
    pub notice: Option<(Date, Date)>,
    /// Name of who confirmed it or threw it away.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// Why it was thrown away.
    pub reason: Option<String>,
    /// What it became.
    pub batch: Option<StarBatchId>,
    /// How many stars changed with it.
    pub changed: Option<u64>,
    /// Counts changes, from 1.
    pub revision: i64,
}

/// An objection and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StarObjection {
    /// Key.
    pub id: i64,
    /// Against which row.
    pub row: i64,
    /// Whose.
    pub name: String,
    /// Their number.
    pub number: String,
    /// `removed`, `adjusted` or `kept`.
    pub outcome: String,
    /// Star before.
    pub star_from: u8,
    /// Star after.
    pub star_to: u8,
    /// What was objected, and why so decided.
    pub reason: String,
    /// Name of who decided.
    pub decided_by: String,
    /// When.
    pub decided_at: Timestamp,
}

/// Rows by county and star, without those removed: people, and how many change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DraftTally {
    /// County.
    pub county: u8,
    /// Star to be certified.
    pub star: u8,
    /// How many.
    pub people: u64,
    /// Of these, how many have another star now.
    pub changed: u64,
}

/// Which rows a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowFilter {
    /// Whose.
    pub reach: Reach,
    /// Of this county.
    pub county: Option<u8>,
    /// Of exactly this star.
    pub star: Option<u8>,
    /// Only those with a star and not removed: the list for public notice.
    pub listed: bool,
    /// Only those who have another star now and are not removed.
    pub changed: bool,
}

impl RowFilter {
    /// All rows in reach.
    pub fn all(reach: Reach) -> Self {
        Self { reach, county: None, star: None, listed: false, changed: false }
    }
}

/// Where a page of rows ended: star, minutes of the window, id.
pub type DraftKey = (u8, u64, i64);

const SELECT: &str = "SELECT d.id, d.year, d.first_day, d.last_day, d.policy_effective_from, d.drafted_by, d.state, d.people, \
                      s.name, d.drafted_at, d.notice_from, d.notice_to, e.name, d.decided_at, d.reason, d.batch_id, \
                      d.changed, d.revision FROM star_draft d JOIN staff s ON s.id = d.drafted_by \
                      LEFT JOIN staff e ON e.id = d.decided_by";
const SELECT_ROW: &str = "SELECT id, volunteer_id, number, name, unit_id, unit_name, county, star_before, star, \
                          window_minutes, lifetime_minutes, removed FROM star_draft_row WHERE draft_id = ";

impl Reader {
    /// All batches, newest first: one or two a year.
    pub async fn star_drafts(&mut self) -> Result<Vec<StarDraft>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" ORDER BY d.id DESC LIMIT 200");
        query.fetch_all(self).await?.iter().map(draft).collect()
    }

    /// One batch.
    pub async fn star_draft(&mut self, id: StarDraftId) -> Result<Option<StarDraft>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE d.id = ").bind(id.0);
        query.fetch_optional(self).await?.as_ref().map(draft).transpose()
    }

    /// Up to `limit` rows, most stars and most hours first, below `after`.
    pub async fn draft_rows(
        &mut self,
        id: StarDraftId,
        filter: &RowFilter,
        after: Option<DraftKey>,
        limit: u32,
    ) -> Result<Vec<DraftRow>, StoreError> {
        let mut query = Statement::new(SELECT_ROW);
        query.bind(id.0);
        match filter.reach {
            Reach::Everything => {}
            Reach::County(county) => drop(query.push(" AND county = ").bind(county_text(county)?)),
            Reach::Unit(unit) => drop(query.push(" AND unit_id = ").bind(unit.0)),
        }
        if let Some(county) = filter.county {
            query.push(" AND county = ").bind(county_text(county)?);
        }
        if let Some(star) = filter.star {
            query.push(" AND star = ").bind(i64::from(star));
        }
        if filter.listed {
            query.push(" AND star > 0 AND removed = 0");
        }
        if filter.changed {
            query.push(" AND star <> star_before AND removed = 0");
        }
        if let Some((star, minutes, id)) = after {
            query.push(" AND (star, window_minutes, id) < (").bind(i64::from(star)).push(", ");
            query.bind(minutes as i64).push(", ").bind(id).push(")");
        }
        query.push(" ORDER BY star DESC, window_minutes DESC, id DESC LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(row_of).collect()
    }

    /// One row of a batch.
    pub async fn draft_row(&mut self, id: StarDraftId, row: i64) -> Result<Option<DraftRow>, StoreError> {
        let mut query = Statement::new(SELECT_ROW);
        query.bind(id.0).push(" AND id = ").bind(row);
        query.fetch_optional(self).await?.as_ref().map(row_of).transpose()
    }

    /// The row of a volunteer's number in a batch.
    pub async fn draft_row_of(&mut self, id: StarDraftId, number: &str) -> Result<Option<DraftRow>, StoreError> {
        let mut query = Statement::new(SELECT_ROW);
        query.bind(id.0).push(" AND number = ").bind(number.to_owned());
        query.fetch_optional(self).await?.as_ref().map(row_of).transpose()
    }

    /// How many get which star, by county.
    pub async fn draft_tally(&mut self, id: StarDraftId) -> Result<Vec<DraftTally>, StoreError> {
        let mut query = Statement::new(
            "SELECT county, star, count(*), CAST(sum(CASE WHEN star <> star_before THEN 1 ELSE 0 END) AS BIGINT) \
             FROM star_draft_row WHERE removed = 0 AND draft_id = ",
        );
        query.bind(id.0).push(" GROUP BY county, star ORDER BY county, star DESC");
        query
            .fetch_all(self)
            .await?
            .iter()
            .map(|row| {
                Ok(DraftTally {
                    county: row.county(0)?,
                    star: row.number(1, "星级")?,
                    people: row.number(2, "计数")?,
                    changed: row.number(3, "计数")?,
                })
            })
            .collect()
    }

    /// The objections of a batch, newest first.
    pub async fn star_objections(&mut self, id: StarDraftId) -> Result<Vec<StarObjection>, StoreError> {
        let mut query = Statement::new(concat!(
            "SELECT o.id, o.row_id, r.name, r.number, o.outcome, o.star_from, o.star_to, o.reason, ",
            name_of!("o.decided_by"),
            ", o.decided_at FROM star_objection o JOIN star_draft_row r ON r.id = o.row_id WHERE o.draft_id = "
        ));
        query.bind(id.0).push(" ORDER BY o.id DESC LIMIT 500");
        query.fetch_all(self).await?.iter().map(objection).collect()
    }

    /// The people of a confirmed batch within reach whose valid card shows another star than they have, by county and
    /// number, after the volunteer with the number `after`.
    pub async fn draft_reissues(
        &mut self,
        id: StarDraftId,
        reach: Reach,
        after: &str,
        limit: u32,
    ) -> Result<Vec<(DraftRow, u8)>, StoreError> {
        let mut query = Statement::new(
            "SELECT r.id, r.volunteer_id, r.number, r.name, r.unit_id, r.unit_name, r.county, r.star_before, v.star, \
             r.window_minutes, r.lifetime_minutes, r.removed, v.card_star FROM volunteer v \
             JOIN star_draft_row r ON r.volunteer_id = v.id \
             WHERE v.state = 'active' AND v.card = 'valid' AND v.card_star <> v.star AND r.draft_id = ",
        );
        query.bind(id.0);
        // In the order of the index of all whose star is due: few have a card to change, many stand in the batch.
        if let Some(last) = self.volunteer(after).await? {
            query.push(" AND (v.county, v.number) > (").bind(county_text(last.county)?).push(", ");
            query.bind(last.number).push(")");
        }
        match reach {
            Reach::Everything => {}
            Reach::County(county) => drop(query.push(" AND v.county = ").bind(county_text(county)?)),
            Reach::Unit(unit) => drop(query.push(" AND v.unit_id = ").bind(unit.0)),
        }
        query.push(" ORDER BY v.county, v.number LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(|row| Ok((row_of(row)?, row.number(12, "星级")?))).collect()
    }
}

fn draft(row: &AnyRow) -> Result<StarDraft, StoreError> {
    let day = |i: usize| -> Result<Option<Date>, StoreError> {
        let text = row.text_or_null(i)?;
        text.map(|text| text.parse().map_err(|_| StoreError::BadValue { what: "日期" })).transpose()
    };
    Ok(StarDraft {
        id: StarDraftId(row.int(0)?),
        noted: NewStarDraft {
            year: row.number(1, "年度")?,
            first_day: row.date(2)?,
            last_day: row.date(3)?,
            policy: row.date(4)?,
            staff: row.int(5)?,
        },
        state: DraftState::parse(row.str(6)?)?,
        people: row.number(7, "计数")?,
        drafted_by: row.text(8)?,
        drafted_at: row.moment(9)?,
        notice: day(10)?.zip(day(11)?),
        decided_by: row.text_or_null(12)?,
        decided_at: row.moment_or_null(13)?,
        reason: row.text_or_null(14)?,
        batch: row.int_or_null(15)?.map(StarBatchId),
        changed: row.number_or_null(16, "计数")?,
        revision: row.int(17)?,
    })
}

fn row_of(row: &AnyRow) -> Result<DraftRow, StoreError> {
    Ok(DraftRow {
        id: row.int(0)?,
        noted: NewDraftRow {
            volunteer: VolunteerId(row.int(1)?),
            number: row.text(2)?,
            name: row.text(3)?,
            unit: UnitId(row.int(4)?),
            unit_name: row.text(5)?,
            county: row.county(6)?,
            star_before: row.number(7, "星级")?,
            star: row.number(8, "星级")?,
            window_minutes: row.number(9, "时长")?,
            lifetime_minutes: row.number(10, "时长")?,
        },
        removed: row.yes(11)?,
    })
}

fn objection(row: &AnyRow) -> Result<StarObjection, StoreError> {
    Ok(StarObjection {
        id: row.int(0)?,
        row: row.int(1)?,
        name: row.text(2)?,
        number: row.text(3)?,
        outcome: row.text(4)?,
        star_from: row.number(5, "星级")?,
        star_to: row.number(6, "星级")?,
        reason: row.text(7)?,
        decided_by: row.text(8)?,
        decided_at: row.moment(9)?,
    })
}
