//! The year's batch: drafted by the federation, put up for public notice, confirmed by 市文明办.

use jiff::civil::Date;
use zyz_credential::CertificateNumber;

use super::{hours_text, moved};
use crate::clock::beijing_date;
use crate::domain::hours::working_days_after;
use crate::domain::staff::Permission;
use crate::domain::star::Window;
use crate::service::ServiceError;
use crate::service::desk::hours::{county_name, moment};
use crate::service::desk::{Desk, DeskError, FieldError};
use crate::service::stars::star_of;
use crate::store::{
    DraftKey, DraftRow, DraftState, NewDraftRow, NewStarDraft, Reader, RowFilter, StarDraft, StarDraftId, StoreError,
};

/// Working days of a public notice unless other days are given.
pub(super) const NOTICE_WORKING_DAYS: u32 = 5;
/// Rows of a page.
const PAGE: u32 = 50;

/// A batch in the list.
#[derive(Debug, Clone)]
pub struct BatchLine {
    /// Key.
    pub id: i64,
    /// Year.
    pub year: i16,
    /// 草案, 公示中, 已认定, 已作废.
    pub state: &'static str,
    /// Its kind for the badge: warn, good, quiet.
    pub mark: &'static str,
    /// Rows.
    pub people: u64,
    /// Name of who drafted.
    pub drafted_by: String,
    /// When, Beijing time.
    pub drafted_at: String,
    /// First and last day of the public notice.
    pub notice: Option<(Date, Date)>,
    /// Name of who confirmed it or threw it away.
    pub decided_by: String,
    /// When, Beijing time.
    pub decided_at: String,
    /// Stars changed.
    pub changed: Option<u64>,
}

/// A batch with what can be done with it.
#[derive(Debug, Clone)]
pub struct BatchPage {
    /// The batch.
    pub line: BatchLine,
    /// First and last day that counted.
    pub days: (Date, Date),
    /// The rule followed, by its date.
    pub policy: Date,
    /// Why it was thrown away.
    pub reason: String,
    /// Counts changes.
    pub revision: i64,
    /// Whether it is a draft without notice.
    pub is_draft: bool,
    /// Whether it is up for notice.
    pub is_announced: bool,
    /// Whether it is certified.
    pub is_confirmed: bool,
    /// Whether the notice has ended.
    pub notice_over: bool,
    /// Days that a notice from today would have.
    pub suggested: (Date, Date),
    /// One star to five, people and how many change, by county; the first line is the sum.
    pub tally: Vec<TallyLine>,
    /// Objections, newest first.
    pub objections: Vec<ObjectionLine>,
    /// Whether the caller drafted it.
    pub own: bool,
}

/// A county's line of a batch.
#[derive(Debug, Clone)]
pub struct TallyLine {
    /// Its name, or 全市.
    pub county: &'static str,
    /// How many get none (taken away), one, … five stars.
    pub by_star: [u64; 6],
    /// How many change.
    pub changed: u64,
}

impl TallyLine {
    /// Whether anybody loses all stars.
    pub fn takes_away(&self) -> bool {
        self.by_star[0] > 0
    }
}

/// An objection that was decided.
#[derive(Debug, Clone)]
pub struct ObjectionLine {
    /// The row.
    pub row: i64,
    /// Whose.
    pub name: String,
    /// Number as people write it.
    pub number: String,
    /// What came of it, in words.
    pub outcome: String,
    /// Why.
    pub reason: String,
    /// Name of who decided.
    pub who: String,
    /// When, Beijing time.
    pub when: String,
}

/// A person of a batch.
#[derive(Debug, Clone)]
pub struct BatchRow {
    /// Key.
    pub id: i64,
    /// Ten digits.
    pub number: String,
    /// Number as people write it.
    pub grouped: String,
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// County.
    pub county: &'static str,
    /// Star in force when drafted.
    pub before: u8,
    /// Star proposed.
    pub star: u8,
    /// Hours in the window.
    pub hours: String,
    /// Hours of a lifetime.
    pub lifetime: String,
    /// Whether an objection took them out.
    pub removed: bool,
}

/// Which rows are asked for.
#[derive(Debug, Clone, Default)]
pub struct RowQuery {
    /// Of this county's code.
    pub county: Option<u8>,
    /// Of this star.
    pub star: Option<u8>,
    /// Only those who change.
    pub changed: bool,
    /// Where the page begins.
    pub after: Option<String>,
}

