//! The words of the audit trail: what each action is called, in which group people look for it, what its particulars mean.
//!
//! The store writes actions as words for programs. Every one of them stands in [`ACTIONS`]; a test goes through the sources
//! and fails for one that does not.

/// A group of actions that people look for together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Accounts, sessions, settings.
    Staff,
    /// Registration forms.
    Forms,
    /// Rosters and units.
    Rosters,
    /// Volunteers.
    People,
    /// Service records.
    Hours,
    /// Stars.
    Stars,
    /// Cards.
    Cards,
    /// Partners and offers.
    Partners,
    /// Keys and what is published.
    Keys,
    /// The rest.
    System,
}

impl Group {
    /// Every group, in the order in which they are offered.
    pub const ALL: [Self; 10] = [
        Self::Staff,
        Self::Forms,
        Self::Rosters,
        Self::People,
        Self::Hours,
        Self::Stars,
        Self::Cards,
        Self::Partners,
        Self::Keys,
        Self::System,
    ];

    /// The word in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Forms => "forms",
            Self::Rosters => "rosters",
            Self::People => "people",
            Self::Hours => "hours",
            Self::Stars => "stars",
            Self::Cards => "cards",
            Self::Partners => "partners",
            Self::Keys => "keys",
            Self::System => "system",
        }
    }

    /// Reads [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.as_str() == text)
    }

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Staff => "账号与设置",
            Self::Forms => "登记与审批",
            Self::Rosters => "名册与单位",
            Self::People => "志愿者",
            Self::Hours => "服务记录",
            Self::Stars => "星级认定",
            Self::Cards => "证件",
            Self::Partners => "合作单位与优惠",
            Self::Keys => "密钥与公布",
            Self::System => "系统",
        }
    }

    /// Its actions.
    pub fn actions(self) -> impl Iterator<Item = &'static str> {
        ACTIONS.iter().filter(move |(_, group, _)| *group == self).map(|(action, ..)| *action)
    }
}

use Group::{Cards, Forms, Hours, Keys, Partners, People, Rosters, Staff, Stars, System};

/// Every action that the store writes, its group and its name.
pub const ACTIONS: &[(&str, Group, &str)] = &[
    ("staff.add", Staff, "开设账号"),
    ("session.begin", Staff, "登录"),
    ("unit.create", Rosters, "新建单位"),
    ("unit.head_count", Rosters, "修改单位人数"),
    ("import.roster", Rosters, "导入名册"),
    ("volunteer.import", People, "按名册登记志愿者"),
    ("volunteer.register", People, "登记志愿者"),
    ("volunteer.contact", People, "修改联系方式"),
    ("volunteer.exit", People, "退出志愿服务组织"),
    ("volunteer.readmit", People, "重新加入"),
    ("volunteer.star", Stars, "变更星级"),
    ("import.hours", Hours, "导入服务记录"),
    ("record.enter", Hours, "录入服务记录"),
    ("record.import", Hours, "导入服务记录明细"),
    ("star.certify", Stars, "认定星级"),
    ("star_policy.add", Stars, "新增星级规则"),
    ("certificate.issue", Cards, "签发志愿服务证"),
    ("certificate.print", Cards, "打印志愿服务证"),
    ("certificate.revoke", Cards, "注销志愿服务证"),
    ("certificate.suspend", Cards, "暂停志愿服务证"),
    ("certificate.resume", Cards, "恢复志愿服务证"),
    ("certificate.supersede", Cards, "换发志愿服务证"),
    ("partner.add", Partners, "登记合作单位"),
    ("partner.renew", Partners, "续签协议"),
    ("partner.end", Partners, "终止协议"),
    ("partner.link", Partners, "生成设备登记链接"),
    ("device.enrol", Partners, "登记设备"),
    ("device.revoke", Partners, "停用设备"),
    ("offer.add", Partners, "新增优惠项目"),
    ("offer.end", Partners, "终止优惠项目"),
    ("redemption.batch", Partners, "上报优惠使用"),
    ("key.create", Keys, "新建密钥"),
    ("key.activate", Keys, "启用密钥"),
    ("key.retire", Keys, "停用密钥"),
    ("key.compromise", Keys, "宣布密钥失效"),
    ("key.list_uri", Keys, "设定状态列表网址"),
    ("trust_list.publish", Keys, "公布信任列表"),
    ("bundle.publish", Keys, "公布数据包"),
    ("status_token.publish", Keys, "公布状态列表"),
    ("meta.set", System, "写入系统参数"),
    ("audit.check", System, "核对审计链"),
];

/// What people call an action; the action itself for one that a newer program wrote.
pub fn label(action: &str) -> &str {
    ACTIONS.iter().find(|(known, ..)| *known == action).map_or(action, |(.., label)| label)
}

/// The group of an action.
pub fn group(action: &str) -> Group {
    ACTIONS.iter().find(|(known, ..)| *known == action).map_or(System, |(_, group, _)| *group)
}

/// Kinds of objects and what people call them.
pub const OBJECTS: &[(&str, &str)] = &[
    ("volunteer", "志愿者"),
    ("certificate", "志愿服务证"),
    ("unit", "单位"),
    ("import", "导入"),
    ("record", "服务记录"),
    ("star_batch", "星级批次"),
    ("star_policy", "星级规则"),
    ("partner", "合作单位"),
    ("offer", "优惠项目"),
    ("device", "设备"),
    ("staff", "账号"),
    ("key", "密钥"),
    ("trust_list", "信任列表"),
    ("bundle", "数据包"),
    ("status_token", "状态列表"),
    ("meta", "系统参数"),
    ("chain_check", "审计链核对"),
];

