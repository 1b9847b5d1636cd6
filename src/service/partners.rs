//! Partners and their agreements; what was given where.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::enrol::DeviceLine;
use super::offers::OfferLine;
use super::{Federation, ServiceError};
use crate::clock::beijing_date;
use crate::domain::offer::kind_word;
use crate::domain::partner::{
    Agreement, AgreementState, MAX_AGREEMENT_NUMBER, MAX_NAME, MAX_NOTE, PartnerId, is_line, midnight,
};
use crate::domain::redemption::CardStanding;
use crate::store::{NewPartner, Partner, Reader, UsageRow};

/// A partner to add.
#[derive(Debug, Clone)]
pub struct PartnerDraft {
    /// Its name: 1 to 60 characters on one line.
    pub name: String,
    /// What it is: 餐饮, 医院 …; up to 200 characters.
    pub kind: Option<String>,
    /// Whom to call; up to 200 characters. Sealed at rest.
    pub contact: Option<String>,
    /// Number of the agreement: 1 to 60 characters on one line, not that of another partner.
    pub agreement_number: String,
    /// First day of the agreement, Beijing time.
    pub from: Date,
    /// Last day of the agreement, Beijing time.
    pub to: Date,
}

/// Why a partner was not added, found or ended.
#[derive(Debug, thiserror::Error)]
pub enum PartnerError {
    /// A name that is none.
    #[error("单位名称须为 1 到 60 个字，不能换行")]
    Name,
    /// A kind that is too long.
    #[error("单位类别最多 200 个字，不能换行")]
    Kind,
    /// A contact that is too long.
    #[error("联系人最多 200 个字，不能换行")]
    Contact,
    /// An agreement number that is none.
    #[error("协议编号须为 1 到 60 个字，不能换行")]
    AgreementNumber,
    /// The agreement ends before it begins.
    #[error("协议的截止日期（{to}）早于开始日期（{from}）")]
    AgreementDates {
        /// First day.
        from: Date,
        /// Last day.
        to: Date,
    },
    /// The agreement was over before today.
    #[error("协议到 {to} 已经期满，不能再登记。请核对日期")]
    AgreementOver {
        /// Last day.
        to: Date,
    },
    /// Another partner has an agreement with this number.
    #[error("协议编号 {number} 已登记给“{name}”（编号 {id}）。同一单位续签用 zyz partner renew")]
    AgreementTaken {
        /// The number.
        number: String,
        /// Whose it is.
        name: String,
        /// Its id.
        id: PartnerId,
    },
    /// No partner has this id.
    #[error("没有编号为 {id} 的合作单位。用 zyz partner list 查看")]
    Unknown {
        /// The id asked for.
        id: PartnerId,
    },
    /// The agreement is over.
    #[error("“{name}”的协议已于 {on} 终止")]
    AlreadyEnded {
        /// Its name.
        name: String,
        /// The first day on which it no longer held.
        on: Date,
    },
    /// An agreement cannot be ended in the past.
    #[error("终止日期 {on} 已经过去。协议最早自今天（{today}）起终止")]
    EndInThePast {
        /// The day asked for.
        on: Date,
        /// Today.
        today: Date,
    },
    /// The agreement is over before the day asked for.
    #[error("协议到 {to} 期满，{on} 之后本来就不再有效，无需终止")]
    EndAfterAgreement {
        /// The day asked for.
        on: Date,
        /// The agreement's last day.
        to: Date,
    },
    /// A renewal that does not reach beyond what holds, or beyond today.
    #[error("续签后的截止日期 {to} 须晚于现在的截止日期（{now}），且不早于今天")]
    NotLonger {
        /// The last day asked for.
        to: Date,
        /// The agreement's last day.
        now: Date,
    },
    /// A reason that is none.
    #[error("终止原因须为 1 到 200 个字，不能换行")]
    Reason,
    /// A stretch of days that ends before it begins.
    #[error("--to（{to}）早于 --from（{from}）")]
    Period {
        /// First day.
        from: Date,
        /// Last day.
        to: Date,
    },
    /// Anything else.
    #[error(transparent)]
    Service(#[from] ServiceError),
}
super::service_errors!(PartnerError);

/// A partner, for people and programs.
#[derive(Debug, Clone, Serialize)]
pub struct PartnerLine {
    /// Key.
    pub id: i64,
    /// Name.
    pub name: String,
    /// What it is.
    pub kind: Option<String>,
    /// Number of the agreement.
    pub agreement_number: String,
    /// First day.
    pub agreement_from: Date,
    /// Last day.
    pub agreement_to: Date,
    /// not_yet, in_force or ended.
    pub state: &'static str,
    /// The state in words.
    pub state_label: &'static str,
    /// The first day on which it no longer holds, where it was ended.
    pub ended_from: Option<Date>,
    /// Why it was ended.
    pub end_reason: Option<String>,
    /// Devices that are not revoked.
    pub devices: u64,
    /// Offers that were not ended.
    pub offers: u64,
}

/// All of a partner.
#[derive(Debug, Clone, Serialize)]
pub struct PartnerDetail {
    /// The partner.
    #[serde(flatten)]
    pub partner: PartnerLine,
    /// Whom to call.
    pub contact: Option<String>,
    /// Its offers, ended ones included.
    pub offer_list: Vec<OfferLine>,
    /// Its devices, revoked ones included.
    pub device_list: Vec<DeviceLine>,
}

/// What was given at a partner.
#[derive(Debug, Clone, Serialize)]
pub struct Usage {
    /// Key of the partner.
    pub partner: i64,
    /// Its name.
    pub name: String,
    /// First day, Beijing time; none for the beginning.
    pub from: Option<Date>,
    /// Last day; none for today.
    pub to: Option<Date>,
    /// By offer.
    pub offers: Vec<UsageLine>,
    /// Over all offers.
    pub total: UsageCounts,
    /// Reversals of uses that never came.
    pub unmatched_reversals: u64,
}

/// What was given of one offer.
#[derive(Debug, Clone, Serialize)]
pub struct UsageLine {
    /// Id of the offer, as the partner sent it.
    pub offer: String,
    /// Its title; none if the partner has no such offer.
    pub title: Option<String>,
    /// priority, discount or free.
    pub kind: Option<&'static str>,
    /// How often.
    #[serde(flatten)]
    pub counts: UsageCounts,
}

/// How often, by the card's standing at the time. All but `reversed` leave out what was taken back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct UsageCounts {
    /// In all.
    pub uses: u64,
    /// On good cards.
    pub valid: u64,
    /// On revoked cards.
    pub revoked: u64,
    /// On suspended cards.
    pub suspended: u64,
    /// On superseded cards.
    pub superseded: u64,
    /// On expired cards.
    pub expired: u64,
    /// On cards that are not known.
    pub unknown: u64,
    /// Over the offer's limit.
    pub over_limit: u64,
    /// Taken back.
    pub reversed: u64,
}

