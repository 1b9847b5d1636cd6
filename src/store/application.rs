//! Registration forms (附件1): drafts, queues, decisions, and where the two copies are kept.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;
use sqlx::any::AnyRow;

use crate::domain::application::{ApplicationState, ApplicationText};
use crate::domain::staff::federation_approves;

use super::bulk::Statement;
use super::row::{Columns, county_text, id};
use super::sealed::Place;
use super::{Reach, Reader, StoreError, Tx, UnitId, VolunteerId};

id!(
    /// Key of a registration form.
    ApplicationId
);

/// Who approves a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approver {
    /// 联合会
    Federation,
    /// The 文明办 of this county.
    County(u8),
}

impl Approver {
    /// The approver of a county's units (notice, 三、（一）).
    pub fn of(county: u8) -> Self {
        if federation_approves(county) { Self::Federation } else { Self::County(county) }
    }

    fn text(self) -> Result<String, StoreError> {
        match self {
            Self::Federation => Ok("federation".into()),
            Self::County(county) => county_text(county),
        }
    }
}

/// A form without what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationLine {
    /// Key.
    pub id: ApplicationId,
    /// Unit that hands it in.
    pub unit: UnitId,
    /// Its name.
    pub unit_name: String,
    /// Its county.
    pub county: u8,
    /// How far it has come.
    pub state: ApplicationState,
    /// Name of the person; empty in a draft without one.
    pub name: String,
    /// Whether they are in the national system already.
    pub national: bool,
    /// Login of who began it.
    pub made_by: String,
    /// When it was begun.
    pub made_at: Timestamp,
    /// Login of who wrote in it last.
    pub changed_by: String,
    /// When it changed last, in writing or in state.
    pub changed_at: Timestamp,
    /// Login of who handed it in last.
    pub submitted_by: Option<String>,
    /// When.
    pub submitted_at: Option<Timestamp>,
    /// Login of who approved, returned or rejected it last.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// The approver's words.
    pub reason: Option<String>,
    /// Certificate number of the volunteer it became.
    pub volunteer: Option<String>,
    /// Counts changes.
    pub revision: i64,
}

/// Which forms a list shows; empty means all within reach.
#[derive(Debug, Clone)]
pub struct ApplicationFilter {
    /// Whose.
    pub reach: Reach,
    /// In this state.
    pub state: Option<ApplicationState>,
    /// Approved by.
    pub approver: Option<Approver>,
    /// Of people whose name begins so.
    pub name: Option<String>,
    /// Of the person with this identity number (normalised).
    pub identity: Option<String>,
}

/// Where a page of a list ends: the last line's moment and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApplicationCursor {
    /// Seconds since 1970.
    pub changed_at: i64,
    /// Key.
    pub id: i64,
}

/// A form as it is written.
pub struct ApplicationDraft<'a> {
    /// Unit that hands it in.
    pub unit: UnitId,
    /// Its county.
    pub county: u8,
    /// What it says.
    pub text: &'a ApplicationText,
    /// The identity number normalised, once it is one.
    pub identity: Option<&'a str>,
}

/// A decision or another step of a form's way.
#[derive(Debug, Clone, Copy)]
pub struct ApplicationStep<'a> {
    /// From this state.
    pub from: ApplicationState,
    /// To this one.
    pub to: ApplicationState,
    /// The approver's words.
    pub reason: Option<&'a str>,
    /// The volunteer it became.
    pub volunteer: Option<VolunteerId>,
}

/// One of the two copies of an approved form (一式两份).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormCopy {
    /// 审批机构存档（密封）
    Approver,
    /// 单位留存
    Unit,
}

impl FormCopy {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Approver, Self::Unit];

    /// The word stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approver => "approver",
            Self::Unit => "unit",
        }
    }

    /// Reads [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|copy| copy.as_str() == text)
    }

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Approver => "审批机构存档（密封）",
            Self::Unit => "单位留存",
        }
    }
}

/// Where a copy is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedCopy {
    /// Which.
    pub copy: FormCopy,
    /// Room, cabinet, box.
    pub place: String,
    /// Since when.
    pub archived_on: Date,
    /// Login of who noted it.
    pub noted_by: String,
    /// When.
    pub noted_at: Timestamp,
}