/// An object in words: `志愿服务证 02 0001234 9（第 17 张）`.
pub fn object_words(object: &str) -> String {
    let Some((kind, rest)) = object.split_once('/') else { return object.to_owned() };
    let label = OBJECTS.iter().find(|(known, _)| *known == kind).map_or(kind, |(_, label)| label);
    let (name, index) = rest.split_once('#').map_or((rest, None), |(name, index)| (name, Some(index)));
    let name = match kind {
        "volunteer" | "certificate" => grouped(name),
        _ => name.to_owned(),
    };
    match (kind, index) {
        ("certificate", Some(index)) => format!("{label} {name}（证件编号 {index}）"),
        (_, Some(index)) => format!("{label} {name}（编号 {index}）"),
        (_, None) => format!("{label} {name}"),
    }
}

/// A certificate number as people read it.
fn grouped(number: &str) -> String {
    zyz_credential::CertificateNumber::parse(number).map_or_else(|_| number.to_owned(), |number| number.grouped())
}

/// Names of particulars.
const FIELDS: &[(&str, &str)] = &[
    ("agreement", "协议编号"),
    ("awards", "认定人数"),
    ("cards_sha256", "证件清单摘要"),
    ("count", "数量"),
    ("county", "县区代码"),
    ("cwt_sha256", "CWT 摘要"),
    ("device", "设备"),
    ("expires_at", "有效期至"),
    ("file_sha256", "文件摘要"),
    ("first_time", "首次打印"),
    ("from", "原状态或起始"),
    ("head_count", "单位人数"),
    ("ids_sha256", "明细摘要"),
    ("imported", "新登记"),
    ("jwt_sha256", "JWT 摘要"),
    ("kind", "类别"),
    ("known", "已登记过"),
    ("list_uri", "网址"),
    ("login", "登录名"),
    ("minutes", "分钟"),
    ("name", "名称"),
    ("numbers_sha256", "编号清单摘要"),
    ("on", "自"),
    ("partner", "合作单位"),
    ("public_key", "公钥"),
    ("date", "日期"),
    ("reason", "原因"),
    ("records_sha256", "记录摘要"),
    ("redemptions", "使用次数"),
    ("refused", "退回"),
    ("reversals", "撤销次数"),
    ("role", "角色"),
    ("rows", "行数"),
    ("sha256", "摘要"),
    ("star", "星级"),
    ("state", "状态"),
    ("title", "标题"),
    ("to", "至"),
    ("unit", "单位编号"),
    ("year", "年度"),
];

/// Words for values that programs wrote.
const VALUES: &[(&str, &str)] = &[
    ("valid", "有效"),
    ("revoked", "已注销"),
    ("suspended", "已暂停"),
    ("superseded", "已换发"),
    ("exit", "退出"),
    ("misuse", "违规使用"),
    ("lost", "遗失"),
    ("error", "错误"),
    ("active", "在用"),
    ("invited", "已邀请"),
    ("disabled", "已停用"),
    ("retired", "已停用"),
    ("compromised", "已失效"),
    ("admin", "联合会管理员"),
    ("clerk", "联合会经办"),
    ("county", "县文明办"),
    ("unit", "单位负责人"),
    ("oversight", "市文明办监督"),
    ("partner", "合作单位"),
    ("priority", "优先"),
    ("discount", "优惠"),
    ("free", "免费"),
    ("root", "根密钥"),
    ("issuing", "签发密钥"),
    ("bundle", "数据包密钥"),
    ("true", "是"),
    ("false", "否"),
    ("null", "无"),
];

/// The particulars of an event as pairs of words. What is no JSON object is one pair.
pub fn detail_words(detail: &str) -> Vec<(String, String)> {
    let Ok(serde_json::Value::Object(fields)) = serde_json::from_str(detail) else {
        return vec![("内容".into(), detail.to_owned())];
    };
    let label =
        |name: &str| FIELDS.iter().find(|(known, _)| *known == name).map_or(name, |(_, label)| label).to_owned();
    fields.iter().map(|(name, value)| (label(name), value_words(name, value))).collect()
}

fn value_words(name: &str, value: &serde_json::Value) -> String {
    let text = match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Number(seconds) if name.ends_with("_at") => {
            let at = seconds.as_i64().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
            return at.map_or_else(|| seconds.to_string(), super::audit::moment);
        }
        other => other.to_string(),
    };
    VALUES.iter().find(|(known, _)| *known == text).map_or(text.clone(), |(_, label)| (*label).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_stand_once() {
        for (at, (action, ..)) in ACTIONS.iter().enumerate() {
            assert!(!ACTIONS[..at].iter().any(|(known, ..)| known == action), "{action} stands twice");
        }
    }

    #[test]
    fn objects_and_particulars_in_words() {
        assert_eq!(object_words("partner/3"), "合作单位 3");
        assert_eq!(object_words("certificate/0200000011#17"), "志愿服务证 0200000011（证件编号 17）");
        assert_eq!(object_words("new_thing/3"), "new_thing 3");
        let words = detail_words(r#"{"reason":"exit","count":3,"expires_at":1795000000}"#);
        assert!(words.contains(&("原因".into(), "退出".into())), "{words:?}");
        assert!(words.contains(&("数量".into(), "3".into())), "{words:?}");
        assert!(words.iter().any(|(_, value)| value.starts_with("2026-11-18")), "{words:?}");
        assert_eq!(detail_words("x"), [("内容".to_owned(), "x".to_owned())]);
    }
}
