//! What partners give, and to whom.

use jiff::civil::Date;
use serde::Serialize;
use zyz_credential::{HourWindow, MAX_OFFERS, OfferError, OfferKind, OfferLimits, Weekdays};

use super::{Federation, ServiceError};
use crate::domain::offer::{OfferId, offer_error_label};
use crate::domain::partner::PartnerId;

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

/// Why an offer was not added or ended.
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
        let _ = draft;
        Err(AddOfferError::UnknownPartner { id: partner })
    }

    /// Offers in the order of their ids, of one partner if one is given; those that were ended only with `ended`.
    ///
    /// # Errors
    /// The database fails.
    pub async fn offers(&self, partner: Option<PartnerId>, ended: bool) -> Result<Vec<OfferLine>, ServiceError> {
        let _ = (partner, ended);
        Err(ServiceError::Aborted)
    }

    /// Ends an offer; the next bundle no longer carries it.
    ///
    /// # Errors
    /// [`EndOfferError`].
    pub async fn end_offer(&self, id: OfferId) -> Result<OfferLine, EndOfferError> {
        Err(EndOfferError::Unknown { id })
    }
}
