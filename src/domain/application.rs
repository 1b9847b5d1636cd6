//! The registration form, 附件1 《普洱市个人志愿者注册登记表》: what is typed into it, what a complete one says, its states.
//!
//! A draft is kept as typed ([`ApplicationText`]), at any incompleteness; [`ApplicationText::check`] turns it into an
//! [`Application`] or says at each field what is wrong.

mod check;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::codes::{Ethnicity, Political};
use super::hours::ServiceItem;
use super::identity::IdentityNumber;
use super::person::{PersonName, Phone, Sex};

pub use check::{Fault, FieldFault};

/// Guardian's consent is asked for below this age (民法典 第十七条; 志愿服务条例 第七条 lets minors serve with a guardian's consent).
pub const OF_AGE: i32 = 18;

/// How far a form has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApplicationState {
    /// Being written.
    Draft,
    /// Before the approver.
    Submitted,
    /// Sent back to be corrected.
    Returned,
    /// Approved: the volunteer is registered.
    Approved,
    /// Refused for good.
    Rejected,
    /// Taken back by the unit; what it said is erased.
    Withdrawn,
}

impl ApplicationState {
    /// Every state, in the order of a form's life.
    pub const ALL: [Self; 6] =
        [Self::Draft, Self::Submitted, Self::Returned, Self::Approved, Self::Rejected, Self::Withdrawn];

    /// The word stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::Returned => "returned",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Reads [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Draft => "草稿",
            Self::Submitted => "待审批",
            Self::Returned => "已退回",
            Self::Approved => "已通过",
            Self::Rejected => "未通过",
            Self::Withdrawn => "已撤回",
        }
    }

    /// Whether it may still be written in.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Draft | Self::Returned)
    }

    /// Whether a form may go from here to there.
    pub fn may_become(self, next: Self) -> bool {
        use ApplicationState::{Approved, Draft, Rejected, Returned, Submitted, Withdrawn};
        matches!(
            (self, next),
            (Draft | Returned, Submitted | Withdrawn) | (Submitted, Approved | Returned | Rejected | Withdrawn)
        )
    }
}

/// 工作单位性质, as printed on the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nature {
    /// 政府机关单位
    Government,
    /// 事业单位和国有企业
    PublicInstitution,
    /// 外资企业
    Foreign,
    /// 私营企业
    Private,
    /// 社会团体
    Association,
    /// 境外机构
    Overseas,
    /// 其他
    Other,
}

impl Nature {
    /// Every one, in the order of the form.
    pub const ALL: [Self; 7] = [
        Self::Government,
        Self::PublicInstitution,
        Self::Foreign,
        Self::Private,
        Self::Association,
        Self::Overseas,
        Self::Other,
    ];

    /// As printed on the form.
    pub fn name(self) -> &'static str {
        match self {
            Self::Government => "政府机关单位",
            Self::PublicInstitution => "事业单位和国有企业",
            Self::Foreign => "外资企业",
            Self::Private => "私营企业",
            Self::Association => "社会团体",
            Self::Overseas => "境外机构",
            Self::Other => "其他",
        }
    }

    /// Reads [`Self::name`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|nature| nature.name() == text.trim())
    }
}

/// 学历, as the form's choice offers it (GB/T 4658, everyday words).
pub const EDUCATION: [&str; 10] =
    ["小学", "初中", "高中", "中专", "职高", "大专", "本科", "硕士研究生", "博士研究生", "其他"];

/// The form as it is typed. Every field is text and may be empty.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ApplicationText {
    /// 日期: the day of application, which the age counts on.
    pub applied_on: String,
    /// 姓名
    pub name: String,
    /// 职务, as printed beside the name.
    pub position: String,
    /// 政治面貌
    pub political: String,
    /// 性别
    pub sex: String,
    /// 出生日期
    pub birth_date: String,
    /// 民族
    pub ethnicity: String,
    /// 身份证号
    pub identity: String,
    /// 学历
    pub education: String,
    /// 毕业学校
    pub school: String,
    /// 专业
    pub major: String,
    /// 工作（学习）单位
    pub workplace: String,
    /// 职务, as printed beside the workplace.
    pub work_position: String,
    /// 工作单位性质
    pub nature: String,
    /// 通讯地址
    pub address: String,
    /// 邮编
    pub postcode: String,
    /// 电子邮箱
    pub email: String,
    /// 移动电话
    pub mobile: String,
    /// QQ号
    pub qq: String,
    /// 办公电话
    pub office_phone: String,
    /// 个人简历
    pub resume: String,
    /// 志愿服务项目, by their places in the form.
    pub items: Vec<String>,
    /// Number in the national system, if registered there already.
    pub national_number: String,
    /// The guardian of somebody under 18.
    pub guardian_name: String,
    /// What the guardian is to them.
    pub guardian_relation: String,
    /// How to reach the guardian.
    pub guardian_phone: String,
    /// The day on which the guardian consented.
    pub guardian_consent: String,
}

