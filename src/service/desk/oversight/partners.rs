//! Partners at the console: the federation keeps agreements, offers and devices; 市文明办 reads; a partner sees its own.

use jiff::civil::Date;

use super::findings::FindingKind;
use super::statistics::{Counted, PartnerYear, partner_year};
use crate::clock::{beijing, beijing_date};
use crate::domain::offer::OfferId;
use crate::domain::partner::{DeviceId, DeviceName, PartnerId};
use crate::domain::person::bare;
use crate::domain::staff::{Permission, Scope};
use crate::service::desk::{Desk, DeskError, FieldError};
use crate::service::enrol::{EnrolLinkError, EnrolmentLink, RevokeDeviceError};
use crate::service::offers::{AddOfferError, EndOfferError, OfferDraft, OfferLine};
use crate::service::partners::{PartnerDetail, PartnerDraft, PartnerError, PartnerLine};
use crate::store::{AuditFilter, Finding, OfferMonth};

/// Partners of one page.
pub const PAGE: usize = 50;
/// An agreement ends soon when it does within so many days.
pub const SOON_DAYS: i32 = 30;

/// Which partners a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PartnerState {
    /// Those whose agreement holds or is to begin.
    #[default]
    Present,
    /// Of these, those whose agreement ends within 30 days.
    EndingSoon,
    /// Those whose agreement is over.
    Ended,
    /// All.
    All,
}

/// A page of partners.
#[derive(Debug, Clone)]
pub struct PartnerPage {
    /// The rows.
    pub lines: Vec<PartnerLine>,
    /// How many there are in all.
    pub count: usize,
    /// Behind which key the next page begins.
    pub next: Option<i64>,
}

/// A partner with its use.
#[derive(Debug, Clone)]
pub struct PartnerView {
    /// Agreement, offers, devices.
    pub detail: PartnerDetail,
    /// Uses in the year.
    pub year: PartnerYear,
    /// The year.
    pub of: i16,
    /// Uses by offer in the year.
    pub offers: Vec<OfferUse>,
    /// What is worth a look.
    pub findings: Vec<FindingLine>,
    /// When uses were counted.
    pub counted: Counted,
}

/// What was given of one offer in a year.
#[derive(Debug, Clone)]
pub struct OfferUse {
    /// Its id, as the partner sent it.
    pub offer: String,
    /// Its title; its id where the partner has no such offer.
    pub title: String,
    /// Uses.
    pub year: PartnerYear,
}

/// A finding in words.
#[derive(Debug, Clone)]
pub struct FindingLine {
    /// What it is.
    pub kind: FindingKind,
    /// Key of the partner.
    pub partner: i64,
    /// Name of the partner.
    pub partner_name: String,
    /// About what: an offer's title, a certificate number; empty for the partner as a whole.
    pub about: String,
    /// Day or month.
    pub when: String,
    /// How many, and how many would be usual.
    pub found: String,
}

impl PartnerState {
    /// Every choice.
    pub const ALL: [Self; 4] = [Self::Present, Self::EndingSoon, Self::Ended, Self::All];

    /// The word in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::EndingSoon => "soon",
            Self::Ended => "ended",
            Self::All => "all",
        }
    }

    /// Reads [`Self::as_str`]; anything else is those of the present.
    pub fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|state| state.as_str() == text).unwrap_or_default()
    }

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Present => "协议有效或未生效",
            Self::EndingSoon => "30 天内到期",
            Self::Ended => "已终止",
            Self::All => "全部",
        }
    }

    fn takes(self, line: &PartnerLine, today: Date) -> bool {
        let over = line.state == "ended";
        match self {
            Self::Present => !over,
            Self::EndingSoon => !over && days_left(line, today) <= SOON_DAYS,
            Self::Ended => over,
            Self::All => true,
        }
    }
}

/// Days until an agreement's last day.
pub fn days_left(line: &PartnerLine, today: Date) -> i32 {
    let last = line.ended_from.map_or(line.agreement_to, |day| day.min(line.agreement_to));
    (last - today).get_days()
}

impl Desk {
    /// Partners by state and a part of name, kind or agreement number; `after` is the key of the last one shown.
    ///
    /// # Errors
    /// The role may not see partners.
    pub async fn partners(&self, state: PartnerState, text: &str, after: i64) -> Result<PartnerPage, DeskError> {
        let mut lines = self.all_partners(state, text).await?;
        let count = lines.len();
        lines.retain(|line| line.id > after);
        let next = lines.get(PAGE - 1).filter(|_| lines.len() > PAGE).map(|line| line.id);
        lines.truncate(PAGE);
        Ok(PartnerPage { lines, count, next })
    }

