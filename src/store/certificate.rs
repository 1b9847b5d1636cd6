//! Cards: whom to issue to, what was issued, what became of it, what to print.

use jiff::Timestamp;
use serde_json::json;
use sqlx::any::AnyRow;

use crate::domain::certificate::{CertificateState, Reason};

use super::audit::BatchHash;
use super::bulk::{Insert, Statement};
use super::row::{Columns, id};
use super::{KeyId, KeyState, Reader, StoreError, Tx, UnitId, VolunteerId};

/// How many numbers one request may name.
const NAMED: usize = 30_000;

id!(
    /// Key of a card.
    CertificateId
);

/// Whose cards a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Everybody's.
    All,
    /// One unit's.
    Unit(UnitId),
    /// Those of these certificate numbers, at most 30,000.
    Numbers(Vec<String>),
}

/// An active volunteer without a live card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueCandidate {
    /// Volunteer.
    pub volunteer: VolunteerId,
    /// Certificate number.
    pub number: String,
    /// Name, of which the card may carry the masked form.
    pub name: String,
    /// Star to put on the card.
    pub star: u8,
}

/// Which live cards a reissue is about; any one that is set suffices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReissueWhen {
    /// Every live card.
    pub any: bool,
    /// The star on it is no longer the volunteer's.
    pub star_changed: bool,
    /// Its key is compromised.
    pub key_compromised: bool,
    /// It expires before this moment.
    pub expires_before: Option<Timestamp>,
}

/// A live card, with what deciding about its replacement needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveCertificate {
    /// Card.
    pub id: CertificateId,
    /// Volunteer.
    pub volunteer: VolunteerId,
    /// Certificate number.
    pub number: String,
    /// Name.
    pub name: String,
    /// Valid or suspended.
    pub state: CertificateState,
    /// Star on the card.
    pub star_on_card: u8,
    /// Star of the volunteer now.
    pub star: u8,
    /// Until when good.
    pub expires_at: Timestamp,
    /// Key it was signed with.
    pub key: KeyId,
    /// Standing of that key.
    pub key_state: KeyState,
}

/// A card to issue; it starts valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCertificate {
    /// Volunteer.
    pub volunteer: VolunteerId,
    /// Certificate number.
    pub number: String,
    /// Key it was signed with.
    pub key: KeyId,
    /// Its index in that key's status list, from [`Tx::draw_status_indexes`].
    pub status_index: u32,
    /// Star on it.
    pub star: u8,
    /// Masked name on it, if any.
    pub holder: Option<String>,
    /// When issued.
    pub issued_at: Timestamp,
    /// Until when good.
    pub expires_at: Timestamp,
    /// The signed credential.
    pub code: Vec<u8>,
}

/// An issued card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Key.
    pub id: CertificateId,
    /// What was issued.
    pub issued: NewCertificate,
    /// State.
    pub state: CertificateState,
    /// Why it is no longer, or again, what it was.
    pub reason: Option<Reason>,
    /// When the state changed last.
    pub state_changed_at: Timestamp,
    /// When first printed.
    pub printed_at: Option<Timestamp>,
}

/// What became of changing a card's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateChange {
    /// It has the new state now.
    Changed,
    /// It had it before.
    AlreadyThere,
    /// It was no longer in the state expected, but in this one.
    Lost(CertificateState),
}

/// A valid card to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintCard {
    /// Card.
    pub id: CertificateId,
    /// Its holder.
    pub volunteer: VolunteerId,
    /// Certificate number.
    pub number: String,
    /// Name.
    pub name: String,
    /// Key of the unit.
    pub unit_id: UnitId,
    /// Name of the unit.
    pub unit: String,
    /// Star on the card.
    pub star: u8,
    /// Until when good.
    pub expires_at: Timestamp,
    /// The signed credential.
    pub code: Vec<u8>,
    /// Whether it was printed before.
    pub printed: bool,
}

