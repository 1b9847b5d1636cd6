//! What a form must say: each field's rule, with words for whoever fills it in.

use jiff::ToSpan;
use jiff::civil::Date;

use super::super::codes::{Ethnicity, Political};
use super::super::identity::{IdentityError, IdentityNumber, visible};
use super::super::person::{AGES, NameError, PersonName, Phone, PhoneError, Sex, age_on, bare, half_width, is_blank};
use super::{Application, ApplicationText, EDUCATION, FIELDS, Guardian, Nature, OF_AGE};

/// Something wrong in a field of [`ApplicationText`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// The field's name.
    pub field: &'static str,
    /// What is wrong.
    pub fault: Fault,
}

/// What can be wrong with a field. The words never repeat personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A field that must be filled in is empty.
    #[error("请填写{0}")]
    Missing(&'static str),
    /// Longer than the form has room for.
    #[error("最多 {most} 个字，此处为 {found} 个：请缩短")]
    TooLong {
        /// Characters found.
        found: usize,
        /// Characters allowed.
        most: usize,
    },
    /// More lines than the form has room for.
    #[error("最多 {most} 行，此处为 {found} 行：请合并")]
    TooManyLines {
        /// Lines found.
        found: usize,
        /// Lines allowed.
        most: usize,
    },
    /// A control character, or a line break where there is one line.
    #[error("含有控制字符 {}：请删除后重新录入", visible(*.0))]
    Control(char),
    /// A character that turns the direction of writing or shows nothing, with which a text can pretend to be another.
    #[error("含有不可见的排版字符 {}：请删除后重新录入", visible(*.0))]
    Invisible(char),
    /// A character of the private use area, which each machine draws as it likes.
    #[error("含有私用区字符 {}：请改用该字的标准编码（不要用造字）", visible(*.0))]
    PrivateUse(char),
    /// No name.
    #[error(transparent)]
    Name(NameError),
    /// No identity number.
    #[error(transparent)]
    Identity(IdentityError),
    /// No telephone number.
    #[error(transparent)]
    Phone(PhoneError),
    /// A landline where a mobile number is asked for.
    #[error("请填写 11 位手机号码；固定电话请填在“办公电话”")]
    NotMobile,
    /// Not one of the choices.
    #[error("不在可选范围内：请从列表中选择")]
    NoChoice,
    /// No date.
    #[error("日期无法识别：请写成 2026-09-01 这样的形式")]
    NotADate,
    /// A day that has not come.
    #[error("日期 {date} 在今天（{today}）之后")]
    Future {
        /// The day given.
        date: Date,
        /// Today.
        today: Date,
    },
    /// A day of application longer than a year ago: the age would not be today's.
    #[error("登记日期 {0} 距今已超过一年：请按现在的日期重新登记")]
    Stale(Date),
    /// The sex is not the identity number's.
    #[error("与身份证号不一致：按号码应为“{0}”，请核对证件")]
    SexDiffers(&'static str),
    /// The birth date is not the identity number's.
    #[error("与身份证号不一致：按号码应为 {0}，请核对证件")]
    BirthDiffers(Date),
    /// Younger than 14 on the day of application.
    #[error("登记当日 {age} 周岁，未满 14 周岁：满 14 周岁（{from}）后再登记")]
    TooYoung {
        /// Age in full years.
        age: i32,
        /// The day they turn 14.
        from: Date,
    },
    /// Older than 60 on the day of application.
    #[error("登记当日 {age} 周岁，已超过 60 周岁：不符合招募条件（14 至 60 周岁）")]
    TooOld {
        /// Age in full years.
        age: i32,
    },
    /// No service item is ticked.
    #[error("请至少选择一个志愿服务项目")]
    NoItem,
    /// No e-mail address.
    #[error("电子邮箱的格式不对：应如 name@example.cn")]
    Email,
    /// No postcode.
    #[error("邮编应为 6 位数字")]
    Postcode,
    /// No QQ number.
    #[error("QQ号应为 5 至 12 位数字")]
    Qq,
    /// No number of the national system.
    #[error("全国系统编号只能由字母、数字和连字符组成，最多 32 位")]
    NationalNumber,
    /// The consent is older than the applicant, or lies after the application.
    #[error("同意日期应在登记日期（{0}）当日或之前一年内")]
    ConsentDate(Date),
    /// The guardian is the applicant.
    #[error("监护人不能是本人")]
    OwnGuardian,
}

/// Characters a field takes at most; the résumé is what fits the form on one page.
const LONGEST: [(&str, usize); 13] = [
    ("name", 40),
    ("identity", 40),
    ("position", 30),
    ("school", 40),
    ("major", 30),
    ("workplace", 60),
    ("work_position", 30),
    ("address", 80),
    ("email", 80),
    ("resume", 400),
    ("guardian_relation", 10),
    ("mobile", 60),
    ("office_phone", 60),
];
const LONGEST_OTHER: usize = 40;
/// Lines of the résumé.
const LINES: usize = 16;

impl ApplicationText {
    /// What even a draft must keep to: lengths, and no character that hides or breaks something.
    ///
    /// # Errors
    /// The first fault of each field, in the form's order.
    pub fn check_draft(&self) -> Result<(), Vec<FieldFault>> {
        let mut faults = Vec::new();
        for (field, _) in FIELDS {
            let text = match field {
                "items" => self.items.join(""),
                other => self.field(other),
            };
            let listed = LONGEST.iter().find(|(name, _)| *name == field).map(|(_, most)| *most);
            let most = if field == "items" { 100 } else { listed.unwrap_or(LONGEST_OTHER) };
            if let Some(fault) = unfit(&text, most, field == "resume") {
                faults.push(FieldFault { field, fault });
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// A complete form.
    ///
    /// # Errors
    /// Everything that is wrong, at most one fault a field, in the form's order.
    pub fn check(&self, today: Date) -> Result<Application, Vec<FieldFault>> {
        let mut judge = Judge { faults: self.check_draft().err().unwrap_or_default() };
        let applied_on = judge.take("applied_on", self.applied(today));
        let name = judge.take("name", PersonName::parse(&self.name).map_err(Fault::Name));
        let political = judge.choice("political", "政治面貌", &self.political, Political::parse);
        let sex = judge.choice("sex", "性别", &self.sex, |text| {
            Sex::parse(text).filter(|sex| matches!(sex, Sex::Male | Sex::Female))
        });
        let birth = judge.take("birth_date", date("出生日期", &self.birth_date));
        let ethnicity = judge.choice("ethnicity", "民族", &self.ethnicity, Ethnicity::parse);
        let identity = judge.take("identity", IdentityNumber::parse(&self.identity).map_err(Fault::Identity));
        if let Some(identity) = identity {
            judge.against_number(&identity, sex, birth);
        }
        if !self.education.trim().is_empty() && !EDUCATION.contains(&self.education.trim()) {
            judge.fault("education", Fault::NoChoice);
        }
        if self.workplace.trim().is_empty() {
            judge.fault("workplace", Fault::Missing("工作（学习）单位"));
        }
        let nature = judge.choice("nature", "工作单位性质", &self.nature, Nature::parse);
        judge.optional("postcode", &self.postcode, |text| {
            let good = text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit());
            if good { Ok(text) } else { Err(Fault::Postcode) }
        });
        let email =
            judge.optional("email", &self.email, |text| if is_email(&text) { Ok(text) } else { Err(Fault::Email) });
        let mobile = judge.take(
            "mobile",
            match Phone::parse(&self.mobile) {
                Ok(phone) if phone.is_mobile() => Ok(phone),
                Ok(_) => Err(Fault::NotMobile),
                Err(error) => Err(Fault::Phone(error)),
            },
        );
        judge.optional("qq", &self.qq, |text| {
            let good = (5..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            if good { Ok(text) } else { Err(Fault::Qq) }
        });
        judge.optional("office_phone", &self.office_phone, |text| Phone::parse(&text).map_err(Fault::Phone));
        let items: Vec<_> = self.chosen().collect();
        if items.is_empty() {
            judge.fault("items", Fault::NoItem);
        }
        let national_number = judge.optional("national_number", &self.national_number, |text| {
            let number = text.to_ascii_uppercase();
            let good = number.len() <= 32 && number.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            if good { Ok(number) } else { Err(Fault::NationalNumber) }
        });
        let age = match (applied_on, identity) {
            (Some(applied_on), Some(identity)) => judge.age(&identity, applied_on),
            _ => None,
        };
        let guardian = match (age, applied_on) {
            (Some(age), Some(applied_on)) if age < OF_AGE => self.guardian(&mut judge, applied_on),
            _ => None,
        };
        let address = Some(self.address.trim().to_owned()).filter(|address| !address.is_empty());
        if judge.faults.is_empty()
            && let (Some(applied_on), Some(name), Some(sex), Some(birth_date)) = (applied_on, name, sex, birth)
            && let (Some(age), Some(ethnicity), Some(political)) = (age, ethnicity, political)
            && let (Some(identity), Some(nature), Some(mobile)) = (identity, nature, mobile)
        {
            return Ok(Application {
                applied_on,
                name,
                sex,
                birth_date,
                age,
                ethnicity,
                political,
                identity,
                nature,
                mobile,
                email,
                address,
                items,
                national_number,
                guardian,
            });
        }
        Err(judge.in_order())
    }

    fn applied(&self, today: Date) -> Result<Date, Fault> {
        let date = date("登记日期", &self.applied_on)?;
        if date > today {
            return Err(Fault::Future { date, today });
        }
        if date < today.saturating_sub(1.year()) { Err(Fault::Stale(date)) } else { Ok(date) }
    }

    fn guardian(&self, judge: &mut Judge, applied_on: Date) -> Option<Guardian> {
        let name = judge.take(
            "guardian_name",
            match PersonName::parse(&self.guardian_name) {
                Err(NameError::Missing) => Err(Fault::Missing("监护人姓名（未满 18 周岁须监护人同意）")),
                Ok(name) if PersonName::parse(&self.name).as_ref() == Ok(&name) => Err(Fault::OwnGuardian),
                other => other.map_err(Fault::Name),
            },
        );
        let relation = self.guardian_relation.trim().to_owned();
        if relation.is_empty() {
            judge.fault("guardian_relation", Fault::Missing("监护人与本人的关系"));
        }
        let phone = judge.take(
            "guardian_phone",
            match Phone::parse(&self.guardian_phone) {
                Err(PhoneError::Missing) => Err(Fault::Missing("监护人电话")),
                other => other.map_err(Fault::Phone),
            },
        );
        let consented = date("监护人同意日期", &self.guardian_consent).and_then(|date| {
            let good = date <= applied_on && date >= applied_on.saturating_sub(1.year());
            if good { Ok(date) } else { Err(Fault::ConsentDate(applied_on)) }
        });
        let consented_on = judge.take("guardian_consent", consented);
        Some(Guardian { name: name?, relation, phone: phone?, consented_on: consented_on? })
    }
}

/// Gathers faults, one a field.
struct Judge {
    faults: Vec<FieldFault>,
}

impl Judge {
    fn fault(&mut self, field: &'static str, fault: Fault) {
        if !self.faults.iter().any(|known| known.field == field) {
            self.faults.push(FieldFault { field, fault });
        }
    }

    fn take<T>(&mut self, field: &'static str, value: Result<T, Fault>) -> Option<T> {
        value.map_err(|fault| self.fault(field, fault)).ok()
    }

    fn choice<T>(
        &mut self,
        field: &'static str,
        label: &'static str,
        text: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let value = match text.trim() {
            "" => Err(Fault::Missing(label)),
            text => read(text).ok_or(Fault::NoChoice),
        };
        self.take(field, value)
    }

    /// A field that may be empty; blanks and full-width characters do not count.
    fn optional<T>(&mut self, field: &'static str, text: &str, read: impl Fn(String) -> Result<T, Fault>) -> Option<T> {
        match bare(text).into_owned() {
            text if text.is_empty() => None,
            text => self.take(field, read(text)),
        }
    }

    fn against_number(&mut self, identity: &IdentityNumber, sex: Option<Sex>, birth: Option<Date>) {
        if sex.is_some_and(|sex| sex != identity.sex()) {
            self.fault("sex", Fault::SexDiffers(identity.sex().name()));
        }
        if birth.is_some_and(|birth| birth != identity.birth_date()) {
            self.fault("birth_date", Fault::BirthDiffers(identity.birth_date()));
        }
    }

    fn age(&mut self, identity: &IdentityNumber, applied_on: Date) -> Option<i32> {
        let age = age_on(identity.birth_date(), applied_on);
        if age < *AGES.start() {
            let from = identity.birth_date().saturating_add(i64::from(*AGES.start()).years());
            self.fault("identity", Fault::TooYoung { age, from });
            return None;
        }
        if age > *AGES.end() {
            self.fault("identity", Fault::TooOld { age });
            return None;
        }
        Some(age)
    }

    fn in_order(mut self) -> Vec<FieldFault> {
        let place = |fault: &FieldFault| FIELDS.iter().position(|(name, _)| *name == fault.field);
        self.faults.sort_by_key(place);
        self.faults
    }
}

/// The first character that has no place in a field, or that there are too many.
fn unfit(text: &str, most: usize, lines: bool) -> Option<Fault> {
    let found = text.chars().count();
    if found > most {
        return Some(Fault::TooLong { found, most });
    }
    let found = text.trim().lines().count();
    if found > LINES {
        return Some(Fault::TooManyLines { found, most: LINES });
    }
    text.chars().find_map(|c| match c {
        '\n' | '\r' if lines => None,
        c if c.is_control() => Some(Fault::Control(c)),
        // Spaces people type are blank and visible; these are blank and not.
        c if is_blank(c) && !c.is_whitespace() => Some(Fault::Invisible(c)),
        '\u{2028}' | '\u{2029}' | '\u{2061}'..='\u{206F}' | '\u{061C}' | '\u{FFF9}'..='\u{FFFC}' => {
            Some(Fault::Invisible(c))
        }
        '\u{E0000}'..='\u{E0FFF}' => Some(Fault::Invisible(c)),
        '\u{E000}'..='\u{F8FF}' | '\u{F0000}'.. => Some(Fault::PrivateUse(c)),
        _ => None,
    })
}

/// Reads `2026-09-01`, `2026/9/1`, `2026.9.1`, `2026年9月1日` and `20260901`.
fn date(label: &'static str, text: &str) -> Result<Date, Fault> {
    let text: String = text.chars().map(half_width).filter(|c| !is_blank(*c)).collect();
    if text.is_empty() {
        return Err(Fault::Missing(label));
    }
    let parts: Vec<&str> = text.trim_end_matches('日').split(['-', '/', '.', '年', '月']).collect();
    let numbers = match parts[..] {
        [year, month, day] => (year.parse().ok(), month.parse().ok(), day.parse().ok()),
        [whole] if whole.len() == 8 && whole.is_ascii() => {
            (whole[..4].parse().ok(), whole[4..6].parse().ok(), whole[6..].parse().ok())
        }
        _ => (None, None, None),
    };
    let (Some(year), Some(month), Some(day)) = numbers else { return Err(Fault::NotADate) };
    Date::new(year, month, day).ok().filter(|date| date.year() >= 1900).ok_or(Fault::NotADate)
}

fn is_email(text: &str) -> bool {
    text.is_ascii()
        && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'"' | b',' | b';'))
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && domain.contains('.')
                && !domain.contains('@')
                && !domain.starts_with('.')
                && !domain.ends_with('.')
        })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const TODAY: Date = date(2026, 11, 23);

    fn complete() -> ApplicationText {
        ApplicationText {
            applied_on: "2026年11月20日".into(),
            name: "阿依•古丽".into(),
            political: "党员".into(),
            sex: "1".into(),
            birth_date: "１９９０.1.1".into(),
            ethnicity: "傣".into(),
            identity: " 530802199001010018 ".into(),
            workplace: "普洱市图书馆".into(),
            nature: "社会团体".into(),
            mobile: "+86 138 0000 0000".into(),
            items: vec!["32".into(), "1".into(), "1".into(), "77".into()],
            national_number: "5308-a1".into(),
            ..ApplicationText::default()
        }
    }

    #[test]
    fn what_people_write_is_read() {
        let form = complete().check(TODAY).unwrap();
        assert_eq!((form.applied_on, form.birth_date, form.age), (date(2026, 11, 20), date(1990, 1, 1), 36));
        assert_eq!((form.name.as_str(), form.political.name(), form.ethnicity.code()), ("阿依·古丽", "中共党员", 18));
        assert_eq!(form.mobile.as_str(), "13800000000");
        assert_eq!(form.items.iter().map(|item| item.code()).collect::<Vec<_>>(), [1, 32]);
        assert_eq!(form.national_number.as_deref(), Some("5308-A1"));
        assert!(form.guardian.is_none() && form.email.is_none());
    }

    #[test]
    fn an_empty_form_lacks_what_must_be_there_in_the_forms_order() {
        let faults = ApplicationText::default().check(TODAY).unwrap_err();
        let fields: Vec<_> = faults.iter().map(|fault| fault.field).collect();
        let must = ["applied_on", "name", "political", "sex", "birth_date", "ethnicity", "identity"];
        assert_eq!(fields[..must.len()], must);
        assert_eq!(fields[must.len()..], ["workplace", "nature", "mobile", "items"]);
        assert!(ApplicationText::default().check_draft().is_ok(), "a draft may be as incomplete as it likes");
    }

    #[test]
    fn dates_that_are_none() {
        for text in ["2026-02-30", "2026-13-01", "1890-01-01", "26-1-1", "2026-11", "99999999", "-1-1-1", "二〇二六"]
        {
            assert_eq!(super::date("日期", text), Err(Fault::NotADate), "{text}");
        }
        assert_eq!(super::date("日期", " "), Err(Fault::Missing("日期")));
    }

    #[test]
    fn no_characters_that_hide_something() {
        let fault = |text: &str| unfit(text, 20, false);
        assert_eq!(fault("普洱市\u{202e}"), Some(Fault::Invisible('\u{202e}')));
        assert_eq!(fault("\u{2069}"), Some(Fault::Invisible('\u{2069}')));
        assert_eq!(fault("\u{E0041}"), Some(Fault::Invisible('\u{E0041}')));
        assert_eq!(fault("\u{feff}"), Some(Fault::Invisible('\u{feff}')));
        assert_eq!(fault("一\t二"), Some(Fault::Control('\t')));
        assert_eq!(fault("\u{F8FF}"), Some(Fault::PrivateUse('\u{F8FF}')));
        assert_eq!(fault("𬭎䶮 A-1，（一）"), None);
        assert_eq!(unfit("一\n二", 20, true), None);
    }
}