    /// The same without pages, for files.
    ///
    /// # Errors
    /// As [`Self::partners`].
    pub async fn all_partners(&self, state: PartnerState, text: &str) -> Result<Vec<PartnerLine>, DeskError> {
        self.need(Permission::ViewPartners)?;
        let (text, today) = (text.trim(), beijing_date(self.office.now()));
        let mut lines = self.office.partners(true).await.map_err(partner_refused)?;
        lines.retain(|line| {
            let said = [Some(line.name.as_str()), line.kind.as_deref(), Some(line.agreement_number.as_str())];
            state.takes(line, today) && said.into_iter().flatten().any(|said| said.contains(text))
        });
        Ok(lines)
    }

    /// One partner with its use in a year (none: this year).
    ///
    /// # Errors
    /// The role may not see it; there is none.
    pub async fn partner(&self, id: i64, year: Option<i16>) -> Result<PartnerView, DeskError> {
        self.need(Permission::ViewPartners)?;
        self.partner_view(id, year).await
    }

    /// The partner whose account this is.
    ///
    /// # Errors
    /// It is no partner's account.
    pub async fn own_partner(&self, year: Option<i16>) -> Result<PartnerView, DeskError> {
        self.need(Permission::PartnerOwn)?;
        self.partner_view(self.own_partner_id()?, year).await
    }

    /// An offer of the partner whose account this is.
    ///
    /// # Errors
    /// Another partner's offer is not found.
    pub async fn own_offer(&self, id: i64) -> Result<OfferLine, DeskError> {
        self.need(Permission::PartnerOwn)?;
        self.offer_of(self.own_partner_id()?, id).await
    }

    /// An offer of a partner.
    ///
    /// # Errors
    /// Another partner's offer is not found.
    pub async fn offer(&self, partner: i64, id: i64) -> Result<OfferLine, DeskError> {
        self.need(Permission::ViewPartners)?;
        self.offer_of(partner, id).await
    }

    /// Adds a partner with its agreement.
    ///
    /// # Errors
    /// [`DeskError::Invalid`] for fields that are none.
    pub async fn add_partner(&self, draft: PartnerDraft) -> Result<PartnerLine, DeskError> {
        self.need(Permission::Partners)?;
        self.office.add_partner(draft).await.map_err(partner_refused)
    }

    /// Puts a newer agreement in the place of a partner's. `seen` is the last day that the form showed.
    ///
    /// # Errors
    /// [`DeskError::Conflict`] if somebody renewed or ended it meanwhile, [`DeskError::Invalid`].
    pub async fn renew_partner(&self, id: i64, number: &str, to: Date, seen: &str) -> Result<PartnerLine, DeskError> {
        self.need(Permission::Partners)?;
        self.unchanged(id, seen).await?;
        self.office.renew_partner(PartnerId(id), number, to).await.map_err(partner_refused)
    }

    /// Ends an agreement from a day on (none: at once). `seen` is the last day that the form showed.
    ///
    /// # Errors
    /// As [`Self::renew_partner`].
    pub async fn end_partner(
        &self,
        id: i64,
        on: Option<Date>,
        reason: &str,
        seen: &str,
    ) -> Result<PartnerLine, DeskError> {
        self.need(Permission::Partners)?;
        self.unchanged(id, seen).await?;
        self.office.end_partner(PartnerId(id), on, reason).await.map_err(partner_refused)
    }

    /// Adds an offer.
    ///
    /// # Errors
    /// [`DeskError::Invalid`] for fields that are none.
    pub async fn add_offer(&self, partner: i64, draft: OfferDraft) -> Result<OfferLine, DeskError> {
        self.need(Permission::Partners)?;
        self.office.add_offer(PartnerId(partner), draft).await.map_err(offer_refused)
    }

    /// Ends an offer of a partner.
    ///
    /// # Errors
    /// There is none; it was ended before.
    pub async fn end_offer(&self, partner: i64, id: i64) -> Result<OfferLine, DeskError> {
        self.need(Permission::Partners)?;
        self.offer_of(partner, id).await?;
        self.office.end_offer(OfferId(id)).await.map_err(|error| match error {
            EndOfferError::Unknown { .. } => DeskError::NotFound,
            EndOfferError::AlreadyEnded { title, .. } => {
                DeskError::Refused(format!("优惠项目“{title}”此前已经终止，没有再改动"))
            }
            EndOfferError::Service(error) => error.into(),
        })
    }