const SELECT: &str = "SELECT a.id, a.unit_id, u.name, a.county, a.state, a.name, a.national, a.made_by, a.made_at, \
                      a.changed_by, a.changed_at, a.submitted_by, a.submitted_at, a.decided_by, a.decided_at, a.reason, \
                      v.number, a.revision FROM application a JOIN unit u ON u.id = a.unit_id \
                      LEFT JOIN volunteer v ON v.id = a.volunteer_id";

impl Reader {
    /// One form, without what it says.
    pub async fn application(&mut self, id: ApplicationId) -> Result<Option<ApplicationLine>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE a.id = ").bind(id.0);
        query.fetch_optional(self).await?.as_ref().map(line).transpose()
    }

    /// What a form says; `None` for no such form and for one withdrawn.
    pub async fn application_text(&mut self, id: ApplicationId) -> Result<Option<ApplicationText>, StoreError> {
        let query = sqlx::query("SELECT form_sealed FROM application WHERE id = $1").bind(id.0);
        let Some(row) = query.fetch_optional(self.connection()).await? else { return Ok(None) };
        let Some(sealed) = row.bytes_or_null(0)? else { return Ok(None) };
        let text = self.shared.sealer.open(place(id.0), sealed)?;
        let text = serde_json::from_str(&text).map_err(|_| StoreError::BadValue { what: "登记表内容" })?;
        Ok(Some(text))
    }

    /// A form of `unit` that `actor` began at or after `since`, that says exactly `text` and was not written in since, be it
    /// a draft still or handed in.
    pub async fn application_begun(
        &mut self,
        actor: &str,
        unit: UnitId,
        text: &ApplicationText,
        since: Timestamp,
    ) -> Result<Option<(ApplicationId, ApplicationState)>, StoreError> {
        let sql = "SELECT id, state FROM application WHERE name = $1 AND unit_id = $2 AND made_by = $3 AND made_at >= $4 AND \
                   (state = 'draft' AND revision = 1 OR state = 'submitted' AND revision = 2) ORDER BY id DESC LIMIT 20";
        let query = sqlx::query(sql).bind(text.name.trim()).bind(unit.0).bind(actor).bind(since.as_second());
        for row in query.fetch_all(self.connection()).await? {
            let id = ApplicationId(row.int(0)?);
            if self.application_text(id).await?.as_ref() == Some(text) {
                let state =
                    ApplicationState::parse(row.str(1)?).ok_or(StoreError::BadValue { what: "登记表状态" })?;
                return Ok(Some((id, state)));
            }
        }
        Ok(None)
    }

    /// A page of forms, the one changed last first; those found by name in the names' order, so that one index answers,
    /// and in one page alone (`after` does not count).
    pub async fn applications(
        &mut self,
        filter: &ApplicationFilter,
        after: Option<ApplicationCursor>,
        limit: u32,
    ) -> Result<Vec<ApplicationLine>, StoreError> {
        let mut query = Statement::new(SELECT);
        self.narrow_applications(&mut query, filter)?;
        if filter.name.is_some() {
            query.push(" ORDER BY a.name, a.id LIMIT ").bind(i64::from(limit));
            return query.fetch_all(self).await?.iter().map(line).collect();
        }
        if let Some(after) = after {
            query.push(" AND (a.changed_at, a.id) < (").bind(after.changed_at).push(", ").bind(after.id).push(")");
        }
        query.push(" ORDER BY a.changed_at DESC, a.id DESC LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(line).collect()
    }

    /// How many forms there are, counted up to `most`.
    pub async fn count_applications(&mut self, filter: &ApplicationFilter, most: u32) -> Result<u64, StoreError> {
        let mut query = Statement::new("SELECT count(*) FROM (SELECT 1 AS one FROM application a");
        self.narrow_applications(&mut query, filter)?;
        query.push(" LIMIT ").bind(i64::from(most)).push(") counted");
        match query.fetch_optional(self).await? {
            Some(row) => row.number(0, "计数"),
            None => Ok(0),
        }
    }

    /// The forms of one person (identity number, normalised) that are not decided, whoever's.
    pub async fn open_applications(&mut self, identity: &str) -> Result<Vec<ApplicationLine>, StoreError> {
        let index = self.shared.sealer.blind("identity", identity);
        let mut query = Statement::new(SELECT);
        query.push(" WHERE a.identity_index = ").bind(&index[..]);
        query.push(" AND a.state IN ('draft', 'submitted', 'returned') ORDER BY a.id");
        query.fetch_all(self).await?.iter().map(line).collect()
    }

    /// Whether any form of a volunteer holds contact data.
    pub async fn form_contact(&mut self, id: VolunteerId) -> Result<bool, StoreError> {
        for form in self.sealed_forms_of(id).await? {
            if self.application_text(form).await?.is_some_and(|mut text| text.erase_contact()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The forms that a volunteer or those merged into them became, and others with their identity number.
    async fn sealed_forms_of(&mut self, id: VolunteerId) -> Result<Vec<ApplicationId>, StoreError> {
        let sql = "SELECT id FROM application WHERE form_sealed IS NOT NULL AND volunteer_id = $1 \
                   UNION SELECT a.id FROM application a JOIN volunteer v ON v.identity_index = a.identity_index \
                   WHERE a.form_sealed IS NOT NULL AND (v.id = $1 OR v.merged_into = $1) ORDER BY 1";
        let rows = sqlx::query(sql).bind(id.0).fetch_all(self.connection()).await?;
        rows.iter().map(|row| Ok(ApplicationId(row.int(0)?))).collect()
    }

    /// Where a form's copies are kept, as far as noted.
    pub async fn application_copies(&mut self, id: ApplicationId) -> Result<Vec<ArchivedCopy>, StoreError> {
        let mut query = Statement::new("SELECT copy, place, archived_on, noted_by, noted_at FROM application_copy");
        query.push(" WHERE application_id = ").bind(id.0).push(" ORDER BY copy");
        let rows = query.fetch_all(self).await?;
        rows.iter()
            .map(|row| {
                Ok(ArchivedCopy {
                    copy: FormCopy::parse(row.str(0)?).ok_or(StoreError::BadValue { what: "登记表份别" })?,
                    place: row.text(1)?,
                    archived_on: row.date(2)?,
                    noted_by: row.text(3)?,
                    noted_at: row.moment(4)?,
                })
            })
            .collect()
    }

    /// Names of a county's units, in order, at most `limit`.
    pub async fn unit_names(&mut self, county: u8, limit: u32) -> Result<Vec<String>, StoreError> {
        let mut query = Statement::new("SELECT name FROM unit");
        query.push(" WHERE county = ").bind(county_text(county)?);
        query.push(" ORDER BY name LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(|row| row.text(0)).collect()
    }

    /// Reach stands on the form's own columns, so that each queue is one index from its end.
    fn narrow_applications(&self, query: &mut Statement, filter: &ApplicationFilter) -> Result<(), StoreError> {
        match filter.reach {
            Reach::Everything => query.push(" WHERE 1 = 1"),
            Reach::County(county) => query.push(" WHERE a.county = ").bind(county_text(county)?),
            Reach::Unit(unit) => query.push(" WHERE a.unit_id = ").bind(unit.0),
        };
        if let Some(state) = filter.state {
            query.push(" AND a.state = ").bind(state.as_str());
        }
        if let Some(approver) = filter.approver {
            query.push(" AND a.approver = ").bind(approver.text()?);
        }
        if let Some(name) = &filter.name {
            query.push(" AND a.name >= ").bind(name.clone());
            query.push(" AND a.name < ").bind(format!("{name}\u{10FFFF}"));
        }
        if let Some(identity) = &filter.identity {
            let index = self.shared.sealer.blind("identity", identity).to_vec();
            query.push(" AND a.identity_index = ").bind(index);
        }
        Ok(())
    }
}

impl Tx {
    /// Begins a form (`application.create`).
    pub async fn insert_application(&mut self, draft: &ApplicationDraft<'_>) -> Result<ApplicationId, StoreError> {
        let id = ApplicationId(self.draw_one("application").await?);
        let sealed = self.seal_form(id, draft.text)?;
        let index = self.identity_index(draft.identity);
        let now = self.now.as_second();
        sqlx::query(
            "INSERT INTO application (id, unit_id, county, approver, state, name, form_sealed, identity_index, national, \
             made_by, made_at, changed_by, changed_at, revision) \
             VALUES ($1, $2, $3, $4, 'draft', $5, $6, $7, $8, $9, $10, $9, $10, 1)",
        )
        .bind(id.0)
        .bind(draft.unit.0)
        .bind(county_text(draft.county)?)
        .bind(Approver::of(draft.county).text()?)
        .bind(draft.text.name.trim())
        .bind(sealed)
        .bind(index)
        .bind(i64::from(!draft.text.national_number.trim().is_empty()))
        .bind(self.actor.clone())
        .bind(now)
        .execute(self.connection())
        .await?;
        self.audit("application.create", format!("application/{id}"), json!({"unit": draft.unit.0}));
        Ok(id)
    }

    /// Writes in an open form (`application.save`); false if it is not open or no longer at this revision.
    pub async fn save_application(
        &mut self,
        id: ApplicationId,
        revision: i64,
        draft: &ApplicationDraft<'_>,
    ) -> Result<bool, StoreError> {
        let sealed = self.seal_form(id, draft.text)?;
        let index = self.identity_index(draft.identity);
        let changed = sqlx::query(
            "UPDATE application SET unit_id = $1, county = $2, approver = $3, name = $4, form_sealed = $5, \
             identity_index = $6, national = $7, changed_by = $8, changed_at = $9, revision = revision + 1 \
             WHERE id = $10 AND revision = $11 AND state IN ('draft', 'returned')",
        )
        .bind(draft.unit.0)
        .bind(county_text(draft.county)?)
        .bind(Approver::of(draft.county).text()?)
        .bind(draft.text.name.trim())
        .bind(sealed)
        .bind(index)
        .bind(i64::from(!draft.text.national_number.trim().is_empty()))
        .bind(self.actor.clone())
        .bind(self.now.as_second())
        .bind(id.0)
        .bind(revision)
        .execute(self.connection())
        .await?
        .rows_affected();
        if changed == 1 {
            self.audit("application.save", format!("application/{id}"), json!({"revision": revision + 1}));
        }
        Ok(changed == 1)
    }

    /// Takes a form a step on its way (`application.submit`, `.approve`, `.return`, `.reject`, `.withdraw`); false if it
    /// stands elsewhere by now. One withdrawn loses what it said. A second form of a person before the approvers is
    /// [`StoreError::Duplicate`].
    pub async fn move_application(
        &mut self,
        id: ApplicationId,
        revision: i64,
        step: ApplicationStep<'_>,
    ) -> Result<bool, StoreError> {
        use ApplicationState::{Approved, Draft, Rejected, Returned, Submitted, Withdrawn};
        let (set, action) = match step.to {
            Submitted => ("submitted_by = $1, submitted_at = $2, reason = $3, volunteer_id = $4", "application.submit"),
            Approved => ("decided_by = $1, decided_at = $2, reason = $3, volunteer_id = $4", "application.approve"),
            Returned => ("decided_by = $1, decided_at = $2, reason = $3, volunteer_id = $4", "application.return"),
            Rejected => ("decided_by = $1, decided_at = $2, reason = $3, volunteer_id = $4", "application.reject"),
            Withdrawn => (
                "decided_by = $1, decided_at = $2, reason = $3, volunteer_id = $4, form_sealed = NULL, \
                 identity_index = NULL",
                "application.withdraw",
            ),
            Draft => return Ok(false),
        };
        let mut sql = format!("UPDATE application SET {set}");
        sql.push_str(
            ", changed_at = $2, state = $5, revision = revision + 1 WHERE id = $6 AND revision = $7 AND state = $8",
        );
        let changed = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(self.actor.clone())
            .bind(self.now.as_second())
            .bind(step.reason)
            .bind(step.volunteer.map(|volunteer| volunteer.0))
            .bind(step.to.as_str())
            .bind(id.0)
            .bind(revision)
            .bind(step.from.as_str())
            .execute(self.connection())
            .await?
            .rows_affected();
        if changed == 1 {
            let detail = json!({"revision": revision + 1, "volunteer": step.volunteer.map(|volunteer| volunteer.0)});
            self.audit(action, format!("application/{id}"), detail);
        }
        Ok(changed == 1)
    }

    /// Notes where a copy is kept, or that it has moved (`application.archive`).
    pub async fn archive_application(
        &mut self,
        id: ApplicationId,
        copy: FormCopy,
        kept: &str,
        archived_on: Date,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO application_copy (application_id, copy, place, archived_on, noted_by, noted_at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (application_id, copy) DO UPDATE SET place = excluded.place, \
             archived_on = excluded.archived_on, noted_by = excluded.noted_by, noted_at = excluded.noted_at",
        )
        .bind(id.0)
        .bind(copy.as_str())
        .bind(kept)
        .bind(archived_on.to_string())
        .bind(self.actor.clone())
        .bind(self.now.as_second())
        .execute(self.connection())
        .await?;
        let detail = json!({"copy": copy.as_str(), "place": kept, "on": archived_on.to_string()});
        self.audit("application.archive", format!("application/{id}"), detail);
        Ok(())
    }

    /// Notes that what a form says was shown in the clear (`application.reveal`, with the reason) or printed
    /// (`application.print`).
    pub fn note_application_seen(&mut self, id: ApplicationId, reason: Option<&str>) {
        match reason {
            Some(reason) => self.audit("application.reveal", format!("application/{id}"), json!({"reason": reason})),
            None => self.audit("application.print", format!("application/{id}"), json!({})),
        }
    }

    /// Erases the contact data in every form of a volunteer and of those merged into them (`application.erase_contact`, an
    /// event each): forms that they became, and others with their identity number. Returns how many had any.
    pub(super) async fn erase_forms_contact(&mut self, id: VolunteerId) -> Result<u64, StoreError> {
        let mut erased = 0;
        for form in self.sealed_forms_of(id).await? {
            let Some(mut text) = self.application_text(form).await? else { continue };
            if !text.erase_contact() {
                continue;
            }
            let sealed = self.seal_form(form, &text)?;
            // The revision moves on: whoever has the form open must not write the data back.
            let sql = "UPDATE application SET form_sealed = $1, revision = revision + 1 WHERE id = $2";
            sqlx::query(sql).bind(sealed).bind(form.0).execute(self.connection()).await?;
            self.audit("application.erase_contact", format!("application/{form}"), json!({}));
            erased += 1;
        }
        Ok(erased)
    }

    fn seal_form(&self, id: ApplicationId, text: &ApplicationText) -> Result<Vec<u8>, StoreError> {
        let json = serde_json::to_string(text).map_err(|_| StoreError::BadValue { what: "登记表内容" })?;
        let mut nonce = [0; 24];
        self.shared.entropy.fill(&mut nonce);
        Ok(self.shared.sealer.seal(place(id.0), &nonce, &json))
    }

    fn identity_index(&self, identity: Option<&str>) -> Option<Vec<u8>> {
        identity.map(|identity| self.shared.sealer.blind("identity", identity).to_vec())
    }
}

fn place(row: i64) -> Place {
    Place { table: "application", column: "form_sealed", row }
}

fn line(row: &AnyRow) -> Result<ApplicationLine, StoreError> {
    Ok(ApplicationLine {
        id: ApplicationId(row.int(0)?),
        unit: UnitId(row.int(1)?),
        unit_name: row.text(2)?,
        county: row.county(3)?,
        state: ApplicationState::parse(row.str(4)?).ok_or(StoreError::BadValue { what: "登记表状态" })?,
        name: row.text(5)?,
        national: row.yes(6)?,
        made_by: row.text(7)?,
        made_at: row.moment(8)?,
        changed_by: row.text(9)?,
        changed_at: row.moment(10)?,
        submitted_by: row.text_or_null(11)?,
        submitted_at: row.moment_or_null(12)?,
        decided_by: row.text_or_null(13)?,
        decided_at: row.moment_or_null(14)?,
        reason: row.text_or_null(15)?,
        volunteer: row.text_or_null(16)?,
        revision: row.int(17)?,
    })
}