impl Federation {
    /// Adds a partner with its agreement.
    ///
    /// # Errors
    /// [`PartnerError`]: a field that is none, dates that are no stretch, an agreement number that is taken.
    pub async fn add_partner(&self, draft: PartnerDraft) -> Result<PartnerLine, PartnerError> {
        let new = checked(draft)?;
        let mut tx = self.begin().await?;
        if new.agreement.state(tx.now()) == AgreementState::Ended {
            return Err(PartnerError::AgreementOver { to: new.agreement.to });
        }
        if let Some(other) = tx.partner_by_agreement(&new.agreement.number).await? {
            let number = new.agreement.number;
            return Err(PartnerError::AgreementTaken { number, name: other.name, id: other.id });
        }
        let id = tx.insert_partner(&new).await?;
        let row = known(&mut tx, id).await?;
        let line = self.line(row, &mut tx).await?;
        tx.commit().await?;
        Ok(line)
    }

    /// All partners in the order of their ids; those whose agreement is over only with `ended`.
    ///
    /// # Errors
    /// The database fails.
    pub async fn partners(&self, ended: bool) -> Result<Vec<PartnerLine>, PartnerError> {
        let now = self.now();
        let mut reader = self.store.read().await?;
        let (mut devices, mut offers) = (HashMap::new(), HashMap::new());
        for device in reader.devices(None).await?.iter().filter(|device| device.revoked_at.is_none()) {
            *devices.entry(device.partner).or_insert(0) += 1;
        }
        for offer in reader.offers(None, false).await? {
            *offers.entry(offer.partner).or_insert(0) += 1;
        }
        let rows = reader.partners().await?;
        let lines = rows.into_iter().map(|row| {
            let count = |of: &HashMap<PartnerId, u64>| of.get(&row.id).copied().unwrap_or(0);
            let (devices, offers) = (count(&devices), count(&offers));
            partner_line(row, now, devices, offers)
        });
        Ok(lines.filter(|line| ended || line.state != AgreementState::Ended.as_str()).collect())
    }

