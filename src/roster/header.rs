//! Headings: which column means what.

use serde::{Deserialize, Serialize};

use crate::domain::person::{half_width, is_blank};

/// What a column means. Several headings lead to one meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is named by its heading, `Field::name`")]
pub enum Field {
    Serial,
    Name,
    Sex,
    Ethnicity,
    Birth,
    Political,
    Identity,
    Phone,
    OfficePhone,
    UserName,
    Password,
    Email,
    Address,
    NationalNumber,
    CertificateNumber,
    Unit,
    Date,
    TimeRange,
    Start,
    End,
    Hours,
    Minutes,
    Activity,
    Content,
    Place,
    Item,
    Recorder,
    Remark,
    Error,
}

/// Why a sheet with a header cannot be used all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Columns without which no row makes sense.
    #[error(
        "第 {row} 行表头缺少“{}”列：请补上后重新提交。现有列：{}", columns.join("”“"), found.join("、")
    )]
    Missing {
        /// The header's row.
        row: u32,
        /// The headings that are missing; alternatives are joined by 或.
        columns: Vec<&'static str>,
        /// The headings found.
        found: Vec<String>,
    },
    /// Two columns that each name the person, so that a row might be two people.
    #[error("表头中“{}”出现两次（{} 和 {}）：请每行只填一人，并只保留一列", field.name(), cells.0, cells.1)]
    Twice {
        /// What both mean.
        field: Field,
        /// Where they stand, like `B3`.
        cells: (String, String),
    },
}

impl Field {
    /// The heading the federation's own form uses.
    pub fn name(self) -> &'static str {
        TABLE.iter().find(|(field, _)| *field == self).map_or("", |(_, names)| names[0])
    }

    /// The meaning of a heading; spaces, line breaks, brackets with what is in them, colons and asterisks do not count.
    pub fn of(heading: &str) -> Option<Self> {
        // A paragraph is no heading, and need not be searched.
        if heading.is_empty() || heading.len() > 120 {
            return None;
        }
        Self::of_exactly(heading).or_else(|| loose(&key(heading)))
    }

    /// The same without guessing at additions of the unit's own.
    pub(super) fn of_exactly(heading: &str) -> Option<Self> {
        let key = key(heading);
        TABLE.iter().find(|(_, names)| names.contains(&key.as_str())).map(|(field, _)| *field)
    }
}

/// Headings with additions of the unit's own: 本人身份证号码, 证件号码必填.
fn loose(key: &str) -> Option<Field> {
    let other =
        ["地址", "类型", "类别", "有效期", "照片", "复印", "监护人", "家长", "负责人", "联系人", "发证", "是否"];
    if key.chars().count() > 16 || other.iter().any(|word| key.contains(word)) {
        return None;
    }
    let rules = [
        ("密码", Field::Password),
        ("口令", Field::Password),
        ("身份证", Field::Identity),
        ("证件号", Field::Identity),
        ("出生", Field::Birth),
        ("政治面", Field::Political),
        ("手机号", Field::Phone),
        ("联系电话", Field::Phone),
    ];
    rules.into_iter().find(|(word, _)| key.contains(word)).map(|(_, field)| field)
}

fn key(heading: &str) -> String {
    let mut depth = 0_usize;
    let mut key = String::with_capacity(heading.len());
    for c in heading.chars().map(half_width) {
        match c {
            '(' | '[' | '【' | '〔' | '{' | '〈' | '<' | '《' => depth += 1,
            ')' | ']' | '】' | '〕' | '}' | '〉' | '>' | '》' => depth = depth.saturating_sub(1),
            ':' | '*' | '★' | '※' | '、' | '.' | '。' | ',' | ';' | '-' | '_' | '/' | '\\' | '"' | '“' | '”' =>
                {}
            _ if depth > 0 || is_blank(c) || c.is_control() => {}
            _ => key.extend(c.to_lowercase()),
        }
    }
    key
}

