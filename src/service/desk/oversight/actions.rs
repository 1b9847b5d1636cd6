//! The words of the audit trail: what each action is called, in which group people look for it, what its particulars mean.
//!
//! The store writes actions as words for programs. Every one of them stands in [`ACTIONS`]; a test goes through the sources
//! and fails for one that does not.

use crate::domain::division::County;

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
    ("staff.change", Staff, "修改账号"),
    ("staff.disable", Staff, "停用账号"),
    ("staff.enable", Staff, "启用账号"),
    ("staff.invite", Staff, "生成邀请链接"),
    ("staff.invitation_used", Staff, "使用邀请链接"),
    ("staff.password", Staff, "设置密码"),
    ("staff.recovery_code", Staff, "使用恢复码"),
    ("staff.recovery_codes", Staff, "生成恢复码"),
    ("staff.reset", Staff, "重置账号"),
    ("staff.second_factor", Staff, "设置第二因素"),
    ("session.end", Staff, "退出登录"),
    ("session.end_all", Staff, "退出全部登录"),
    ("setting.change", Staff, "修改设置"),
    ("review.ask", Staff, "提交复核"),
    ("review.decide", Staff, "复核决定"),
    ("review.outcome", Staff, "复核办理结果"),
    ("application.create", Forms, "新建登记表"),
    ("application.save", Forms, "保存登记表"),
    ("application.submit", Forms, "提交登记表"),
    ("application.withdraw", Forms, "撤回登记表"),
    ("application.approve", Forms, "审批通过"),
    ("application.return", Forms, "退回登记表"),
    ("application.reject", Forms, "审批不予通过"),
    ("application.archive", Forms, "登记表存档"),
    ("application.erase_contact", Forms, "删除登记表中的联系方式"),
    ("application.print", Forms, "打印登记表"),
    ("application.reveal", Forms, "查看登记表明文"),
    ("roster.upload", Rosters, "上传名册"),
    ("roster.correct", Rosters, "更正名册草稿"),
    ("roster.confirm", Rosters, "确认名册"),
    ("roster.abandon", Rosters, "放弃名册草稿"),
    ("roster.expire", Rosters, "名册草稿过期"),
    ("roster.print", Rosters, "打印名册"),
    ("roster.reveal", Rosters, "查看名册明文"),
    ("delivery.add", Rosters, "报送名册"),
    ("delivery.stamped", Rosters, "收到盖章名册"),
    ("delivery.archive", Rosters, "名册存档"),
    ("county_delivery.hand_on", Rosters, "县（区）汇总上报"),
    ("county_delivery.archive", Rosters, "县（区）汇总存档"),
    ("receipt.return", Rosters, "填报回执（附件3）"),
    ("receipt.reveal", Rosters, "查看回执明文"),
    ("unit.edit", Rosters, "修改单位"),
    ("volunteer.correct", People, "更正志愿者资料"),
    ("volunteer.merge", People, "合并重复志愿者"),
    ("volunteer.merged", People, "被合并"),
    ("volunteer.note", People, "志愿者备注"),
    ("volunteer.reveal", People, "查看身份证号或电话"),
    ("people.export", People, "导出志愿者名单"),
    ("photo.set", People, "保存照片"),
    ("photo.erase", People, "删除照片"),
    ("photo.upload", People, "批量上传照片"),
    ("photo.upload_drop", People, "放弃批量照片"),
    ("import.activity", Hours, "按活动录入服务记录"),
    ("activity.note", Hours, "登记待录入的活动"),
    ("activity.entered", Hours, "活动已录入时长"),
    ("activity.drop", Hours, "取消待录入的活动"),
    ("record.correct", Hours, "更正服务记录"),
    ("record.dispute", Hours, "对服务记录提出异议"),
    ("record.void", Hours, "作废服务记录"),
    ("record.void_entry", Hours, "作废整批服务记录"),
    ("dispute.decide", Hours, "处理异议"),
    ("proof.issue", Hours, "出具志愿服务记录证明"),
    ("upload.hours", Hours, "上传服务记录表"),
    ("upload.forget", Hours, "删除上传的表格"),
    ("star_draft.make", Stars, "起草星级批次"),
    ("star_draft.announce", Stars, "公示星级批次"),
    ("star_draft.object", Stars, "处理公示异议"),
    ("star_draft.confirm", Stars, "确认星级批次"),
    ("star_draft.drop", Stars, "作废星级批次"),
    ("card.hand_out", Cards, "发放志愿服务证"),
    ("card.hand_out_undo", Cards, "撤销发放记录"),
    ("card_list.make", Cards, "选定制证名单"),
    ("card_list.review", Cards, "制证名单送复核"),
    ("card_list.forget", Cards, "删除制证名单"),
    ("job.ask", Cards, "提交后台任务"),
    ("job.begin", Cards, "开始后台任务"),
    ("job.stop", Cards, "停止后台任务"),
    ("job.done", Cards, "后台任务完成"),
    ("job.fail", Cards, "后台任务失败"),
    ("job.cancel", Cards, "后台任务已停止"),
    ("job.retry", Cards, "重试后台任务"),
    ("job.remove", Cards, "删除后台任务"),
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
    ("application", "登记表"),
    ("roster_draft", "名册草稿"),
    ("roster", "名册"),
    ("delivery", "报送的名册"),
    ("county_delivery", "县（区）汇总"),
    ("receipt", "回执"),
    ("activity", "活动"),
    ("dispute", "异议"),
    ("proof", "服务证明"),
    ("upload", "上传的文件"),
    ("star_draft", "星级批次草案"),
    ("card_list", "制证名单"),
    ("job", "后台任务"),
    ("photo_upload", "批量照片"),
    ("handout", "发放登记"),
    ("review", "复核"),
    ("setting", "设置"),
];

