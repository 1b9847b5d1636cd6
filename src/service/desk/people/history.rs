//! A volunteer's history in words, from the audit trail.

use std::collections::HashMap;

use serde_json::Value;

use super::{Desk, DeskError, grouped};
use crate::clock::beijing;
use crate::domain::certificate::Reason;
use crate::store::{AuditEvent, Reader, Volunteer};

/// Events read of each object.
const EVENTS: u32 = 500;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEvent {
    /// When, Beijing time.
    pub at: String,
    /// Who: the person's name, or the login name where it is nobody of the console's.
    pub who: String,
    /// What.
    pub what: String,
}

impl Desk {
    /// What happened to a volunteer and their cards, newest first.
    pub(super) async fn history(
        &self,
        reader: &mut Reader,
        person: &Volunteer,
        cards: &[i64],
    ) -> Result<Vec<HistoryEvent>, DeskError> {
        let number = &person.number;
        let mut events = reader.audit_events(Some(&format!("volunteer/{number}")), 0, EVENTS).await?;
        for card in cards {
            events.extend(reader.audit_events(Some(&format!("certificate/{number}#{card}")), 0, EVENTS).await?);
        }
        if let Some(import) = person.import {
            let of_import = reader.audit_events(Some(&format!("import/{import}")), 0, 20).await?;
            events.extend(of_import.into_iter().filter(|event| event.action == "volunteer.import"));
        }
        events.sort_by_key(|event| std::cmp::Reverse(event.seq));
        let mut names: HashMap<String, String> = HashMap::new();
        let mut lines = Vec::with_capacity(events.len());
        for event in events {
            if !names.contains_key(&event.actor) {
                let staff = reader.staff_by_login(&event.actor).await?;
                let name = staff.map_or_else(|| event.actor.clone(), |account| account.staff.name);
                names.insert(event.actor.clone(), name);
            }
            lines.push(HistoryEvent {
                at: beijing().to_datetime(event.at).strftime("%Y-%m-%d %H:%M").to_string(),
                who: names.get(&event.actor).cloned().unwrap_or_default(),
                what: words(&event),
            });
        }
        Ok(lines)
    }
}

/// Who changed an object last and when (Beijing time), for those who come second.
pub(super) async fn last_change(reader: &mut Reader, person: &Volunteer) -> Result<(String, String), DeskError> {
    let events = reader.audit_events(Some(&format!("volunteer/{}", person.number)), 0, EVENTS).await?;
    let Some(event) = events.iter().rev().find(|event| event.action != "volunteer.reveal") else {
        return Ok(("其他人".into(), "刚才".into()));
    };
    let staff = reader.staff_by_login(&event.actor).await?;
    let who = staff.map_or_else(|| event.actor.clone(), |account| account.staff.name);
    Ok((who, beijing().to_datetime(event.at).strftime("%Y-%m-%d %H:%M").to_string()))
}

/// An event in words.
fn words(event: &AuditEvent) -> String {
    let detail: Value = serde_json::from_str(&event.detail).unwrap_or_default();
    let text = |key| text_of(&detail, key);
    let why = || match text("reason") {
        "" => String::new(),
        reason => format!("（{}）", Reason::parse(reason).map_or(reason, |reason| reason.label())),
    };
    // In the words of whoever did it. Of somebody leaving with a card, the leaving says it and not the card as well.
    let said = || match (text("why"), Reason::parse(text("reason"))) {
        ("", _) | (_, Ok(Reason::Exit | Reason::Deceased)) => String::new(),
        (words, _) => format!("，原因：{words}"),
    };
    let facts = |key: &str| -> String {
        let names = detail[key].as_array().into_iter().flatten().filter_map(Value::as_str);
        names.map(|name| super::exit::erased_label(name).unwrap_or("其他")).collect::<Vec<_>>().join("、")
    };
    match event.action.as_str() {
        "volunteer.register" => "登记为志愿者".into(),
        "volunteer.import" => "随名册登记为志愿者".into(),
        "volunteer.exit" => match facts("erased") {
            none if none.is_empty() => format!("退出志愿服务组织{}", said()),
            erased => format!("退出志愿服务组织，已删除{erased}{}", said()),
        },
        "volunteer.readmit" => format!("重新加入{}", said()),
        "photo.set" => "更换照片".into(),
        "photo.erase" => "删除照片".into(),
        "volunteer.contact" => "更新联系方式".into(),
        "volunteer.correct" => format!("更正{}", facts("facts")),
        "volunteer.reveal" => format!("查看{}明文（{}）", facts("what"), text("reason")),
        "volunteer.star" => format!("星级定为 {}", detail["star"]),
        "volunteer.merge" => format!(
            "并入 {} 的登记：服务记录 {} 条、星级 {} 年（{}）",
            grouped(text("from")),
            detail["records"],
            detail["awards"],
            text("reason")
        ),
        "volunteer.merged" => format!("登记并入 {}（{}）", grouped(text("into")), text("reason")),
        // Once the reason was an event of its own.
        "volunteer.note" => {
            let step = match text("step") {
                "suspend" => "暂停",
                "resume" => "恢复",
                "lost" => "遗失",
                "misuse" => "违规注销",
                "readmit" => "重新加入",
                "exit" => "退出",
                _ => "办理",
            };
            format!("{step}的原因：{}", text("why"))
        }
        "certificate.issue" => "签发志愿服务证".into(),
        "certificate.revoke" => format!("注销志愿服务证{}{}", why(), said()),
        "certificate.suspend" => format!("暂停志愿服务证{}{}", why(), said()),
        "certificate.resume" => format!("恢复志愿服务证{}{}", why(), said()),
        "certificate.supersede" => format!("旧证由新证代替{}{}", why(), said()),
        "certificate.hand_out" => "领取志愿服务证".into(),
        other if other.starts_with("certificate.") => "志愿服务证有变动".into(),
        _ => "资料有变动".into(),
    }
}

fn text_of<'a>(detail: &'a Value, key: &str) -> &'a str {
    detail[key].as_str().unwrap_or_default()
}