    /// Makes an enrolment link, good once and for so many days. It cannot be shown again.
    ///
    /// # Errors
    /// [`DeskError::Invalid`], [`DeskError::Refused`] if the agreement is over or the server's address is not configured.
    pub async fn enrolment_link(&self, partner: i64, device: &str, days: u32) -> Result<EnrolmentLink, DeskError> {
        self.need(Permission::Partners)?;
        let device = device.trim();
        let device = (!device.is_empty())
            .then(|| device.parse::<DeviceName>())
            .transpose()
            .map_err(|error| invalid("device", error.to_string()))?;
        let made = self.office.enrolment_link(PartnerId(partner), device.as_ref(), None, days).await;
        made.map_err(|error| match error {
            EnrolLinkError::UnknownPartner { .. } => DeskError::NotFound,
            EnrolLinkError::ValidDays => invalid("days", "有效天数须在 1 到 90 之间"),
            EnrolLinkError::AgreementEnded { name } => {
                DeskError::Refused(format!("“{name}”的协议已终止，不能再登记设备。续签后再生成链接"))
            }
            EnrolLinkError::NoServer | EnrolLinkError::ServerUrl => DeskError::Refused(
                "服务器的公开网址（public_url）没有配置好，生成的链接打不开。请联系系统管理员在 zyz.toml 中设置".into(),
            ),
            EnrolLinkError::Service(error) => error.into(),
        })
    }

    /// Revokes a device of a partner.
    ///
    /// # Errors
    /// Another partner's device is not found.
    pub async fn revoke_partner_device(&self, partner: i64, device: i64) -> Result<(), DeskError> {
        self.need(Permission::Partners)?;
        let known = self.office.devices(PartnerId(partner)).await.map_err(partner_refused)?;
        known.iter().find(|known| known.id == device).ok_or(DeskError::NotFound)?;
        self.office.revoke_device(DeviceId(device)).await.map(drop).map_err(|error| match error {
            RevokeDeviceError::Unknown { .. } => DeskError::NotFound,
            RevokeDeviceError::Service(error) => error.into(),
        })
    }

    /// What is worth a look in the use of offers, at every partner; only those of which the partner's name, the offer or
    /// the certificate number holds `search`.
    ///
    /// # Errors
    /// The role may not see partners.
    pub async fn unusual(&self, search: &str) -> Result<(Vec<FindingLine>, Counted), DeskError> {
        self.need(Permission::ViewPartners)?;
        let found = self.office.store.read().await?.findings(None).await?;
        let words = search.trim();
        let mut lines = self.in_words(found).await?;
        lines.retain(|line| {
            let number = bare(&line.about);
            line.partner_name.contains(words) || line.about.contains(words) || number.contains(bare(words).as_ref())
        });
        Ok((lines, self.counted().await?))
    }

    async fn in_words(&self, found: Vec<Finding>) -> Result<Vec<FindingLine>, DeskError> {
        let mut reader = self.office.store.read().await?;
        let partners = reader.partners().await?;
        let offers = reader.offers(None, true).await?;
        let lines = found.into_iter().filter_map(|row| {
            let kind = FindingKind::parse(&row.kind)?;
            let offer = offers.iter().find(|offer| offer.offer.id == row.offer && offer.partner == row.partner);
            let number = zyz_credential::CertificateNumber::parse(&row.number);
            let about = match (offer, number) {
                (Some(offer), _) => offer.offer.title.clone(),
                (None, Ok(number)) => number.grouped(),
                (None, Err(_)) => row.offer,
            };
            let found = match kind {
                FindingKind::FarAboveUsual => format!("近 30 天 {} 次，平时约 {} 次", row.found, row.usual),
                FindingKind::Crowded => format!("一小时内 {} 次", row.found),
                _ => format!("{} 次", row.found),
            };
            Some(FindingLine {
                kind,
                partner: row.partner.0,
                partner_name: partners.iter().find(|known| known.id == row.partner)?.name.clone(),
                about,
                when: row.day,
                found,
            })
        });
        Ok(lines.collect())
    }

    fn own_partner_id(&self) -> Result<i64, DeskError> {
        match self.staff.scope {
            Scope::Partner(id) => Ok(id),
            Scope::All | Scope::County(_) | Scope::Unit { .. } => Err(DeskError::NotFound),
        }
    }

    async fn offer_of(&self, partner: i64, id: i64) -> Result<OfferLine, DeskError> {
        let offers = self.office.offers(Some(PartnerId(partner)), true).await?;
        offers.into_iter().find(|offer| offer.id == id).ok_or(DeskError::NotFound)
    }

    async fn partner_view(&self, id: i64, year: Option<i16>) -> Result<PartnerView, DeskError> {
        self.reach_partner(id)?;
        let detail = self.office.partner(PartnerId(id)).await.map_err(partner_refused)?;
        let today = beijing_date(self.office.now());
        let of = year.filter(|year| (2000..=today.year()).contains(year)).unwrap_or(today.year());
        let mut reader = self.office.store.read().await?;
        let rows = reader.offer_months(Some(PartnerId(id)), &format!("{of}-01"), &format!("{of}-12")).await?;
        let findings = reader.findings(Some(PartnerId(id))).await?;
        drop(reader);
        let name = detail.partner.name.clone();
        let year = partner_year(PartnerId(id), name, rows.iter());
        let offers = offer_uses(&detail, &rows);
        let findings = self.in_words(findings).await?;
        Ok(PartnerView { detail, year, of, offers, findings, counted: self.counted().await? })
    }

