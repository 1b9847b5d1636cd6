//! Correcting a volunteer's data. What it was is kept; two who correct at once do not overwrite each other.

use jiff::civil::Date;
use zeroize::Zeroizing;
use zyz_credential::CertificateNumber;

use super::history::last_change;
use super::person::masked;
use super::{Desk, DeskError, FieldError, grouped, reason};
use crate::clock::beijing_date;
use crate::domain::certificate::VolunteerState;
use crate::domain::codes::{Ethnicity, Political};
use crate::domain::correction::Fact;
use crate::domain::division::County;
use crate::domain::identity::IdentityNumber;
use crate::domain::person::{PersonName, Phone, Sex, is_blank};
use crate::domain::staff::{Permission, Scope};
use crate::service::ServiceError;
use crate::store::{self, Change, CorrectOutcome, Reader, UnitId, Volunteer};

/// The form as it is filled in at first, and what stands beside it.
#[derive(Debug, Clone)]
pub struct CorrectionForm {
    /// Certificate number in groups.
    pub grouped: String,
    /// Name now.
    pub name: String,
    /// What the fields hold now; those of sealed data are empty.
    pub input: CorrectionInput,
    /// Sealed data now, masked: phone, e-mail, address.
    pub masked: [String; 3],
    /// Whether whoever asks may move people to another unit.
    pub may_move: bool,
}

/// What the form sends.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CorrectionInput {
    /// Revision that the form showed.
    pub revision: i64,
    /// 姓名
    pub name: String,
    /// 性别, a code of GB/T 2261.1.
    pub sex: String,
    /// 民族, a code of GB/T 3304.
    pub ethnicity: String,
    /// 出生日期, ISO 8601.
    pub birth_date: String,
    /// 政治面貌, a code of GB/T 4762; empty for unknown.
    pub political: String,
    /// 联系电话; empty keeps it.
    pub phone: String,
    /// 电子邮箱; empty keeps it.
    pub email: String,
    /// 通讯地址; empty keeps it.
    pub address: String,
    /// Which of phone, email, address are to be erased.
    pub erase: Vec<String>,
    /// 用户名
    pub user_name: String,
    /// Number in the national system.
    pub national_number: String,
    /// Name of the unit.
    pub unit_name: String,
    /// County of the unit, two digits.
    pub county: String,
    /// Why.
    pub reason: String,
}

/// What a correction came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corrected {
    /// What changed, in words; empty if nothing did.
    pub changed: Vec<&'static str>,
    /// Whether the card shows something else now and should be replaced.
    pub replace_card: bool,
}

/// A correction that was not made, with what the form then shows.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub error: DeskError,
    /// What is stored now, for somebody who came second.
    pub now: Option<CorrectionForm>,
}

impl From<DeskError> for Refused {
    fn from(error: DeskError) -> Self {
        Self { error, now: None }
    }
}

impl From<ServiceError> for Refused {
    fn from(error: ServiceError) -> Self {
        Self { error: error.into(), now: None }
    }
}

impl From<store::StoreError> for Refused {
    fn from(error: store::StoreError) -> Self {
        Self { error: error.into(), now: None }
    }
}

impl Desk {
    /// The form for one volunteer.
    ///
    /// # Errors
    /// [`DeskError::Forbidden`], [`DeskError::NotFound`]; [`DeskError::Refused`] for somebody who has left.
    pub async fn correction_form(&self, number: CertificateNumber) -> Result<CorrectionForm, DeskError> {
        self.need(Permission::EditPeople)?;
        let mut reader = self.office().store.read().await?;
        let person = self.within_reach(&mut reader, number).await?;
        must_be_active(&person)?;
        self.form_of(&mut reader, &person).await
    }

