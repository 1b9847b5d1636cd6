//! Leaving (附件4 一（五）: 有退出普洱市志愿服务组织的自由): what it does, doing it, and the receipt.

use jiff::Timestamp;
use serde_json::Value;
use zyz_credential::CertificateNumber;

use super::correct::keep;
use super::{Desk, DeskError, FieldError, grouped, hours, reason};
use crate::clock::{beijing, beijing_date};
use crate::domain::certificate::{CertificateState, Reason, VolunteerState};
use crate::domain::correction::Fact;
use crate::domain::division::County;
use crate::domain::person::bare;
use crate::domain::staff::Permission;
use crate::render::paper::{Cell, Paper, Style, Table};
use crate::render::{Fonts, RenderError};
use crate::service::ServiceError;

/// Events read to find the one of leaving.
const EVENTS: u32 = 500;

/// What the page of leaving says.
#[derive(Debug, Clone)]
pub struct ExitPage {
    /// Certificate number.
    pub number: String,
    /// The same in groups.
    pub grouped: String,
    /// Name: to be typed before anything happens.
    pub name: String,
    /// Unit.
    pub unit_name: String,
    /// County in words.
    pub county: &'static str,
    /// Birth date, to tell namesakes apart.
    pub birth_date: String,
    /// What happens to the card.
    pub card: String,
    /// What will be erased.
    pub erased: Vec<&'static str>,
    /// What is kept.
    pub kept: Vec<String>,
}

/// What the form of leaving sends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Farewell {
    /// The volunteer's name as typed.
    pub name: String,
    /// Whether they died; else they leave of their own will.
    pub deceased: bool,
    /// Why, or on what paper.
    pub reason: String,
}

impl Desk {
    /// What leaving would do.
    ///
    /// # Errors
    /// [`DeskError::Forbidden`], [`DeskError::NotFound`]; [`DeskError::Refused`] for somebody who has left.
    pub async fn exit_page(&self, number: CertificateNumber) -> Result<ExitPage, DeskError> {
        self.need(Permission::Exit)?;
        let mut reader = self.office().store.read().await?;
        let person = self.within_reach(&mut reader, number).await?;
        may_leave(&person)?;
        let private = reader.personal_data(person.id).await?.ok_or(DeskError::NotFound)?;
        let erased = [
            (Fact::Phone, private.phone.is_some()),
            (Fact::Email, private.email.is_some()),
            (Fact::Address, private.address.is_some()),
            (Fact::UserName, person.user_name.is_some()),
        ];
        let beside =
            [("photo", reader.photo(person.id).await?.is_some()), ("form", reader.form_contact(person.id).await?)];
        let today = beijing_date(self.office().now());
        let (_, lifetime) = reader.service_minutes(person.id, jiff::civil::Date::MIN, today).await?;
        let live = reader.certificate(number.as_str()).await?.is_some_and(|card| card.state.is_live());
        let card = match live {
            true => format!("现有的志愿服务证立即注销，不能恢复。{}", self.partners_will(CertificateState::Revoked)),
            false => "没有可用的志愿服务证，无需注销。".to_owned(),
        };
        Ok(ExitPage {
            grouped: grouped(&person.number),
            county: County::from_code(person.county).map_or("", |county| county.name()),
            birth_date: person.birth_date.to_string(),
            card,
            erased: (erased.into_iter().filter(|(_, there)| *there).map(|(fact, _)| fact.label()))
                .chain(beside.into_iter().filter(|(_, there)| *there).filter_map(|(word, _)| erased_label(word)))
                .collect(),
            kept: kept(lifetime),
            number: person.number,
            name: person.name,
            unit_name: person.unit_name,
        })
    }

    /// Lets somebody leave: the card is revoked at once, contact data are erased, hours and the trail stay.
    ///
    /// # Errors
    /// As [`Self::exit_page`]; [`DeskError::Invalid`] unless their name was typed as it is, with a reason.
    pub async fn let_leave(&self, number: CertificateNumber, farewell: &Farewell) -> Result<String, DeskError> {
        self.need(Permission::Exit)?;
        let person = {
            let mut reader = self.office().store.read().await?;
            self.within_reach(&mut reader, number).await?
        };
        may_leave(&person)?;
        let mut wrong = Vec::new();
        if bare(&farewell.name) != person.name {
            let message = format!("与要退出的人不符：这里办理的是 {}。请核对是不是此人", person.name);
            wrong.push(FieldError { field: "name", message });
        }
        let why = keep(&mut wrong, reason(&farewell.reason));
        if !wrong.is_empty() {
            return Err(DeskError::Invalid(wrong));
        }
        let cause = if farewell.deceased { Reason::Deceased } else { Reason::Exit };
        self.office().because(&why).revoke(number, cause).await?;
        Ok(format!(
            "{} {} 已办理退出，联系方式已删除。请打印退出凭证交本人。{}",
            person.name,
            number.grouped(),
            self.partners_will(CertificateState::Revoked)
        ))
    }