    /// Refuses if the agreement's last day is no longer the one that the form showed.
    async fn unchanged(&self, id: i64, seen: &str) -> Result<(), DeskError> {
        let now = self.office.partner(PartnerId(id)).await.map_err(partner_refused)?.partner;
        let last = now.ended_from.unwrap_or(now.agreement_to);
        if seen == last.to_string() {
            return Ok(());
        }
        let filter = AuditFilter {
            objects: Some(vec![format!("partner/{id}")]),
            actions: vec!["partner.renew".into(), "partner.end".into()],
            ..AuditFilter::default()
        };
        let last = self.office.store.read().await?.search_audit(&filter, None, 1).await?.pop();
        let (who, when) = last.map_or(("其他人".into(), String::new()), |event| {
            (event.actor, beijing().to_datetime(event.at).strftime("%Y-%m-%d %H:%M").to_string())
        });
        Err(DeskError::Conflict { who, when })
    }
}

fn offer_uses(detail: &PartnerDetail, rows: &[OfferMonth]) -> Vec<OfferUse> {
    let mut ids: Vec<&str> = rows.iter().map(|row| row.offer.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut uses: Vec<OfferUse> = ids
        .into_iter()
        .map(|id| {
            let known = detail.offer_list.iter().find(|offer| offer.id.to_string() == id);
            let title = known.map_or_else(|| format!("（编号 {id}，查无此项目）"), |offer| offer.title.clone());
            let of = rows.iter().filter(|row| row.offer == id);
            OfferUse { offer: id.into(), year: partner_year(PartnerId(detail.partner.id), title.clone(), of), title }
        })
        .collect();
    uses.sort_by_key(|used| std::cmp::Reverse(used.year.uses));
    uses
}

fn invalid(field: &'static str, message: impl Into<String>) -> DeskError {
    DeskError::Invalid(vec![FieldError { field, message: message.into() }])
}

/// Refusals of agreements at the fields of their forms, in words for a page.
fn partner_refused(error: PartnerError) -> DeskError {
    match error {
        PartnerError::Name => invalid("name", error.to_string()),
        PartnerError::Kind => invalid("kind", error.to_string()),
        PartnerError::Contact => invalid("contact", error.to_string()),
        PartnerError::AgreementNumber => invalid("number", error.to_string()),
        PartnerError::AgreementDates { .. } | PartnerError::AgreementOver { .. } | PartnerError::NotLonger { .. } => {
            invalid("to", error.to_string())
        }
        PartnerError::AgreementTaken { number, name, .. } => invalid(
            "number",
            format!("协议编号 {number} 已登记给“{name}”。若是同一单位续签，请到该单位的页面办理“续签”"),
        ),
        PartnerError::Unknown { .. } => DeskError::NotFound,
        PartnerError::AlreadyEnded { name, on } => {
            DeskError::Refused(format!("“{name}”的协议已于 {on} 终止。需要再次合作时请登记新的协议"))
        }
        PartnerError::EndInThePast { .. } | PartnerError::EndAfterAgreement { .. } => invalid("on", error.to_string()),
        PartnerError::Reason => invalid("reason", error.to_string()),
        PartnerError::Period { .. } => invalid("to", "截止日期早于开始日期，请核对"),
        PartnerError::Service(error) => error.into(),
    }
}

/// Refusals of offers at the fields of their form.
fn offer_refused(error: AddOfferError) -> DeskError {
    use zyz_credential::OfferError;
    match error {
        AddOfferError::UnknownPartner { .. } => DeskError::NotFound,
        AddOfferError::AgreementEnded { .. } => DeskError::Refused(error.to_string()),
        AddOfferError::TooMany { name } => DeskError::Refused(format!(
            "“{name}”的优惠项目已达上限，再加就放不进发给设备的数据包了。请先终止不用的项目"
        )),
        AddOfferError::OutsideAgreement { .. } => invalid("to", error.to_string()),
        AddOfferError::Offer(wrong) => {
            let field = match wrong {
                OfferError::Title => "title",
                OfferError::Terms => "terms",
                OfferError::StarRange(_) => "min_star",
                OfferError::Validity => "to",
                OfferError::Weekdays => "weekday",
                OfferError::Hours => "hours",
                OfferError::Limits => "per_day",
                _ => "title",
            };
            invalid(field, AddOfferError::Offer(wrong).to_string())
        }
        AddOfferError::Service(error) => error.into(),
    }
}