/// A page of rows.
#[derive(Debug, Clone)]
pub struct RowsPage {
    /// The rows.
    pub rows: Vec<BatchRow>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// People whose card shows another star than they have.
#[derive(Debug, Clone)]
pub struct ReissueLines {
    /// The batch that certified them.
    pub batch: BatchLine,
    /// Who.
    pub lines: Vec<ReissueLine>,
    /// Where the next page goes on.
    pub next: Option<String>,
}

/// Somebody whose card shows another star than they have.
#[derive(Debug, Clone)]
pub struct ReissueLine {
    /// Ten digits.
    pub number: String,
    /// Number as people write it.
    pub grouped: String,
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// Star on the card.
    pub on_card: u8,
    /// Star certified.
    pub star: u8,
}

/// What is decided about an objection, as typed.
#[derive(Debug, Clone, Default)]
pub struct ObjectionForm {
    /// The batch's revision that the page showed.
    pub revision: i64,
    /// `remove`, `adjust` or `keep`.
    pub outcome: String,
    /// The star, if adjusted.
    pub star: String,
    /// What was objected, and why so decided.
    pub reason: String,
}

impl Desk {
    /// All batches, newest first.
    ///
    /// # Errors
    /// The role may not read people; the database fails.
    pub async fn star_batches(&self) -> Result<Vec<BatchLine>, DeskError> {
        self.need(Permission::ViewPeople)?;
        let drafts = self.office().store.read().await?.star_drafts().await?;
        Ok(drafts.iter().map(batch_line).collect())
    }

    /// Computes a year's stars under the rule in force at its end, and freezes them as a draft. Returns its key.
    ///
    /// # Errors
    /// A year to come; no rule; a batch of the year is under way; nobody has a star to get or lose.
    pub async fn draft_stars(&self, year: &str) -> Result<i64, DeskError> {
        self.need(Permission::StarDraft)?;
        let year = self.year_of(year)?;
        let mut tx = self.office().begin().await?;
        let year_end = Window::CalendarYear.bounds(year, None).map_err(ServiceError::from)?.1;
        let policy = tx.star_policy_at(year_end).await?.ok_or(ServiceError::NoStarPolicy { year })?;
        let (from, to) = policy.window.bounds(year, None).map_err(ServiceError::from)?;
        let rows: Vec<NewDraftRow> = tx
            .star_standings(year, from, to)
            .await?
            .into_iter()
            .filter_map(|who| {
                let star = star_of(&policy, &who);
                (star > 0 || who.star > 0).then_some(NewDraftRow {
                    volunteer: who.volunteer,
                    number: who.number,
                    name: who.name,
                    unit: who.unit,
                    unit_name: who.unit_name,
                    county: who.county,
                    star_before: who.star,
                    star,
                    window_minutes: who.window_minutes,
                    lifetime_minutes: who.lifetime_minutes,
                })
            })
            .collect();
        if rows.is_empty() {
            return Err(DeskError::Refused(format!("{year} 年度没有人达到星级标准，也没有人的星级需要变更")));
        }
        let policy = policy.effective_from;
        let new = NewStarDraft { year, first_day: from, last_day: to, policy, staff: self.staff().id };
        match tx.make_star_draft(&new, &rows).await {
            Ok(id) => {
                tx.commit().await?;
                Ok(id.0)
            }
            Err(StoreError::Duplicate { .. }) => Err(DeskError::Refused(format!(
                "{year} 年度已有一个草案或正在公示的批次：请先办完它，或把它作废后重新起草"
            ))),
            Err(error) => Err(error.into()),
        }
    }

    /// One batch with its counts, as far as the caller reaches everything; others see the rows of their people only.
    ///
    /// # Errors
    /// There is none.
    pub async fn star_batch(&self, id: i64) -> Result<BatchPage, DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut reader = self.office().store.read().await?;
        let draft = draft_of(&mut reader, id).await?;
        let today = beijing_date(self.office().now());
        let holidays = &self.office().config().calendar.holidays;
        let all = self.reach()? == crate::store::Reach::Everything;
        let mut tally = Vec::new();
        let mut objections = Vec::new();
        if all {
            let mut sum = TallyLine { county: "全市", by_star: [0; 6], changed: 0 };
            for part in reader.draft_tally(draft.id).await? {
                let name = county_name(part.county);
                if tally.last().is_none_or(|line: &TallyLine| line.county != name) {
                    tally.push(TallyLine { county: name, by_star: [0; 6], changed: 0 });
                }
                if let Some(line) = tally.last_mut() {
                    line.by_star[usize::from(part.star.min(5))] += part.people;
                    line.changed += part.changed;
                }
                sum.by_star[usize::from(part.star.min(5))] += part.people;
                sum.changed += part.changed;
            }
            tally.insert(0, sum);
            objections = reader.star_objections(draft.id).await?.iter().map(objection_line).collect();
        }
        Ok(BatchPage {
            line: batch_line(&draft),
            days: (draft.noted.first_day, draft.noted.last_day),
            policy: draft.noted.policy,
            reason: draft.reason.clone().unwrap_or_default(),
            revision: draft.revision,
            is_draft: draft.state == DraftState::Draft,
            is_announced: draft.state == DraftState::Announced,
            is_confirmed: draft.state == DraftState::Confirmed,
            notice_over: draft.notice.is_some_and(|(_, to)| today > to),
            suggested: (today, working_days_after(today, NOTICE_WORKING_DAYS, holidays)),
            tally,
            objections,
            own: draft.noted.staff == self.staff().id,
        })
    }