    /// Corrects what differs from what is stored.
    ///
    /// # Errors
    /// [`DeskError::Forbidden`], [`DeskError::NotFound`], [`DeskError::Refused`] for somebody who has left,
    /// [`DeskError::Invalid`], and [`DeskError::Conflict`] with what is stored now.
    pub async fn correct(&self, number: CertificateNumber, input: &CorrectionInput) -> Result<Corrected, Refused> {
        self.need(Permission::EditPeople)?;
        let mut tx = self.office().begin().await?;
        let person = self.within_reach(&mut tx, number).await?;
        must_be_active(&person)?;
        if person.revision != input.revision {
            let (who, when) = last_change(&mut tx, &person).await?;
            let now = self.form_of(&mut tx, &person).await?;
            return Err(Refused { error: DeskError::Conflict { who, when }, now: Some(now) });
        }
        let private = tx.personal_data(person.id).await?.ok_or(DeskError::NotFound)?;
        let identity = IdentityNumber::parse(&private.identity).ok();
        let today = beijing_date(self.office().now());
        let mut wrong = Vec::new();
        let why = keep(&mut wrong, reason(&input.reason));
        let mut corrected = checked(&person, input, identity, today, &mut wrong);
        corrected.unit = match self.unit_meant(&mut tx, &person, input).await {
            Ok(unit) => unit,
            Err(DeskError::Invalid(fields)) => {
                wrong.extend(fields);
                person.unit
            }
            Err(error) => return Err(error.into()),
        };
        if !wrong.is_empty() {
            return Err(DeskError::Invalid(wrong).into());
        }
        let outcome = tx.correct_volunteer(person.id, input.revision, &corrected, &why).await?;
        let CorrectOutcome::Done(facts) = outcome else {
            let (who, when) = last_change(&mut tx, &person).await?;
            return Err(DeskError::Conflict { who, when }.into());
        };
        let live = tx.certificate(number.as_str()).await?.is_some_and(|card| card.state.is_live());
        tx.commit().await?;
        Ok(Corrected {
            replace_card: live && facts.iter().any(|fact| fact.is_on_card()),
            changed: facts.into_iter().map(Fact::label).collect(),
        })
    }

    async fn form_of(&self, reader: &mut Reader, person: &Volunteer) -> Result<CorrectionForm, DeskError> {
        let private = reader.personal_data(person.id).await?.ok_or(DeskError::NotFound)?;
        let shown = |fact, value: &Option<Zeroizing<String>>| match value {
            Some(text) => masked(fact, text),
            None => String::new(),
        };
        Ok(CorrectionForm {
            grouped: grouped(&person.number),
            name: person.name.clone(),
            masked: [
                shown(Fact::Phone, &private.phone),
                shown(Fact::Email, &private.email),
                shown(Fact::Address, &private.address),
            ],
            may_move: !matches!(self.staff().scope, Scope::Unit { .. }),
            input: CorrectionInput {
                revision: person.revision,
                name: person.name.clone(),
                sex: person.sex.to_string(),
                ethnicity: person.ethnicity.to_string(),
                birth_date: person.birth_date.to_string(),
                political: person.political.map(|code| code.to_string()).unwrap_or_default(),
                user_name: person.user_name.clone().unwrap_or_default(),
                national_number: person.national_number.clone().unwrap_or_default(),
                unit_name: person.unit_name.clone(),
                county: format!("{:02}", person.county),
                ..CorrectionInput::default()
            },
        })
    }

    /// The unit that the form names. Units move nobody; a county moves people within itself.
    async fn unit_meant(
        &self,
        reader: &mut Reader,
        person: &Volunteer,
        input: &CorrectionInput,
    ) -> Result<UnitId, DeskError> {
        let name = input.unit_name.trim();
        let wrong =
            |message: &str| DeskError::Invalid(vec![FieldError { field: "unit_name", message: message.into() }]);
        let county = County::parse(&input.county).map(|county| county.code()).unwrap_or(person.county);
        if matches!(self.staff().scope, Scope::Unit { .. }) || (name == person.unit_name && county == person.county) {
            return Ok(person.unit);
        }
        let unit = reader.unit_in(county, name).await?;
        let unit = unit.ok_or_else(|| wrong("所选县（区）没有这个单位：请填写单位全称，并核对县（区）"))?;
        self.reach_unit(unit.county, unit.id).map_err(|_| wrong("不能转到其他县（区）的单位，请联系联合会办理"))?;
        Ok(unit.id)
    }
}

pub(super) fn must_be_active(person: &Volunteer) -> Result<(), DeskError> {
    if person.merged_into.is_some() {
        return Err(DeskError::Refused("这条登记已并入另一条，请到合并后的那条登记上办理".into()));
    }
    match person.state {
        VolunteerState::Active => Ok(()),
        VolunteerState::Exited => {
            Err(DeskError::Refused("此人已退出，资料不能再更正。若重新加入，请先办理重新加入".into()))
        }
    }
}

