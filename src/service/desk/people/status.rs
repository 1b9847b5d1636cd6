//! The standing of somebody's card: suspend, resume, lost, misuse; taking somebody back. Each step has a page that says what
//! will happen and to whom.

use zyz_credential::CertificateNumber;

use super::correct::keep;
use super::person::partners_see;
use super::{Desk, DeskError, FieldError, grouped, hours, reason};
use crate::clock::beijing_date;
use crate::domain::certificate::{CertificateState, Reason, VolunteerState};
use crate::domain::staff::Permission;
use crate::store::{Certificate, Volunteer};

/// A step in the life of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// 暂停使用
    Suspend,
    /// 恢复使用
    Resume,
    /// 证件遗失
    Lost,
    /// 违规注销
    Misuse,
    /// 重新加入
    Readmit,
}

/// What a step's page says.
#[derive(Debug, Clone)]
pub struct StepPage {
    /// What is done.
    pub title: &'static str,
    /// The button.
    pub button: &'static str,
    /// Whether it takes something away.
    pub danger: bool,
    /// Certificate number.
    pub number: String,
    /// The same in groups.
    pub grouped: String,
    /// Name.
    pub name: String,
    /// Unit.
    pub unit_name: String,
    /// The card now, in words; empty for none.
    pub card: String,
    /// What will happen.
    pub effects: Vec<String>,
    /// Whether a new card can be issued in the same step.
    pub may_replace: bool,
}

/// What a step's form sends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepInput {
    /// Why.
    pub reason: String,
    /// Whether a new card is issued at once (lost).
    pub replace: bool,
}

impl Step {
    /// Who may take it.
    pub fn permission(self) -> Permission {
        match self {
            Self::Suspend | Self::Resume | Self::Misuse => Permission::CardStatus,
            Self::Lost => Permission::ReportLost,
            Self::Readmit => Permission::Readmit,
        }
    }

    /// Last part of its address.
    pub fn path(self) -> &'static str {
        match self {
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Lost => "lost",
            Self::Misuse => "misuse",
            Self::Readmit => "readmit",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Suspend => "暂停志愿服务证",
            Self::Resume => "恢复志愿服务证",
            Self::Lost => "证件遗失",
            Self::Misuse => "因违规使用注销志愿服务证",
            Self::Readmit => "重新加入",
        }
    }

    fn button(self) -> &'static str {
        match self {
            Self::Suspend => "暂停使用",
            Self::Resume => "恢复使用",
            Self::Lost => "登记遗失",
            Self::Misuse => "注销该证",
            Self::Readmit => "确认重新加入",
        }
    }
}

impl Desk {
    /// What a step would do to this volunteer.
    ///
    /// # Errors
    /// [`DeskError::Forbidden`], [`DeskError::NotFound`]; [`DeskError::Refused`] where the step cannot be taken, with what
    /// can be done instead.
    pub async fn step_page(&self, number: CertificateNumber, step: Step) -> Result<StepPage, DeskError> {
        self.need(step.permission())?;
        let mut reader = self.office().store.read().await?;
        let person = self.within_reach(&mut reader, number).await?;
        let card = reader.certificate(number.as_str()).await?;
        self.allowed(step, &person, card.as_ref())?;
        let (_, lifetime) =
            reader.service_minutes(person.id, jiff::civil::Date::MIN, beijing_date(self.office().now())).await?;
        let may_replace = step == Step::Lost
            && self.may(Permission::CardStatus)
            && card.as_ref().is_some_and(|card| card.state == CertificateState::Valid);
        Ok(StepPage {
            title: step.title(),
            button: step.button(),
            danger: matches!(step, Step::Suspend | Step::Misuse | Step::Lost),
            grouped: grouped(&person.number),
            effects: self.effects(step, &person.name, lifetime),
            may_replace,
            card: card.as_ref().map(in_words).unwrap_or_default(),
            number: person.number,
            name: person.name,
            unit_name: person.unit_name,
        })
    }