    /// A page of a batch's rows within reach, most stars first.
    ///
    /// # Errors
    /// There is none; a place that is none.
    pub async fn batch_rows(&self, id: i64, query: &RowQuery) -> Result<RowsPage, DeskError> {
        self.need(Permission::ViewPeople)?;
        let after = query.after.as_deref().map(key_of).transpose()?;
        let mut reader = self.office().store.read().await?;
        let filter = RowFilter {
            county: query.county,
            star: query.star,
            changed: query.changed,
            ..RowFilter::all(self.reach()?)
        };
        let rows = reader.draft_rows(StarDraftId(id), &filter, after, PAGE + 1).await?;
        let next = rows.get(PAGE as usize - 1).filter(|_| rows.len() > PAGE as usize);
        let next = next.map(|row| format!("{}.{}.{}", row.noted.star, row.noted.window_minutes, row.id));
        Ok(RowsPage { rows: rows.iter().take(PAGE as usize).map(batch_row).collect(), next })
    }

    /// One person of a batch within reach.
    ///
    /// # Errors
    /// There is none.
    pub async fn batch_row(&self, id: i64, row: i64) -> Result<BatchRow, DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut reader = self.office().store.read().await?;
        let row = reader.draft_row(StarDraftId(id), row).await?.ok_or(DeskError::NotFound)?;
        self.reach_unit(row.noted.county, row.noted.unit)?;
        Ok(batch_row(&row))
    }

    /// The row of a number in a batch.
    ///
    /// # Errors
    /// There is none in reach.
    pub async fn batch_row_of(&self, id: i64, number: CertificateNumber) -> Result<BatchRow, DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut reader = self.office().store.read().await?;
        let row = reader.draft_row_of(StarDraftId(id), number.as_str()).await?.ok_or(DeskError::NotFound)?;
        self.reach_unit(row.noted.county, row.noted.unit)?;
        Ok(batch_row(&row))
    }

    /// Puts a batch up for public notice, or changes the notice's days.
    ///
    /// # Errors
    /// Days that are none or too few; decided already; somebody changed it ([`DeskError::Conflict`]).
    pub async fn announce_stars(&self, id: i64, revision: i64, from: &str, to: &str) -> Result<(), DeskError> {
        self.need(Permission::StarDraft)?;
        let today = beijing_date(self.office().now());
        let mut wrong = Vec::new();
        let mut day = |field: &'static str, text: &str| {
            let day: Option<Date> = text.trim().parse().ok();
            if day.is_none() {
                wrong.push(FieldError { field, message: "请填写日期，如 2026-12-01".into() });
            }
            day.unwrap_or(today)
        };
        let (from, to) = (day("from", from), day("to", to));
        let least = working_days_after(from, NOTICE_WORKING_DAYS, &self.office().config().calendar.holidays);
        if wrong.is_empty() && from < today {
            wrong.push(FieldError { field: "from", message: "公示不能从过去的日子开始".into() });
        }
        if wrong.is_empty() && to < least {
            let message = format!("公示期不少于 {NOTICE_WORKING_DAYS} 个工作日：至少到 {least}");
            wrong.push(FieldError { field: "to", message });
        }
        if !wrong.is_empty() {
            return Err(DeskError::Invalid(wrong));
        }
        let mut tx = self.office().begin().await?;
        let draft = draft_of(&mut tx, id).await?;
        undecided(&draft)?;
        if !tx.announce_star_draft(draft.id, revision, (from, to), self.staff().id).await? {
            return Err(moved(&mut tx, draft.id).await?);
        }
        Ok(tx.commit().await?)
    }

    /// Decides an objection: takes somebody out, gives another star, or leaves it, always with a reason.
    ///
    /// # Errors
    /// Fields that are wrong; decided already; somebody changed the batch ([`DeskError::Conflict`]).
    pub async fn decide_star_objection(&self, id: i64, row: i64, form: &ObjectionForm) -> Result<(), DeskError> {
        self.need(Permission::StarDraft)?;
        let mut tx = self.office().begin().await?;
        let draft = draft_of(&mut tx, id).await?;
        let row = tx.draft_row(draft.id, row).await?.ok_or(DeskError::NotFound)?;
        undecided(&draft)?;
        let mut wrong = Vec::new();
        let decided = match form.outcome.as_str() {
            "remove" => Some((row.noted.star, true)),
            "keep" => Some((row.noted.star, row.removed)),
            "adjust" => {
                let star = form.star.trim().parse::<u8>().ok().filter(|star| *star <= 5);
                if star.is_none() {
                    wrong.push(FieldError { field: "star", message: "请选择调整后的星级".into() });
                }
                star.map(|star| (star, false))
            }
            _ => {
                wrong.push(FieldError { field: "outcome", message: "请选择处理结果".into() });
                None
            }
        };
        let reason = form.reason.trim();
        if reason.is_empty() || reason.chars().count() > 300 {
            wrong.push(FieldError {
                field: "reason", message: "请写明异议内容和处理理由，最多 300 个字".into()
            });
        }
        let Some(decided) = decided.filter(|_| wrong.is_empty()) else { return Err(DeskError::Invalid(wrong)) };
        if draft.revision != form.revision || !tx.decide_objection(&draft, &row, decided, reason).await? {
            return Err(moved(&mut tx, draft.id).await?);
        }
        Ok(tx.commit().await?)
    }

    /// Throws a batch away before it is confirmed. Nobody's star changes.
    ///
    /// # Errors
    /// No reason; decided already; somebody changed it ([`DeskError::Conflict`]).
    pub async fn drop_stars(&self, id: i64, revision: i64, reason: &str) -> Result<(), DeskError> {
        self.need(Permission::StarDraft)?;
        let reason = reason.trim();
        if reason.is_empty() || reason.chars().count() > 200 {
            let message = "请写明作废的原因，最多 200 个字".into();
            return Err(DeskError::Invalid(vec![FieldError { field: "reason", message }]));
        }
        let mut tx = self.office().begin().await?;
        let draft = draft_of(&mut tx, id).await?;
        undecided(&draft)?;
        if !tx.drop_star_draft(draft.id, revision, reason, self.staff().id).await? {
            return Err(moved(&mut tx, draft.id).await?);
        }
        Ok(tx.commit().await?)
    }

    /// Confirms a batch after its notice: its stars take effect. Returns how many changed.
    ///
    /// # Errors
    /// The caller drafted or announced it and the two-person rule is on; the notice has not ended; decided already;
    /// somebody changed it since the page was shown ([`DeskError::Conflict`]).
    pub async fn confirm_stars(&self, id: i64, revision: i64) -> Result<u64, DeskError> {
        self.need(Permission::StarConfirm)?;
        let two_person = self.settings().await?.two_person;
        let mut tx = self.office().begin().await?;
        let draft = draft_of(&mut tx, id).await?;
        undecided(&draft)?;
        if two_person && draft.noted.staff == self.staff().id {
            return Err(DeskError::Refused("您就是这个批次的起草人：双人复核要求由另一位有认定权限的人确认".into()));
        }
        let Some((_, to)) = draft.notice else {
            return Err(DeskError::Refused("这个批次还没有公示，公示期满后才能确认".into()));
        };
        if beijing_date(self.office().now()) <= to {
            return Err(DeskError::Refused(format!("公示到 {to} 结束，从次日起才能确认认定")));
        }
        if draft.revision != revision {
            return Err(moved(&mut tx, draft.id).await?);
        }
        let policies = tx.star_policies().await?;
        let policy = policies
            .iter()
            .find(|policy| policy.effective_from == draft.noted.policy)
            .ok_or(ServiceError::NoStarPolicy { year: draft.noted.year })?;
        let awards = tx.draft_awards(draft.id).await?;
        let days = (draft.noted.first_day, draft.noted.last_day);
        let (batch, changed) = tx.certify_stars(draft.noted.year, policy, days, &awards).await?;
        if !tx.confirm_star_draft(draft.id, revision, (batch, changed), self.staff().id).await? {
            return Err(moved(&mut tx, draft.id).await?);
        }
        tx.commit().await?;
        Ok(changed)
    }

    /// The people of a batch within reach whose live card shows another star than they have, by county and number, after
    /// the number `after`.
    ///
    /// # Errors
    /// There is no such batch.
    pub async fn star_reissues(&self, id: i64, after: &str) -> Result<ReissueLines, DeskError> {
        let mut page = self.reissue_lines(id, after, PAGE + 1).await?;
        let more = page.lines.len() > PAGE as usize;
        page.lines.truncate(PAGE as usize);
        page.next = page.lines.last().filter(|_| more).map(|line| line.number.clone());
        Ok(page)
    }

    pub(super) async fn reissue_lines(&self, id: i64, after: &str, most: u32) -> Result<ReissueLines, DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut reader = self.office().store.read().await?;
        let draft = draft_of(&mut reader, id).await?;
        let found = reader.draft_reissues(draft.id, self.reach()?, after, most).await?;
        let line = |(row, on_card): &(DraftRow, u8)| ReissueLine {
            number: row.noted.number.clone(),
            grouped: grouped(&row.noted.number),
            name: row.noted.name.clone(),
            unit: row.noted.unit_name.clone(),
            on_card: *on_card,
            star: row.noted.star,
        };
        Ok(ReissueLines { batch: batch_line(&draft), lines: found.iter().map(line).collect(), next: None })
    }
}

