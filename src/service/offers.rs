//! What partners give, and to whom.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use zyz_credential::{HourWindow, MAX_OFFERS, Offer, OfferError, OfferKind, OfferLimits, Weekdays};

use super::{Federation, ServiceError, rfc3339, seconds};
use crate::clock::beijing_date;
use crate::domain::offer::{OfferId, hours_text, kind_label, kind_word, offer_error_label, weekdays_label, within};
use crate::domain::partner::{AgreementState, PartnerId, midnight};
use crate::store::PartnerOffer;

/// An offer to add. [`zyz_credential::Offer::check`] says which are well made.
#[derive(Debug, Clone)]
pub struct OfferDraft {
    /// 优先, 优惠 or 免费.
    pub kind: OfferKind,
    /// For people: 1 to 80 characters.
    pub title: String,
    /// For people: at most 1,000 characters, empty for none.
    pub terms: String,
    /// The star that it asks for, 0…5.
    pub min_star: u8,
    /// First day, Beijing time; none for the agreement's.
    pub from: Option<Date>,
    /// Last day; none for the agreement's.
    pub to: Option<Date>,
    /// Days of the week.
    pub weekdays: Weekdays,
    /// Parts of the day; none for the whole day.
    pub hours: Vec<HourWindow>,
    /// How often a holder may use it.
    pub limits: OfferLimits,
    /// Whether an identity document is to be seen.
    pub identity_check: bool,
    /// The oldest status data on which it is still given, seconds.
    pub max_status_age: Option<u64>,
}

/// Why an offer was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddOfferError {
    /// No partner has this id.
    #[error("没有编号为 {id} 的合作单位。用 zyz partner list 查看")]
    UnknownPartner {
        /// The id asked for.
        id: PartnerId,
    },
    /// The partner's agreement is over.
    #[error("“{name}”的协议已终止，不能再增加优惠项目")]
    AgreementEnded {
        /// Its name.
        name: String,
    },
    /// It breaks a rule of the format.
    #[error("{}", offer_error_label(*.0))]
    Offer(OfferError),
    /// Nothing of it lies within the agreement.
    #[error("有效期不在协议期（{from} 至 {to}）内，这个优惠项目永远不会生效")]
    OutsideAgreement {
        /// First day of the agreement.
        from: Date,
        /// Last day of the agreement.
        to: Date,
    },
    /// The partner has as many offers as a bundle carries.
    #[error("“{name}”的优惠项目已有 {MAX_OFFERS} 个，数据包放不下了。请先用 zyz offer end 终止不用的")]
    TooMany {
        /// Its name.
        name: String,
    },
    /// Anything else.
    #[error(transparent)]
    Service(#[from] ServiceError),
}
super::service_errors!(AddOfferError);

/// Why an offer was not ended.
#[derive(Debug, thiserror::Error)]
pub enum EndOfferError {
    /// No offer has this id.
    #[error("没有编号为 {id} 的优惠项目。用 zyz offer list 查看")]
    Unknown {
        /// The id asked for.
        id: OfferId,
    },
    /// It was ended before.
    #[error("优惠项目 {id}“{title}”此前已终止")]
    AlreadyEnded {
        /// The id.
        id: OfferId,
        /// Its title.
        title: String,
    },
    /// Anything else.
    #[error(transparent)]
    Service(#[from] ServiceError),
}
super::service_errors!(EndOfferError);

/// An offer, for people and programs.
#[derive(Debug, Clone, Serialize)]
pub struct OfferLine {
    /// Key; the same in bundles and uses, as text.
    pub id: i64,
    /// Key of the partner.
    pub partner: i64,
    /// Name of the partner.
    pub partner_name: String,
    /// priority, discount or free.
    pub kind: &'static str,
    /// The kind in words.
    pub kind_label: &'static str,
    /// For people.
    pub title: String,
    /// For people; empty for none.
    pub terms: String,
    /// Least star.
    pub min_star: u8,
    /// First day; none for the agreement's.
    pub from: Option<Date>,
    /// Last day; none for the agreement's.
    pub to: Option<Date>,
    /// Seven bits, bit 0 for Monday.
    pub weekdays: u8,
    /// The days in words.
    pub weekdays_label: String,
    /// `09:00-12:00,14:00-18:00`; empty for the whole day.
    pub hours: String,
    /// Uses a holder and day.
    pub per_day: Option<u32>,
    /// Uses a holder and month.
    pub per_month: Option<u32>,
    /// Uses a holder in all.
    pub in_all: Option<u32>,
    /// Whether an identity document is to be seen.
    pub identity_check: bool,
    /// Oldest status data, seconds.
    pub max_status_age: Option<u64>,
    /// When it was ended, RFC 3339; none while it stands.
    pub ended_at: Option<String>,
}

impl Federation {
    /// Adds an offer to a partner; the next bundle carries it.
    ///
    /// # Errors
    /// [`AddOfferError`].
    pub async fn add_offer(&self, partner: PartnerId, draft: OfferDraft) -> Result<OfferLine, AddOfferError> {
        let offer = draft.offer();
        offer.check().map_err(AddOfferError::Offer)?;
        let mut tx = self.begin().await?;
        let row = tx.partner(partner).await?.ok_or(AddOfferError::UnknownPartner { id: partner })?;
        let agreement = &row.agreement;
        if agreement.state(tx.now()) == AgreementState::Ended {
            return Err(AddOfferError::AgreementEnded { name: row.name });
        }
        if within(&offer, agreement, tx.now()).is_none() {
            return Err(AddOfferError::OutsideAgreement { from: agreement.from, to: agreement.to });
        }
        if tx.offers(Some(partner), false).await?.len() >= MAX_OFFERS {
            return Err(AddOfferError::TooMany { name: row.name });
        }
        let id = tx.insert_offer(partner, &offer).await?;
        let added = tx.offer(id).await?.ok_or(ServiceError::Aborted)?;
        tx.commit().await?;
        Ok(OfferLine::new(added, &row.name))
    }

