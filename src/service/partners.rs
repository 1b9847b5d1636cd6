//! Partners and their agreements; what was given where.

use jiff::civil::Date;
use serde::Serialize;

use super::offers::OfferLine;
use super::{Federation, ServiceError};
use crate::domain::partner::{AgreementState, PartnerId};

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
    #[error("协议编号 {number} 已登记给“{name}”（编号 {id}）。续签的协议请用新的协议编号登记")]
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
    pub device_list: Vec<super::enrol::DeviceLine>,
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
        let _ = draft;
        Err(ServiceError::Aborted.into())
    }

    /// All partners in the order of their ids; those whose agreement is over only with `ended`.
    ///
    /// # Errors
    /// The database fails.
    pub async fn partners(&self, ended: bool) -> Result<Vec<PartnerLine>, PartnerError> {
        let _ = ended;
        Err(ServiceError::Aborted.into())
    }

    /// One partner with its offers and devices.
    ///
    /// # Errors
    /// [`PartnerError::Unknown`].
    pub async fn partner(&self, id: PartnerId) -> Result<PartnerDetail, PartnerError> {
        Err(PartnerError::Unknown { id })
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
        let _ = (on, reason, AgreementState::Ended);
        Err(PartnerError::Unknown { id })
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
        let _ = (from, to);
        Err(PartnerError::Unknown { id })
    }
}