    /// One partner with its offers and devices.
    ///
    /// # Errors
    /// [`PartnerError::Unknown`].
    pub async fn partner(&self, id: PartnerId) -> Result<PartnerDetail, PartnerError> {
        let mut reader = self.store.read().await?;
        let row = known(&mut reader, id).await?;
        let name = row.name.clone();
        let offers = reader.offers(Some(id), true).await?;
        let devices = reader.devices(Some(id)).await?;
        Ok(PartnerDetail {
            contact: reader.partner_contact(id).await?.map(|contact| contact.to_string()),
            offer_list: offers.into_iter().map(|row| OfferLine::new(row, &name)).collect(),
            device_list: devices.into_iter().map(DeviceLine::new).collect(),
            partner: self.line(row, &mut reader).await?,
        })
    }

    /// Puts a newer agreement in the place of a partner's: devices and offers stay. One that is past its last day may be
    /// renewed, one that was ended may not.
    ///
    /// # Errors
    /// [`PartnerError`]: unknown, ended, a number that is none or taken, a last day that is no later.
    pub async fn renew_partner(
        &self,
        id: PartnerId,
        agreement_number: &str,
        to: Date,
    ) -> Result<PartnerLine, PartnerError> {
        let number = agreement_number.trim();
        if !is_line(number, MAX_AGREEMENT_NUMBER) {
            return Err(PartnerError::AgreementNumber);
        }
        let mut tx = self.begin().await?;
        let row = known(&mut tx, id).await?;
        if let Some(on) = row.agreement.ended_from {
            return Err(PartnerError::AlreadyEnded { name: row.name, on });
        }
        if to <= row.agreement.to || to < beijing_date(tx.now()) {
            return Err(PartnerError::NotLonger { to, now: row.agreement.to });
        }
        if let Some(other) = tx.partner_by_agreement(number).await?.filter(|other| other.id != id) {
            return Err(PartnerError::AgreementTaken { number: number.to_owned(), name: other.name, id: other.id });
        }
        tx.renew_partner(id, number, to).await?;
        let row = known(&mut tx, id).await?;
        let line = self.line(row, &mut tx).await?;
        tx.commit().await?;
        Ok(line)
    }

    /// Ends an agreement from the beginning of the day `on` (none: today, at once).
    ///
    /// # Errors
    /// [`PartnerError`]: unknown, over already, a day in the past or after the agreement, no reason.
    pub async fn end_partner(
        &self,
        id: PartnerId,
        on: Option<Date>,
        reason: &str,
    ) -> Result<PartnerLine, PartnerError> {
        let reason = reason.trim();
        if !is_line(reason, MAX_NOTE) {
            return Err(PartnerError::Reason);
        }
        let mut tx = self.begin().await?;
        let today = beijing_date(tx.now());
        let on = on.unwrap_or(today);
        let row = known(&mut tx, id).await?;
        if row.agreement.state(tx.now()) == AgreementState::Ended {
            return Err(PartnerError::AlreadyEnded { name: row.name, on: beijing_date(row.agreement.ends_at()) });
        }
        if on < today {
            return Err(PartnerError::EndInThePast { on, today });
        }
        if on > row.agreement.to {
            return Err(PartnerError::EndAfterAgreement { on, to: row.agreement.to });
        }
        tx.end_partner(id, on, reason).await?;
        let row = known(&mut tx, id).await?;
        let line = self.line(row, &mut tx).await?;
        tx.commit().await?;
        Ok(line)
    }