pub(super) async fn draft_of(reader: &mut Reader, id: i64) -> Result<StarDraft, DeskError> {
    reader.star_draft(StarDraftId(id)).await?.ok_or(DeskError::NotFound)
}

fn undecided(draft: &StarDraft) -> Result<(), DeskError> {
    if draft.state.is_open() {
        return Ok(());
    }
    Err(DeskError::Conflict {
        who: draft.decided_by.clone().unwrap_or_default(),
        when: draft.decided_at.map(moment).unwrap_or_default(),
    })
}

fn key_of(text: &str) -> Result<DraftKey, DeskError> {
    let mut parts = text.split('.');
    let mut number = || parts.next().and_then(|part| part.parse::<i64>().ok()).ok_or(DeskError::NotFound);
    let (star, minutes, id) = (number()?, number()?, number()?);
    let star = u8::try_from(star).map_err(|_| DeskError::NotFound)?;
    Ok((star, u64::try_from(minutes).map_err(|_| DeskError::NotFound)?, id))
}

fn batch_line(draft: &StarDraft) -> BatchLine {
    BatchLine {
        id: draft.id.0,
        year: draft.noted.year,
        state: draft.state.label(),
        mark: match draft.state {
            DraftState::Draft | DraftState::Announced => "warn",
            DraftState::Confirmed => "good",
            DraftState::Dropped => "quiet",
        },
        people: draft.people,
        drafted_by: draft.drafted_by.clone(),
        drafted_at: moment(draft.drafted_at),
        notice: draft.notice,
        decided_by: draft.decided_by.clone().unwrap_or_default(),
        decided_at: draft.decided_at.map(moment).unwrap_or_default(),
        changed: draft.changed,
    }
}