/// An object in words: `志愿服务证 02 0001234 9（第 17 张）`.
pub fn object_words(object: &str) -> String {
    let label = |kind: &str| OBJECTS.iter().find(|(known, _)| *known == kind).map(|(_, label)| *label);
    let Some((kind, rest)) = object.split_once('/') else {
        return label(object).unwrap_or(object).to_owned();
    };
    let label = label(kind).unwrap_or(kind);
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
    ("session", "登录序号"),
    ("browser", "浏览器"),
    ("duplicates", "可能重复的登记"),
    ("scope", "管辖"),
    ("keep", "保留已认定的星级"),
    ("window", "统计周期"),
    ("policy", "规则施行日期"),
    ("key", "密钥序号"),
    ("status_index", "状态序号"),
    ("trust_list", "信任列表版本"),
    ("new", "将新登记"),
    ("source", "来源"),
    ("dispute", "异议"),
    ("rows_sha256", "名单摘要"),
    ("choice", "选择"),
    ("asked_by", "申请人"),
    ("task", "任务"),
    ("total", "总数"),
    ("attempt", "第几次办理"),
    ("handed_on", "发放日期"),
    ("payload", "申请内容"),
    ("review", "复核"),
    ("facts", "栏目"),
    ("row", "行"),
    ("set", "设为"),
    ("content", "内容"),
    ("activity", "活动"),
    ("width", "宽（像素）"),
    ("height", "高（像素）"),
    ("under_way", "正在办理"),
    ("taken", "已采用"),
    ("step", "步骤"),
    ("start", "开始"),
    ("end", "结束"),
    ("second_factor", "动态验证码"),
    ("same_records", "相同的记录"),
    ("renamed", "改名"),
    ("records", "记录数"),
    ("photo", "照片"),
    ("organiser", "组织单位"),
    ("in_charge", "负责人"),
    ("late_reason", "迟录原因"),
    ("minutes_before", "原分钟"),
    ("date_before", "原日期"),
    ("item", "服务项目"),
    ("issue_over", "超过多少张须复核"),
    ("two_person", "两人办理"),
    ("group", "类别"),
    ("forms", "登记表"),
    ("files", "文件数"),
    ("exchanged", "已换"),
    ("card", "证件"),
    ("batch", "批次"),
    ("layout", "版式"),
    ("list", "制证名单"),
    ("photos", "印照片"),
    ("effects", "涉及"),
    ("staff", "账号"),
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
    ("cards", "证件数"),
    ("changed", "改动"),
    ("fields", "改动的栏目"),
    ("erased", "已删除的资料"),
    ("sessions_ended", "结束的登录"),
    ("people", "人数"),
    ("units", "单位数"),
    ("place", "存放处"),
    ("copy", "份别"),
    ("outcome", "结果"),
    ("revision", "版本"),
    ("summary", "摘要说明"),
    ("number", "编号"),
    ("volunteer", "志愿者"),
    ("record", "服务记录"),
    ("serial", "证明编号"),
    ("note", "说明"),
    ("what", "内容"),
    ("why", "原因说明"),
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
    ("issue_cards", "批量签发"),
    ("key_change", "密钥变更"),
    ("a4-8up", "A4 每页 8 张"),
    ("a4-10up", "A4 每页 10 张"),
    ("cr80", "证卡打印机"),
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
    ("phone", "联系电话"),
    ("email", "电子邮箱"),
    ("address", "通讯地址"),
    ("user_name", "用户名"),
    ("identity", "身份证号码"),
    ("calendar_year", "自然年度"),
    ("rolling_12_months", "连续十二个月"),
    ("lifetime", "累计"),
    ("register", "系统内名册"),
    ("draft", "草稿"),
    ("submitted", "待审批"),
    ("returned", "已退回"),
    ("approved", "已通过"),
    ("rejected", "未通过"),
    ("withdrawn", "已撤回"),
    ("new", "从未制证"),
    ("unprinted", "已签发未打印"),
    ("waiting", "已打印未发放"),
    ("reissue", "补制"),
    ("print", "打印"),
    ("issue", "签发"),
    ("reprint", "作废重制"),
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
    fields.iter().map(|(name, value)| (field_word(name).to_owned(), value_words(name, value))).collect()
}