    /// Offers in the order of their ids, of one partner if one is given; those that were ended only with `ended`.
    ///
    /// # Errors
    /// The database fails.
    pub async fn offers(&self, partner: Option<PartnerId>, ended: bool) -> Result<Vec<OfferLine>, ServiceError> {
        let mut reader = self.store.read().await?;
        let names: HashMap<_, _> = reader.partners().await?.into_iter().map(|row| (row.id, row.name)).collect();
        let rows = reader.offers(partner, ended).await?;
        let name = |id| names.get(&id).map_or("", String::as_str);
        Ok(rows
            .into_iter()
            .map(|row| {
                let partner = name(row.partner);
                OfferLine::new(row, partner)
            })
            .collect())
    }

    /// Ends an offer; the next bundle no longer carries it.
    ///
    /// # Errors
    /// [`EndOfferError`].
    pub async fn end_offer(&self, id: OfferId) -> Result<OfferLine, EndOfferError> {
        let mut tx = self.begin().await?;
        let row = tx.offer(id).await?.ok_or(EndOfferError::Unknown { id })?;
        if !tx.end_offer(id).await? {
            return Err(EndOfferError::AlreadyEnded { id, title: row.offer.title });
        }
        let partner = tx.partner(row.partner).await?.ok_or(ServiceError::Aborted)?;
        let ended = tx.offer(id).await?.ok_or(ServiceError::Aborted)?;
        tx.commit().await?;
        Ok(OfferLine::new(ended, &partner.name))
    }
}

impl OfferDraft {
    /// The offer, under an id that stands for the one it gets.
    fn offer(self) -> Offer {
        let Self { kind, title, terms, min_star, from, to, weekdays, hours, limits, identity_check, max_status_age } =
            self;
        Offer {
            terms: terms.trim().to_owned(),
            min_star,
            valid_from: from.map(|day| seconds(midnight(day))),
            valid_to: to.map(|day| seconds(midnight(day.tomorrow().unwrap_or(Date::MAX)))),
            weekdays,
            hours,
            limits,
            identity_check,
            max_status_age,
            ..Offer::new("0", kind, title.trim())
        }
    }
}

impl OfferLine {
    pub(super) fn new(row: PartnerOffer, partner_name: &str) -> Self {
        let offer = row.offer;
        let day = |at: Option<u64>, back: i64| {
            at.and_then(|at| Timestamp::from_second(at as i64 - back).ok()).map(beijing_date)
        };
        Self {
            id: row.id.0,
            partner: row.partner.0,
            partner_name: partner_name.to_owned(),
            kind: kind_word(offer.kind),
            kind_label: kind_label(offer.kind),
            min_star: offer.min_star,
            from: day(offer.valid_from, 0),
            // Stored is the first second after the last day.
            to: day(offer.valid_to, 1),
            weekdays: offer.weekdays.bits(),
            weekdays_label: weekdays_label(offer.weekdays),
            hours: hours_text(&offer.hours),
            per_day: offer.limits.per_day,
            per_month: offer.limits.per_month,
            in_all: offer.limits.in_all,
            identity_check: offer.identity_check,
            max_status_age: offer.max_status_age,
            title: offer.title,
            terms: offer.terms,
            ended_at: row.ended_at.map(rfc3339),
        }
    }
}