impl PrintCard {
    /// Where the next page goes on.
    pub fn cursor(&self) -> PrintCursor {
        PrintCursor { unit: self.unit_id, number: self.number.clone() }
    }
}

/// A place in the order of printing: by unit, then number, so that each unit's cards lie together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintCursor {
    unit: UnitId,
    number: String,
}

const SELECT: &str = "SELECT id, volunteer_id, number, key_id, status_index, star, holder, issued_at, expires_at, code, \
                      state, reason, state_changed_at, printed_at FROM certificate";

const INSERT: Insert = Insert {
    table: "certificate",
    columns: &[
        "id",
        "volunteer_id",
        "number",
        "key_id",
        "status_index",
        "star",
        "holder",
        "issued_at",
        "expires_at",
        "state",
        "state_changed_at",
        "code",
    ],
    fixed: &[],
    conflict: "",
    may_stop_halfway: false,
};

impl Reader {
    /// The live card of this number, or else the latest.
    pub async fn certificate(&mut self, number: &str) -> Result<Option<Certificate>, StoreError> {
        // The newest card is the live one wherever there is one, as only one can be live.
        let mut query = Statement::new(SELECT);
        query.push(" WHERE volunteer_id = (SELECT id FROM volunteer WHERE number = ").bind(number);
        query.push(") ORDER BY id DESC LIMIT 1");
        query.fetch_optional(self).await?.as_ref().map(certificate).transpose()
    }

    /// Every card of this number, newest first.
    pub async fn certificate_history(&mut self, number: &str) -> Result<Vec<Certificate>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE volunteer_id = (SELECT id FROM volunteer WHERE number = ").bind(number);
        query.push(") ORDER BY id DESC");
        query.fetch_all(self).await?.iter().map(certificate).collect()
    }

    /// Up to `limit` active volunteers without a live card, in the order of registration, after the key `after`.
    pub async fn issue_candidates(
        &mut self,
        selection: &Selection,
        after: Option<VolunteerId>,
        limit: u32,
    ) -> Result<Vec<IssueCandidate>, StoreError> {
        let mut query = Statement::new(
            "SELECT v.id, v.number, v.name, v.star FROM volunteer v WHERE v.state = 'active' AND NOT EXISTS \
             (SELECT 1 FROM certificate c WHERE c.volunteer_id = v.id AND c.state IN ('valid', 'suspended'))",
        );
        query.push(" AND v.id > ").bind(after.map_or(0, |after| after.0));
        select(&mut query, selection)?;
        query.push(" ORDER BY v.id LIMIT ").bind(i64::from(limit));
        let rows = query.fetch_all(self).await?;
        rows.iter()
            .map(|row| {
                Ok(IssueCandidate {
                    volunteer: VolunteerId(row.int(0)?),
                    number: row.text(1)?,
                    name: row.text(2)?,
                    star: row.number(3, "星级")?,
                })
            })
            .collect()
    }