    /// Takes a step and says what came of it, and what partners will see and when.
    ///
    /// # Errors
    /// As [`Self::step_page`]; [`DeskError::Invalid`] without a reason.
    pub async fn take_step(
        &self,
        number: CertificateNumber,
        step: Step,
        input: &StepInput,
    ) -> Result<String, DeskError> {
        self.need(step.permission())?;
        let (person, card) = {
            let mut reader = self.office().store.read().await?;
            let person = self.within_reach(&mut reader, number).await?;
            let card = reader.certificate(number.as_str()).await?;
            (person, card)
        };
        self.allowed(step, &person, card.as_ref())?;
        let mut wrong = Vec::new();
        let why = keep(&mut wrong, reason(&input.reason));
        let replace = step == Step::Lost && input.replace;
        if replace {
            self.need(Permission::CardStatus)?;
            if card.as_ref().is_some_and(|card| card.state == CertificateState::Suspended) {
                let message = "该证处于暂停，不能直接换发：请只登记遗失，之后在“制证”中签发新证".to_owned();
                wrong.push(FieldError { field: "replace", message });
            }
        }
        if !wrong.is_empty() {
            return Err(DeskError::Invalid(wrong));
        }
        let office = self.office().because(&why);
        let whom = format!("{} {}", person.name, number.grouped());
        Ok(match step {
            Step::Suspend => {
                office.suspend(number, Reason::Other).await?;
                format!("{whom} 的证已暂停。{}", self.partners_will(CertificateState::Suspended))
            }
            Step::Resume => {
                office.resume(number, Reason::Resumed).await?;
                format!("{whom} 的证已恢复使用。{}", self.partners_will(CertificateState::Valid))
            }
            Step::Misuse => {
                office.revoke(number, Reason::Misuse).await?;
                format!("{whom} 的证已注销。{}", self.partners_will(CertificateState::Revoked))
            }
            Step::Lost if replace => {
                office.replace(number, Reason::Lost).await?;
                format!(
                    "{whom} 的旧证已作废，新证已签发，请到“制证”打印。旧证：{}",
                    self.partners_will(CertificateState::Superseded)
                )
            }
            Step::Lost => {
                office.revoke(number, Reason::Lost).await?;
                format!(
                    "{whom} 的证已登记遗失并注销，补证由联合会在“制证”中签发，编号不变。{}",
                    self.partners_will(CertificateState::Revoked)
                )
            }
            Step::Readmit => {
                office.readmit(number).await?;
                format!("{whom} 已重新加入，编号和服务记录沿用。请补录联系方式，并在“制证”中签发新证。")
            }
        })
    }

    /// What partners will see, and when.
    pub(super) fn partners_will(&self, state: CertificateState) -> String {
        format!(
            "合作单位将看到“{}”：联网的在下次同步时（最迟 {} 分钟）生效，离线的待其同步后生效，屏幕上的“数据时间”可供核对。",
            partners_see(state, false),
            self.office().config().trust.refresh_minutes
        )
    }

    fn allowed(&self, step: Step, person: &Volunteer, card: Option<&Certificate>) -> Result<(), DeskError> {
        let refused = |text: &str| Err(DeskError::Refused(text.to_owned()));
        if person.merged_into.is_some() {
            return refused("这条登记已并入另一条，请到合并后的那条登记上办理");
        }
        if step == Step::Readmit {
            return match person.state {
                VolunteerState::Exited => Ok(()),
                VolunteerState::Active => refused("此人在册，没有退出，不需要重新加入"),
            };
        }
        if person.state == VolunteerState::Exited {
            return refused("此人已退出，证件在退出时已注销，没有可办理的证");
        }
        let Some(card) = card else {
            return refused("此人还没有志愿服务证。需要时请在“制证”中签发");
        };
        match (step, card.state) {
            (_, CertificateState::Revoked | CertificateState::Superseded) => {
                refused("该证已注销，不能再变动。需要时请在“制证”中签发新证")
            }
            (Step::Suspend, CertificateState::Suspended) => refused("该证已经处于暂停，没有改动"),
            (Step::Resume, CertificateState::Valid) => refused("该证现为有效，不需要恢复"),
            _ => Ok(()),
        }
    }

    fn effects(&self, step: Step, name: &str, lifetime: u64) -> Vec<String> {
        match step {
            Step::Suspend => vec![
                format!("{name} 的志愿服务证停止使用，查明情况后可以恢复，无需重新制证。"),
                self.partners_will(CertificateState::Suspended),
                "服务记录、星级和登记资料不受影响，仍可参加服务。".into(),
            ],
            Step::Resume => vec![
                format!("{name} 手中的志愿服务证恢复使用，不必重新打印。"),
                self.partners_will(CertificateState::Valid),
            ],
            Step::Lost => {
                let mut effects = vec![
                    format!("{name} 遗失的证立即作废，找回后也不能再用。"),
                    self.partners_will(CertificateState::Revoked),
                ];
                effects.push(if self.may(Permission::CardStatus) {
                    "补发的证编号不变、二维码不同。可以现在一并签发，也可以稍后在“制证”中签发。".into()
                } else {
                    "补证由联合会签发，编号不变、二维码不同；登记后会出现在联合会的待制证名单里。".into()
                });
                effects
            }
            Step::Misuse => vec![
                format!("{name} 的志愿服务证被永久注销，不能恢复。只是需要查明情况时，请改用“暂停使用”。"),
                self.partners_will(CertificateState::Revoked),
                "此人仍在册，服务记录和星级保留；以后是否再发证由联合会决定。".into(),
            ],
            Step::Readmit => vec![
                format!("{name} 恢复在册，沿用原证书编号，原有服务记录 {} 小时继续有效。", hours(lifetime)),
                "退出时删除的联系方式不能找回，请随后在“更正资料”中补录。".into(),
                "退出前的证不会恢复，请在“制证”中签发新证。".into(),
            ],
        }
    }
}

fn in_words(card: &Certificate) -> String {
    let until = beijing_date(card.issued.expires_at);
    format!("{}，签发于 {}，有效期至 {until}", card.state.label(), beijing_date(card.issued.issued_at))
}