    /// The receipt of leaving as PDF: when, what was erased and kept, the right to return.
    ///
    /// # Errors
    /// [`DeskError::Forbidden`], [`DeskError::NotFound`]; [`DeskError::Refused`] for somebody who has not left, or whose name
    /// no font can write.
    pub async fn exit_receipt(&self, number: CertificateNumber) -> Result<Vec<u8>, DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut reader = self.office().store.read().await?;
        let person = self.within_reach(&mut reader, number).await?;
        let events = reader.audit_events(Some(&format!("volunteer/{number}")), 0, EVENTS).await?;
        let left = events.iter().rev().find(|event| event.action == "volunteer.exit");
        let (VolunteerState::Exited, Some(left)) = (person.state, left) else {
            return Err(DeskError::Refused("此人没有办理过退出，没有退出凭证".into()));
        };
        let detail: Value = serde_json::from_str(&left.detail).unwrap_or_default();
        let names = detail["erased"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let erased: Vec<&str> = names.filter_map(erased_label).collect();
        let by = reader.staff_by_login(&left.actor).await?.map_or(left.actor.clone(), |account| account.staff.name);
        let today = beijing_date(self.office().now());
        let (_, lifetime) = reader.service_minutes(person.id, jiff::civil::Date::MIN, today).await?;
        let cards = reader.certificate_history(number.as_str()).await?;
        let card = match cards.first() {
            None => "没有发过志愿服务证".to_owned(),
            Some(card) => format!("志愿服务证 {} 已注销，不能再用", grouped(&card.issued.number)),
        };
        let receipt = Receipt {
            issuer: self.office().config().card.issuer.clone(),
            serial: format!("退〔{}〕{}号", beijing_date(left.at).year(), left.seq),
            rows: vec![
                ("姓名", person.name.clone()),
                ("证书编号", grouped(&person.number)),
                ("单位", person.unit_name.clone()),
                ("退出时间", moment(left.at)),
                ("办理人", by),
                ("志愿服务证", card),
                (
                    "已删除",
                    if erased.is_empty() {
                        "没有登记联系方式，无可删除".to_owned()
                    } else {
                        erased.join("、")
                    },
                ),
                ("保留", kept(lifetime).join("\n")),
            ],
            made: self.office().now(),
        };
        let extra = self.office().config().fonts.extra.clone();
        let fonts = Fonts::load(&extra).map_err(|error| DeskError::Refused(format!("字体无法读取：{error}")))?;
        receipt.pdf(fonts).map_err(|error| DeskError::Service(ServiceError::Render(error)))
    }
}

struct Receipt {
    issuer: String,
    serial: String,
    rows: Vec<(&'static str, String)>,
    made: Timestamp,
}

impl Receipt {
    fn pdf(&self, fonts: Fonts) -> Result<Vec<u8>, RenderError> {
        let mut paper = Paper::new("志愿者退出凭证", &self.issuer, self.made).with_fonts(fonts).unnumbered();
        if let Some((_, name)) = self.rows.first() {
            paper.about(name);
        }
        let quiet = Style { size: 9.0, quiet: true, ..Style::default() };
        paper.title("志愿者退出凭证")?;
        paper.line(&["", &format!("凭证编号：{}", self.serial)], 9.0)?;
        let mut table = Table::new(&[1.0, 4.0]).size(10.5);
        for (label, value) in &self.rows {
            table.row([Cell::new(*label).bold(), Cell::new(value)]);
        }
        paper.table(&table)?;
        paper.space(4.0);
        let running = Style { indent: 2.0, ..Style::default() };
        paper.paragraph(
            "志愿者有退出普洱市志愿服务组织的自由（《普洱市志愿者管理制度》一（五））。自退出之时起，志愿服务证注销，合作单位凭\
             该证不再给予优先、优惠或免费服务。联系方式已按《中华人民共和国个人信息保护法》删除；服务记录依《志愿服务条例》保存，\
             本人可以随时查询、要求更正，并可免费申请志愿服务记录证明。",
            running,
        )?;
        paper.paragraph("本人今后愿意时，可以随时申请重新加入，证书编号和服务记录沿用。", running)?;
        paper.space(14.0);
        paper.line(&["本人（签字）：", "经办单位（盖章）：", ""], 10.5)?;
        paper.space(8.0);
        paper.line(&["", "", "年      月      日"], 10.5)?;
        paper.space(4.0);
        paper.rule();
        let made = format!("{} 打印于 {}。本凭证不含身份证号码和联系方式。", self.issuer, moment(self.made));
        paper.paragraph(&made, quiet)?;
        paper.finish()
    }
}

fn may_leave(person: &crate::store::Volunteer) -> Result<(), DeskError> {
    if person.merged_into.is_some() {
        return Err(DeskError::Refused("这条登记已并入另一条，请到合并后的那条登记上办理".into()));
    }
    match person.state {
        VolunteerState::Active => Ok(()),
        VolunteerState::Exited => {
            Err(DeskError::Refused("此人此前已办理退出，不必重复办理。可以再次打印退出凭证".into()))
        }
    }
}

/// What is erased, by its word in the event of leaving.
pub(super) fn erased_label(word: &str) -> Option<&'static str> {
    match word {
        "photo" => Some("照片"),
        "form" => Some("注册登记表中的联系方式（含监护人电话）"),
        fact => Fact::parse(fact).map(Fact::label),
    }
}

fn kept(minutes: u64) -> Vec<String> {
    vec![
        "姓名、证书编号、身份证号码（加密保存，只用于识别重复登记和重新加入）".to_owned(),
        format!("服务记录，共 {} 小时，及已认定的星级", hours(minutes)),
        "办理记录（审计）".to_owned(),
        "尚在办理的名册草稿、上传的时长表和制证文件中如有此人，不单独删除，分别在 30 天、7 天和 14 天内到期全部删除"
            .to_owned(),
    ]
}

fn moment(at: Timestamp) -> String {
    beijing().to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
}