    /// Up to `limit` live cards of active volunteers for which `when` holds, in the order of issue, after the key
    /// `after`.
    pub async fn live_certificates(
        &mut self,
        selection: &Selection,
        when: ReissueWhen,
        after: Option<CertificateId>,
        limit: u32,
    ) -> Result<Vec<LiveCertificate>, StoreError> {
        let mut query = Statement::new(
            "SELECT c.id, v.id, v.number, v.name, c.state, c.star, v.star, c.expires_at, c.key_id, k.state \
             FROM certificate c JOIN volunteer v ON v.id = c.volunteer_id JOIN signing_key k ON k.id = c.key_id \
             WHERE c.state IN ('valid', 'suspended') AND v.state = 'active'",
        );
        query.push(" AND c.id > ").bind(after.map_or(0, |after| after.0));
        if !when.any {
            query.push(" AND (1 = 0");
            if when.star_changed {
                query.push(" OR c.star <> v.star");
            }
            if when.key_compromised {
                query.push(" OR k.state = 'compromised'");
            }
            if let Some(moment) = when.expires_before {
                query.push(" OR c.expires_at < ").bind(moment.as_second());
            }
            query.push(")");
        }
        select(&mut query, selection)?;
        query.push(" ORDER BY c.id LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(live).collect()
    }

    /// Up to `limit` valid cards to print, by unit and number, after the place `after`; with `unprinted`, only those
    /// never printed.
    pub async fn print_cards(
        &mut self,
        selection: &Selection,
        unprinted: bool,
        after: Option<&PrintCursor>,
        limit: u32,
    ) -> Result<Vec<PrintCard>, StoreError> {
        let mut query = Statement::new(
            "SELECT c.id, v.number, v.name, v.unit_id, u.name, c.star, c.expires_at, c.code, c.printed_at, v.id \
             FROM volunteer v JOIN certificate c ON c.volunteer_id = v.id JOIN unit u ON u.id = v.unit_id \
             WHERE c.state = 'valid'",
        );
        if unprinted {
            query.push(" AND c.printed_at IS NULL");
        }
        if let Some(PrintCursor { unit, number }) = after {
            query.push(" AND (v.unit_id, v.number) > (").bind(unit.0).push(", ").bind(number.as_str()).push(")");
        }
        select(&mut query, selection)?;
        query.push(" ORDER BY v.unit_id, v.number LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(print_card).collect()
    }

    /// Those of these cards that are valid, in the order given.
    pub async fn print_cards_by_key(&mut self, cards: &[CertificateId]) -> Result<Vec<PrintCard>, StoreError> {
        let select = "SELECT c.id, v.number, v.name, v.unit_id, u.name, c.star, c.expires_at, c.code, c.printed_at, v.id \
                      FROM certificate c JOIN volunteer v ON v.id = c.volunteer_id JOIN unit u ON u.id = v.unit_id \
                      WHERE c.state = 'valid' AND c.id";
        let rows = self.select_in(select, cards, "", |values, id| values.push(id.0)).await?;
        let mut found = rows.iter().map(print_card).collect::<Result<Vec<_>, _>>()?;
        let place: std::collections::HashMap<_, _> = cards.iter().zip(0..).collect();
        found.sort_by_key(|card| place.get(&card.id).copied().unwrap_or(usize::MAX));
        Ok(found)
    }

    /// How many cards [`Self::print_cards`] has in all.
    pub async fn print_count(&mut self, selection: &Selection, unprinted: bool) -> Result<u64, StoreError> {
        let mut query = Statement::new(
            "SELECT count(*) FROM volunteer v JOIN certificate c ON c.volunteer_id = v.id WHERE c.state = 'valid'",
        );
        if unprinted {
            query.push(" AND c.printed_at IS NULL");
        }
        select(&mut query, selection)?;
        query.fetch_optional(self).await?.map_or(Ok(0), |row| row.number(0, "计数"))
    }

    /// How many candidates [`Self::issue_candidates`] has in all.
    pub async fn issue_count(&mut self, selection: &Selection) -> Result<u64, StoreError> {
        let mut query = Statement::new(
            "SELECT count(*) FROM volunteer v WHERE v.state = 'active' AND NOT EXISTS \
             (SELECT 1 FROM certificate c WHERE c.volunteer_id = v.id AND c.state IN ('valid', 'suspended'))",
        );
        select(&mut query, selection)?;
        query.fetch_optional(self).await?.map_or(Ok(0), |row| row.number(0, "计数"))
    }
}

impl Tx {
    /// Issues cards (`certificate.issue`, one event each) and returns their keys in the same order. A volunteer who has
    /// a live card, or an index that is taken, is [`StoreError::Duplicate`] and spoils the transaction.
    pub async fn insert_certificates(&mut self, new: &[NewCertificate]) -> Result<Vec<CertificateId>, StoreError> {
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let ids = self.draw("certificate", new.len()).await?;
        let now = self.now.as_second();
        let rows: Vec<_> = ids.clone().zip(new).collect();
        self.insert_all(&INSERT, &rows, |values, (id, new)| {
            values.push(*id);
            values.push(new.volunteer.0);
            values.push(new.number.as_str());
            values.push(new.key.0);
            values.push(i64::from(new.status_index));
            values.push(i64::from(new.star));
            values.push(new.holder.as_deref());
            values.push(new.issued_at.as_second());
            values.push(new.expires_at.as_second());
            values.push(CertificateState::Valid.as_str());
            values.push(now);
            values.push(&new.code[..]);
        })
        .await?;
        for (id, new) in rows {
            let detail = json!({
                "key": new.key.0, "status_index": new.status_index, "star": new.star,
                "expires_at": new.expires_at.as_second(),
            });
            self.audit("certificate.issue", object(&new.number, CertificateId(id)), detail);
        }
        Ok(ids.map(CertificateId).collect())
    }

    /// Takes a card from the state `from` to `to` (`certificate.revoke`, `.suspend`, `.resume`, `.supersede`). A change
    /// that the rules do not know is [`StoreError::Transition`]; a card that is elsewhere meanwhile is an outcome.
    pub async fn change_certificate(
        &mut self,
        id: CertificateId,
        from: CertificateState,
        to: CertificateState,
        reason: Reason,
    ) -> Result<StateChange, StoreError> {
        if from != to && !from.may_become(to) {
            return Err(StoreError::Transition { from, to });
        }
        let query = sqlx::query("SELECT state, number FROM certificate WHERE id = $1").bind(id.0);
        let row = query.fetch_optional(self.connection()).await?.ok_or(StoreError::NotFound { what: "证件" })?;
        let (state, number) = (CertificateState::parse(row.str(0)?)?, row.text(1)?);
        if state == to {
            return Ok(StateChange::AlreadyThere);
        }
        let now = self.now.as_second();
        let sql = "UPDATE certificate SET state = $1, reason = $2, state_changed_at = $3 WHERE id = $4 AND state = $5";
        let changed = sqlx::query(sql)
            .bind(to.as_str())
            .bind(reason.as_str())
            .bind(now)
            .bind(id.0)
            .bind(from.as_str())
            .execute(self.connection())
            .await?
            .rows_affected();
        if changed != 1 {
            return Ok(StateChange::Lost(state));
        }
        self.audit(action(to), object(&number, id), json!({"from": from.as_str(), "reason": reason.as_str()}));
        Ok(StateChange::Changed)
    }

    /// Supersedes many live cards for one reason before their replacements are issued (`certificate.supersede`, one
    /// event each). Returns how many were superseded: those of `cards` that were still live.
    pub async fn supersede_certificates(&mut self, cards: &[CertificateId], reason: Reason) -> Result<u64, StoreError> {
        let select = "SELECT id, number, state FROM certificate \
                      WHERE state IN ('valid', 'suspended') AND id";
        let rows = self.select_in(select, cards, "", |values, id| values.push(id.0)).await?;
        let mut live = Vec::with_capacity(rows.len());
        for row in &rows {
            let id = CertificateId(row.int(0)?);
            let detail = json!({"from": row.str(2)?, "reason": reason.as_str()});
            self.audit(action(CertificateState::Superseded), object(row.str(1)?, id), detail);
            live.push(id);
        }
        let now = self.now.as_second().to_string();
        let before = "UPDATE certificate SET state = 'superseded', reason = {}, state_changed_at = CAST({} AS BIGINT) \
                      WHERE id";
        let values = [reason.as_str(), now.as_str()];
        self.change_in_with(before, &values, &live, "", |values, id| values.push(id.0)).await
    }

    /// Notes that cards were printed, where not noted before (`certificate.print`, one event with a SHA-256 over the
    /// cards' keys). Returns how many were printed for the first time.
    pub async fn mark_printed(&mut self, cards: &[CertificateId]) -> Result<u64, StoreError> {
        if cards.is_empty() {
            return Ok(0);
        }
        let now = self.now.as_second().to_string();
        let before = "UPDATE certificate SET stage = CASE WHEN stage = 0 THEN 1 ELSE stage END, \
                      printed_at = CAST({} AS BIGINT) WHERE printed_at IS NULL AND id";
        let changed = self.change_in_with(before, &[&now], cards, "", |values, id| values.push(id.0)).await?;
        let mut hash = BatchHash::default();
        for card in cards {
            hash.add_bytes(&card.0.to_be_bytes());
        }
        let detail = json!({"count": cards.len(), "first_time": changed, "cards_sha256": hash.hex()});
        self.audit("certificate.print", "certificate", detail);
        Ok(changed)
    }
}

/// Narrows a statement over `volunteer v` down to a selection.
fn select(query: &mut Statement, selection: &Selection) -> Result<(), StoreError> {
    match selection {
        Selection::All => {}
        Selection::Unit(unit) => {
            query.push(" AND v.unit_id = ").bind(unit.0);
        }
        Selection::Numbers(numbers) if numbers.len() > NAMED => {
            return Err(StoreError::TooManyNumbers { limit: NAMED });
        }
        Selection::Numbers(numbers) if numbers.is_empty() => {
            query.push(" AND 1 = 0");
        }
        Selection::Numbers(numbers) => {
            query.push(" AND v.number IN (");
            for (i, number) in numbers.iter().enumerate() {
                query.push(if i == 0 { "" } else { ", " }).bind(number.as_str());
            }
            query.push(")");
        }
    }
    Ok(())
}

fn action(to: CertificateState) -> &'static str {
    match to {
        CertificateState::Valid => "certificate.resume",
        CertificateState::Revoked => "certificate.revoke",
        CertificateState::Suspended => "certificate.suspend",
        CertificateState::Superseded => "certificate.supersede",
    }
}

fn object(number: &str, id: CertificateId) -> String {
    format!("certificate/{number}#{id}")
}

fn certificate(row: &AnyRow) -> Result<Certificate, StoreError> {
    Ok(Certificate {
        id: CertificateId(row.int(0)?),
        issued: NewCertificate {
            volunteer: VolunteerId(row.int(1)?),
            number: row.text(2)?,
            key: KeyId(row.int(3)?),
            status_index: row.number(4, "状态序号")?,
            star: row.number(5, "星级")?,
            holder: row.text_or_null(6)?,
            issued_at: row.moment(7)?,
            expires_at: row.moment(8)?,
            code: row.bytes(9)?.to_vec(),
        },
        state: CertificateState::parse(row.str(10)?)?,
        reason: row.text_or_null(11)?.map(|reason| Reason::parse(&reason)).transpose()?,
        state_changed_at: row.moment(12)?,
        printed_at: row.moment_or_null(13)?,
    })
}

fn live(row: &AnyRow) -> Result<LiveCertificate, StoreError> {
    Ok(LiveCertificate {
        id: CertificateId(row.int(0)?),
        volunteer: VolunteerId(row.int(1)?),
        number: row.text(2)?,
        name: row.text(3)?,
        state: CertificateState::parse(row.str(4)?)?,
        star_on_card: row.number(5, "星级")?,
        star: row.number(6, "星级")?,
        expires_at: row.moment(7)?,
        key: KeyId(row.int(8)?),
        key_state: KeyState::parse(row.str(9)?)?,
    })
}

fn print_card(row: &AnyRow) -> Result<PrintCard, StoreError> {
    Ok(PrintCard {
        id: CertificateId(row.int(0)?),
        number: row.text(1)?,
        name: row.text(2)?,
        unit_id: UnitId(row.int(3)?),
        unit: row.text(4)?,
        star: row.number(5, "星级")?,
        expires_at: row.moment(6)?,
        code: row.bytes(7)?.to_vec(),
        printed: row.int_or_null(8)?.is_some(),
        volunteer: VolunteerId(row.int(9)?),
    })
}