pub(super) fn batch_row(row: &DraftRow) -> BatchRow {
    BatchRow {
        id: row.id,
        number: row.noted.number.clone(),
        grouped: grouped(&row.noted.number),
        name: row.noted.name.clone(),
        unit: row.noted.unit_name.clone(),
        county: county_name(row.noted.county),
        before: row.noted.star_before,
        star: row.noted.star,
        hours: hours_text(row.noted.window_minutes),
        lifetime: hours_text(row.noted.lifetime_minutes),
        removed: row.removed,
    }
}

fn objection_line(objection: &crate::store::StarObjection) -> ObjectionLine {
    let name = crate::domain::star::label;
    ObjectionLine {
        row: objection.row,
        name: objection.name.clone(),
        number: grouped(&objection.number),
        outcome: match objection.outcome.as_str() {
            "removed" => "移出名单".into(),
            "adjusted" => format!("{} 调整为 {}", name(objection.star_from), name(objection.star_to)),
            _ => "不予采纳".into(),
        },
        reason: objection.reason.clone(),
        who: objection.decided_by.clone(),
        when: moment(objection.decided_at),
    }
}

pub(super) fn grouped(number: &str) -> String {
    CertificateNumber::parse(number).map_or_else(|_| number.to_owned(), |number| number.grouped())
}