fn checked(
    person: &Volunteer,
    input: &CorrectionInput,
    identity: Option<IdentityNumber>,
    today: Date,
    wrong: &mut Vec<FieldError>,
) -> store::Corrected {
    let mut corrected = store::Corrected::as_stored(person);
    let says = |field, message: &str| FieldError { field, message: message.to_owned() };
    match PersonName::parse(&input.name) {
        Ok(name) => corrected.name = name.into_string(),
        Err(error) => wrong.push(says("name", &error.to_string())),
    }
    match input.sex.parse().ok().and_then(Sex::from_code) {
        Some(sex) => corrected.sex = sex.code(),
        None => wrong.push(says("sex", "请选择性别")),
    }
    match input.ethnicity.parse().ok().and_then(Ethnicity::from_code) {
        Some(people) => corrected.ethnicity = people.code(),
        None => wrong.push(says("ethnicity", "请选择民族")),
    }
    match input.birth_date.trim().parse::<Date>() {
        Ok(born) if born > today => wrong.push(says("birth_date", "出生日期晚于今天")),
        Ok(born) if identity.is_some_and(|identity| identity.birth_date() != born) => {
            let message = "与身份证号码中的出生日期不一致。若身份证号码有误，请由联合会先更正身份证号码";
            wrong.push(says("birth_date", message));
        }
        Ok(born) => corrected.birth_date = born,
        Err(_) => wrong.push(says("birth_date", "请按 1990-05-17 的样式填写出生日期")),
    }
    corrected.political = match input.political.as_str() {
        "" => None,
        code => match code.parse().ok().and_then(Political::from_code) {
            Some(political) => Some(political.code()),
            None => {
                wrong.push(says("political", "请选择政治面貌"));
                None
            }
        },
    };
    let erased = |field: &str| input.erases(field);
    corrected.phone = match (input.phone.trim(), erased("phone")) {
        ("", true) => Change::Erase,
        ("", false) => Change::Keep,
        (text, _) => match Phone::parse(text) {
            Ok(phone) => Change::Set(Zeroizing::new(phone.as_str().to_owned())),
            Err(error) => {
                wrong.push(says("phone", &error.to_string()));
                Change::Keep
            }
        },
    };
    corrected.email = sealed_text(&input.email, erased("email"), |text| {
        let mut parts = text.split('@');
        let shape = matches!((parts.next(), parts.next(), parts.next()), (Some(user), Some(host), None)
            if !user.is_empty() && host.contains('.') && text.len() <= 100 && text.is_ascii());
        shape.then_some(()).ok_or_else(|| says("email", "邮箱应为 name@example.cn 的样式"))
    })
    .unwrap_or_else(|error| {
        wrong.push(error);
        Change::Keep
    });
    corrected.address = sealed_text(&input.address, erased("address"), |text| {
        (text.chars().count() <= 100).then_some(()).ok_or_else(|| says("address", "通讯地址最多 100 个字"))
    })
    .unwrap_or_else(|error| {
        wrong.push(error);
        Change::Keep
    });
    corrected.user_name = word(&input.user_name, "user_name", "用户名由字母和数字组成，最多 40 个字符", wrong);
    corrected.national_number =
        word(&input.national_number, "national_number", "全国系统编号由字母和数字组成，最多 40 个字符", wrong);
    corrected
}

fn sealed_text(text: &str, erase: bool, check: impl Fn(&str) -> Result<(), FieldError>) -> Result<Change, FieldError> {
    let text: String = text.trim().chars().filter(|&c| c == ' ' || !(c.is_control() || is_blank(c))).collect();
    match (text.is_empty(), erase) {
        (true, true) => Ok(Change::Erase),
        (true, false) => Ok(Change::Keep),
        (false, _) => check(&text).map(|()| Change::Set(Zeroizing::new(text))),
    }
}

/// A word of letters, digits and a few signs; none for empty.
fn word(text: &str, field: &'static str, message: &str, wrong: &mut Vec<FieldError>) -> Option<String> {
    let text = text.trim();
    let good = text.len() <= 40 && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.@".contains(c));
    if !good {
        wrong.push(FieldError { field, message: message.to_owned() });
        return None;
    }
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

pub(super) fn keep<T: Default>(wrong: &mut Vec<FieldError>, result: Result<T, FieldError>) -> T {
    result.unwrap_or_else(|error| {
        wrong.push(error);
        T::default()
    })
}

impl CorrectionInput {
    /// Whether this field is to be erased.
    pub fn erases(&self, field: &str) -> bool {
        self.erase.iter().any(|name| name == field)
    }
}

impl std::fmt::Debug for CorrectionInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CorrectionInput(revision {})", self.revision)
    }
}
