//! What of a volunteer's data can be corrected, and what each is called.

/// A fact about a volunteer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fact {
    /// 姓名
    Name,
    /// 性别
    Sex,
    /// 民族
    Ethnicity,
    /// 出生日期
    BirthDate,
    /// 政治面貌
    Political,
    /// 身份证号码
    Identity,
    /// 联系电话
    Phone,
    /// 电子邮箱
    Email,
    /// 通讯地址
    Address,
    /// 用户名 in the national system
    UserName,
    /// Number in the national system
    NationalNumber,
    /// 单位
    Unit,
}

impl Fact {
    /// All of them, in the order of the forms.
    pub const ALL: [Self; 12] = [
        Self::Name,
        Self::Sex,
        Self::Ethnicity,
        Self::BirthDate,
        Self::Political,
        Self::Identity,
        Self::Phone,
        Self::Email,
        Self::Address,
        Self::UserName,
        Self::NationalNumber,
        Self::Unit,
    ];

    /// The word stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Sex => "sex",
            Self::Ethnicity => "ethnicity",
            Self::BirthDate => "birth_date",
            Self::Political => "political",
            Self::Identity => "identity",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Address => "address",
            Self::UserName => "user_name",
            Self::NationalNumber => "national_number",
            Self::Unit => "unit",
        }
    }

    /// Reads [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fact| fact.as_str() == text)
    }

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Name => "姓名",
            Self::Sex => "性别",
            Self::Ethnicity => "民族",
            Self::BirthDate => "出生日期",
            Self::Political => "政治面貌",
            Self::Identity => "身份证号码",
            Self::Phone => "联系电话",
            Self::Email => "电子邮箱",
            Self::Address => "通讯地址",
            Self::UserName => "用户名",
            Self::NationalNumber => "全国系统编号",
            Self::Unit => "单位",
        }
    }

    /// Whether it is stored sealed.
    pub fn is_sealed(self) -> bool {
        matches!(self, Self::Identity | Self::Phone | Self::Email | Self::Address)
    }

    /// Whether it is contact data, erased when the volunteer leaves (个人信息保护法).
    pub fn is_contact(self) -> bool {
        matches!(self, Self::Phone | Self::Email | Self::Address | Self::UserName)
    }

    /// Whether it stands on the card, which is then to be replaced.
    pub fn is_on_card(self) -> bool {
        matches!(self, Self::Name | Self::Unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for fact in Fact::ALL {
            assert_eq!(Fact::parse(fact.as_str()), Some(fact));
        }
        assert_eq!(Fact::parse("password"), None);
    }
}