fn field_word(name: &str) -> &str {
    FIELDS.iter().find(|(known, _)| *known == name).map_or(name, |(_, label)| label)
}

fn value_words(name: &str, value: &serde_json::Value) -> String {
    let text = match value {
        serde_json::Value::String(text) if name == "scope" => return scope_words(text),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Number(seconds) if name.ends_with("_at") => {
            let at = seconds.as_i64().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
            return at.map_or_else(|| seconds.to_string(), super::audit::moment);
        }
        serde_json::Value::Array(values) => {
            return values.iter().map(|value| value_words(name, value)).collect::<Vec<_>>().join("、");
        }
        serde_json::Value::Object(fields) => {
            let said = fields.iter().map(|(name, value)| format!("{}：{}", field_word(name), value_words(name, value)));
            return said.collect::<Vec<_>>().join("，");
        }
        other => other.to_string(),
    };
    VALUES.iter().find(|(known, _)| *known == text).map_or(text.clone(), |(_, label)| (*label).to_owned())
}

/// Of which county, unit or partner an account is.
fn scope_words(scope: &str) -> String {
    let county = scope.strip_prefix("county/").and_then(|code| County::parse(code).ok());
    match (scope, county) {
        ("all", _) => "全市".into(),
        (_, Some(county)) => county.name().into(),
        _ => object_words(scope),
    }
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
        assert_eq!(object_words("handout"), "发放登记");
        assert_eq!(object_words("new_thing/3"), "new_thing 3");
        let words = detail_words(r#"{"reason":"exit","count":3,"expires_at":1795000000}"#);
        assert!(words.contains(&("原因".into(), "退出".into())), "{words:?}");
        assert!(words.contains(&("数量".into(), "3".into())), "{words:?}");
        assert!(words.iter().any(|(_, value)| value.starts_with("2026-11-18")), "{words:?}");
        let words =
            detail_words(r#"{"scope":"county/21","erased":["phone","email"],"task":{"kind":"print","list":1}}"#);
        for pair in [("管辖", "宁洱县"), ("已删除的资料", "联系电话、电子邮箱"), ("任务", "类别：打印，制证名单：1")]
        {
            assert!(words.contains(&(pair.0.into(), pair.1.into())), "{words:?}");
        }
        assert_eq!(detail_words("x"), [("内容".to_owned(), "x".to_owned())]);
    }
}