/// A form that is complete.
#[derive(Clone, PartialEq, Eq)]
pub struct Application {
    /// The day of application.
    pub applied_on: Date,
    /// Name.
    pub name: PersonName,
    /// Sex, the same as the identity number's.
    pub sex: Sex,
    /// Birth date, the same as the identity number's.
    pub birth_date: Date,
    /// Age on the day of application, in full years.
    pub age: i32,
    /// Ethnicity.
    pub ethnicity: Ethnicity,
    /// Political status.
    pub political: Political,
    /// Identity number.
    pub identity: IdentityNumber,
    /// Kind of workplace.
    pub nature: Nature,
    /// Mobile number.
    pub mobile: Phone,
    /// E-mail, if given.
    pub email: Option<String>,
    /// Address, if given.
    pub address: Option<String>,
    /// Service items, at least one.
    pub items: Vec<ServiceItem>,
    /// Number in the national system: not to be registered there again.
    pub national_number: Option<String>,
    /// Guardian's consent, of those under 18.
    pub guardian: Option<Guardian>,
}

/// Who consented for somebody under 18.
#[derive(Clone, PartialEq, Eq)]
pub struct Guardian {
    /// Name.
    pub name: PersonName,
    /// 父亲, 母亲, …
    pub relation: String,
    /// Phone.
    pub phone: Phone,
    /// The day of consent.
    pub consented_on: Date,
}

/// What a field is called; the names are those of [`ApplicationText`].
pub const FIELDS: [(&str, &str); 27] = [
    ("applied_on", "日期"),
    ("name", "姓名"),
    ("position", "职务"),
    ("political", "政治面貌"),
    ("sex", "性别"),
    ("birth_date", "出生日期"),
    ("ethnicity", "民族"),
    ("identity", "身份证号"),
    ("education", "学历"),
    ("school", "毕业学校"),
    ("major", "专业"),
    ("workplace", "工作（学习）单位"),
    ("work_position", "单位职务"),
    ("nature", "工作单位性质"),
    ("address", "通讯地址"),
    ("postcode", "邮编"),
    ("email", "电子邮箱"),
    ("mobile", "移动电话"),
    ("qq", "QQ号"),
    ("office_phone", "办公电话"),
    ("resume", "个人简历"),
    ("items", "志愿服务项目"),
    ("national_number", "全国系统编号"),
    ("guardian_name", "监护人姓名"),
    ("guardian_relation", "与本人关系"),
    ("guardian_phone", "监护人电话"),
    ("guardian_consent", "监护人同意日期"),
];

impl ApplicationText {
    /// What stands in a field of [`FIELDS`]; items by their names.
    pub fn field(&self, name: &str) -> String {
        let text = match name {
            "applied_on" => &self.applied_on,
            "name" => &self.name,
            "position" => &self.position,
            "political" => &self.political,
            "sex" => &self.sex,
            "birth_date" => &self.birth_date,
            "ethnicity" => &self.ethnicity,
            "identity" => &self.identity,
            "education" => &self.education,
            "school" => &self.school,
            "major" => &self.major,
            "workplace" => &self.workplace,
            "work_position" => &self.work_position,
            "nature" => &self.nature,
            "address" => &self.address,
            "postcode" => &self.postcode,
            "email" => &self.email,
            "mobile" => &self.mobile,
            "qq" => &self.qq,
            "office_phone" => &self.office_phone,
            "resume" => &self.resume,
            "items" => return self.chosen().map(ServiceItem::name).collect::<Vec<_>>().join("、"),
            "national_number" => &self.national_number,
            "guardian_name" => &self.guardian_name,
            "guardian_relation" => &self.guardian_relation,
            "guardian_phone" => &self.guardian_phone,
            "guardian_consent" => &self.guardian_consent,
            _ => return String::new(),
        };
        text.clone()
    }

    /// Empties what leads to the person or the guardian: address, postcode, e-mail, telephones, QQ. False if there was
    /// nothing.
    pub fn erase_contact(&mut self) -> bool {
        let contact = [
            &mut self.address,
            &mut self.postcode,
            &mut self.email,
            &mut self.mobile,
            &mut self.qq,
            &mut self.office_phone,
            &mut self.guardian_phone,
        ];
        // Counted, so that all of them are taken.
        contact.into_iter().filter_map(|field| (!std::mem::take(field).is_empty()).then_some(())).count() > 0
    }

    /// The items ticked, in the order of the form.
    pub fn chosen(&self) -> impl Iterator<Item = ServiceItem> + '_ {
        ServiceItem::all().filter(|item| self.items.iter().any(|code| code.parse() == Ok(item.code())))
    }

    /// The fields in which `other` differs, as (label, this one's text, the other's).
    pub fn differences(&self, other: &Self) -> Vec<(&'static str, String, String)> {
        FIELDS
            .iter()
            .map(|(name, label)| (*label, self.field(name), other.field(name)))
            .filter(|(_, here, there)| here != there)
            .collect()
    }
}

impl std::fmt::Debug for ApplicationText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApplicationText(…)")
    }
}

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Application(…)")
    }
}

impl std::fmt::Debug for Guardian {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Guardian(…)")
    }
}