/// The first heading of each line is the federation's own.
const TABLE: &[(Field, &[&str])] = &[
    (Field::Serial, &["序号", "编序", "序", "no", "行号"]),
    (
        Field::Name,
        &[
            "姓名",
            "名字",
            "志愿者姓名",
            "真实姓名",
            "人员姓名",
            "学生姓名",
            "教师姓名",
            "员工姓名",
            "职工姓名",
            "队员姓名",
            "本人姓名",
            "志愿者",
        ],
    ),
    (Field::Sex, &["性别", "男女"]),
    (Field::Ethnicity, &["民族", "族别"]),
    (Field::Birth, &["出生年月", "出生日期", "出生年月日", "生日", "出生时间", "出生"]),
    (Field::Political, &["政治面貌", "政治面目", "党派", "面貌"]),
    (
        Field::Identity,
        &[
            "身份证号码",
            "身份证号",
            "身份证",
            "证件号码",
            "证件号",
            "公民身份号码",
            "公民身份证号码",
            "公民身份证号",
            "居民身份证号码",
            "居民身份证号",
            "身份号码",
            "身份证件号码",
            "有效证件号码",
            "idcard",
            "id",
        ],
    ),
    (
        Field::Phone,
        &[
            "联系电话",
            "手机号",
            "手机号码",
            "手机",
            "移动电话",
            "联系方式",
            "电话",
            "电话号码",
            "联系手机",
            "手机电话",
            "联系电话手机",
            "本人电话",
            "本人手机号",
            "phone",
            "mobile",
            "tel",
        ],
    ),
    (Field::OfficePhone, &["办公电话", "固定电话", "座机", "单位电话"]),
    (Field::UserName, &["用户名", "用户名称", "账号", "帐号", "登录名", "登录账号", "登录帐号", "注册账号", "用户"]),
    (Field::Password, &["密码", "口令", "登录密码", "初始密码", "用户密码", "password", "pwd"]),
    (Field::Email, &["电子邮箱", "邮箱", "电子邮件", "email", "邮箱地址", "电子信箱"]),
    (
        Field::Address,
        &["通讯地址", "地址", "联系地址", "住址", "家庭住址", "通信地址", "现住址", "居住地址", "家庭地址"],
    ),
    (
        Field::NationalNumber,
        &[
            "全国志愿者编号",
            "志愿者编号",
            "志愿者号",
            "志愿者注册号",
            "注册编号",
            "注册号",
            "中国志愿服务网编号",
            "国家系统编号",
            "全国编号",
            "志愿云编号",
            "志愿者注册编号",
        ],
    ),
    (
        Field::CertificateNumber,
        &[
            "证书编号",
            "志愿服务证编号",
            "志愿服务证号",
            "志愿服务证号码",
            "志愿者证号",
            "志愿者证编号",
            "证号",
            "证件编号",
            "编号",
            "服务证编号",
            "服务证号",
            "证书号",
        ],
    ),
    (
        Field::Unit,
        &[
            "单位",
            "单位名称",
            "工作单位",
            "所在单位",
            "工作学习单位",
            "工作单位名称",
            "学校",
            "所属单位",
            "所在单位名称",
        ],
    ),
    (Field::Date, &["服务日期", "日期", "活动日期", "年月日"]),
    (Field::TimeRange, &["时间", "服务时间", "活动时间", "起止时间", "服务起止时间", "时段", "服务时段", "时间段"]),
    (Field::Start, &["开始时间", "起始时间", "服务开始时间", "签到时间", "开始", "活动开始时间"]),
    (Field::End, &["结束时间", "终止时间", "服务结束时间", "签退时间", "结束", "活动结束时间"]),
    (
        Field::Hours,
        &[
            "小时数",
            "服务时长",
            "时长",
            "服务小时",
            "服务小时数",
            "小时",
            "工时",
            "服务时数",
            "时数",
            "志愿服务时长",
            "活动时长",
            "时长小时",
        ],
    ),
    (Field::Minutes, &["分钟数", "分钟", "服务分钟", "服务分钟数", "时长分钟"]),
    (Field::Activity, &["活动名称", "活动", "项目名称", "服务项目名称", "活动项目", "项目", "活动主题", "服务名称"]),
    (Field::Content, &["服务内容", "内容", "活动内容", "服务情况", "主要内容"]),
    (Field::Place, &["地点", "服务地点", "活动地点", "活动地址", "服务地址"]),
    (Field::Item, &["服务项目", "志愿服务项目", "服务类别", "服务类型", "项目类别", "项目类型"]),
    (
        Field::Recorder,
        &["记录人", "负责人", "活动负责人", "组织者", "主办单位", "组织单位", "记录单位", "活动组织者", "经办人"],
    ),
    (Field::Remark, &["备注", "说明", "附注"]),
    (Field::Error, &["错误", "错误说明", "错误原因"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_of_real_life() {
        for (heading, field) in [
            ("姓  名", Field::Name),
            ("姓\n名", Field::Name),
            ("*姓名（必填）", Field::Name),
            ("身份证号", Field::Identity),
            ("证件号码", Field::Identity),
            ("公民身份号码", Field::Identity),
            ("身份证号码\r\n（18位）", Field::Identity),
            ("本人身份证号码必填", Field::Identity),
            ("手机号", Field::Phone),
            ("联系方式：", Field::Phone),
            ("出生日期", Field::Birth),
            ("出生年月(yyyy.mm)", Field::Birth),
            ("初始密码", Field::Password),
            ("登录 密 码", Field::Password),
            ("E-mail", Field::Email),
            ("小时数", Field::Hours),
            ("“证书”编号", Field::CertificateNumber),
        ] {
            assert_eq!(Field::of(heading), Some(field), "{heading:?}");
        }
    }

    #[test]
    fn headings_about_somebody_else_mean_nothing() {
        for heading in ["监护人姓名", "监护人身份证号", "身份证地址", "证件类型", "负责人联系电话", "", "（）"]
        {
            assert_eq!(Field::of(heading), None, "{heading:?}");
        }
    }
}