    /// What was given at a partner from the day `from` to the day `to`, both included, Beijing time.
    ///
    /// # Errors
    /// [`PartnerError::Unknown`], [`PartnerError::Period`].
    pub async fn partner_usage(
        &self,
        id: PartnerId,
        from: Option<Date>,
        to: Option<Date>,
    ) -> Result<Usage, PartnerError> {
        if let (Some(from), Some(to)) = (from, to)
            && to < from
        {
            return Err(PartnerError::Period { from, to });
        }
        let mut reader = self.store.read().await?;
        let partner = known(&mut reader, id).await?;
        let until = to.map(|day| midnight(day.tomorrow().unwrap_or(Date::MAX)));
        let rows = reader.usage(id, from.map(midnight), until).await?;
        let offers: HashMap<_, _> =
            reader.offers(Some(id), true).await?.into_iter().map(|row| (row.offer.id.clone(), row.offer)).collect();
        let mut lines: Vec<UsageLine> = Vec::new();
        let mut total = UsageCounts::default();
        for row in rows {
            if lines.last().is_none_or(|last| last.offer != row.offer) {
                let offer = offers.get(&row.offer);
                lines.push(UsageLine {
                    title: offer.map(|offer| offer.title.clone()),
                    kind: offer.map(|offer| kind_word(offer.kind)),
                    offer: row.offer.clone(),
                    counts: UsageCounts::default(),
                });
            }
            for counts in lines.last_mut().map(|line| &mut line.counts).into_iter().chain([&mut total]) {
                counts.add(&row);
            }
        }
        Ok(Usage {
            partner: id.0,
            name: partner.name,
            from,
            to,
            offers: lines,
            total,
            unmatched_reversals: reader.waiting_reversal_count(id).await?,
        })
    }

    async fn line(&self, row: Partner, reader: &mut Reader) -> Result<PartnerLine, PartnerError> {
        let devices = reader.devices(Some(row.id)).await?.iter().filter(|device| device.revoked_at.is_none()).count();
        let offers = reader.offers(Some(row.id), false).await?.len();
        Ok(partner_line(row, self.now(), devices as u64, offers as u64))
    }
}

impl UsageCounts {
    fn add(&mut self, row: &UsageRow) {
        self.uses += row.uses;
        self.over_limit += row.over_limit;
        self.reversed += row.reversed;
        *match row.standing {
            CardStanding::Valid => &mut self.valid,
            CardStanding::Revoked => &mut self.revoked,
            CardStanding::Suspended => &mut self.suspended,
            CardStanding::Superseded => &mut self.superseded,
            CardStanding::Expired => &mut self.expired,
            CardStanding::Unknown => &mut self.unknown,
        } += row.uses;
    }
}

async fn known(reader: &mut Reader, id: PartnerId) -> Result<Partner, PartnerError> {
    reader.partner(id).await?.ok_or(PartnerError::Unknown { id })
}

fn partner_line(row: Partner, now: Timestamp, devices: u64, offers: u64) -> PartnerLine {
    let state = row.agreement.state(now);
    PartnerLine {
        id: row.id.0,
        name: row.name,
        kind: row.kind,
        agreement_number: row.agreement.number,
        agreement_from: row.agreement.from,
        agreement_to: row.agreement.to,
        state: state.as_str(),
        state_label: state.label(),
        ended_from: row.agreement.ended_from,
        end_reason: row.end_reason,
        devices,
        offers,
    }
}

/// The draft, trimmed, if its fields are such.
fn checked(draft: PartnerDraft) -> Result<NewPartner, PartnerError> {
    let line = |text: &str, most, error| if is_line(text, most) { Ok(text.trim().to_owned()) } else { Err(error) };
    let name = line(&draft.name, MAX_NAME, PartnerError::Name)?;
    let kind = draft.kind.map(|text| line(&text, MAX_NOTE, PartnerError::Kind)).transpose()?;
    let contact = draft.contact.map(|text| line(&text, MAX_NOTE, PartnerError::Contact)).transpose()?;
    let number = line(&draft.agreement_number, MAX_AGREEMENT_NUMBER, PartnerError::AgreementNumber)?;
    let (from, to) = (draft.from, draft.to);
    if to < from {
        return Err(PartnerError::AgreementDates { from, to });
    }
    Ok(NewPartner { name, kind, contact, agreement: Agreement { number, from, to, ended_from: None } })
}
