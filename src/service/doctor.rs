//! `zyz doctor`: is everything in order, and what is due.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::Serialize;
use zyz_credential::KeyId;

use super::publish::signed;
use super::{Federation, Selection, ServiceError, rfc3339};
use crate::clock::beijing_date;
use crate::domain::partner::AgreementState;
use crate::keystore::KeyName;
use crate::store::{ChainCheck, KeyRole, KeyState, Reader, STATUS_LIST_FULL};

/// From how many days before its end on an agreement is mentioned.
const AGREEMENT_DAYS: i64 = 30;

/// All checks.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether nothing needs an administrator.
    pub ok: bool,
    /// One line each.
    pub checks: Vec<Check>,
}

/// One check.
#[derive(Debug, Serialize)]
pub struct Check {
    /// What was looked at.
    pub what: &'static str,
    /// Whether it is in order.
    pub ok: bool,
    /// What was found, and what to do.
    pub says: String,
}

impl Federation {
    /// Looks at keys, database, audit trail, due dates, fonts.
    ///
    /// # Errors
    /// Only when looking itself fails; what is out of order is in the report.
    pub async fn doctor(&self) -> Result<Report, ServiceError> {
        let mut checks = Vec::new();
        let mut add = |what, ok, says: String| checks.push(Check { what, ok, says });
        let now = self.now();
        let mut reader = self.store.read().await?;

        let damage = reader.integrity_problems().await?;
        add("数据库", damage.is_empty(), if damage.is_empty() { "完好".into() } else { damage.join("；") });
        match reader.verify_audit_chain().await? {
            ChainCheck::Intact { events, head } => {
                add("审计链", true, format!("{events} 条，完整，末端 {}", hex::encode(&head[..8])));
            }
            ChainCheck::Broken { seq } => {
                add("审计链", false, format!("第 {seq} 条缺失或被改动过，请立即保全数据库并追查"));
            }
            ChainCheck::HeadDiffers { last, head } => {
                add(
                    "审计链",
                    false,
                    format!("应到第 {head} 条，实到第 {last} 条，末尾被删改过，请立即保全数据库并追查"),
                );
            }
        }

        let mut full = false;
        let mut names = Vec::new();
        for key in reader.signing_keys(None).await? {
            if key.state == KeyState::Compromised {
                continue;
            }
            let name = match key.role {
                KeyRole::Root => continue,
                KeyRole::Issuing => KeyName::Issuing(KeyId(key.kid)),
                KeyRole::Bundle => KeyName::Bundle(KeyId(key.kid)),
            };
            names.push(name);
            if key.role == KeyRole::Issuing && key.state == KeyState::Active {
                let used = reader.certificate_count(key.id).await?;
                let share = used * 100 / u64::from(STATUS_LIST_FULL);
                full |= share >= 80;
                let hint = if share >= 80 { "，请尽快 zyz key rotate issuing" } else { "" };
                add("状态列表", share < 80, format!("签发密钥 {} 已用 {used}（{share}%）{hint}", hex::encode(key.kid)));
            }
        }
        match self.folder.unlock(&names, &self.passphrase) {
            Ok(_) => add("密钥文件", true, format!("{} 个，都能打开", names.len())),
            Err(error) => add("密钥文件", false, error.to_string()),
        }
        let root_here = self.folder.contains(KeyName::Root);
        let root =
            if root_here { "根密钥在本机；建议移到离线介质" } else { "根密钥不在本机，很好" };
        add("根密钥", true, root.into());

        match reader.latest_trust_list().await? {
            Some(list) => {
                let left = (list.expires_at.as_second() - now.as_second()) / 86_400;
                let hint = if left < 60 { "，请用 zyz key renew 续签" } else { "" };
                add("信任列表", left >= 60, format!("第 {} 版，还有 {left} 天到期{hint}", list.version));
            }
            None => add("信任列表", false, "还没有，请运行 zyz key renew".into()),
        }
        match reader.latest_bundle_mark(None).await? {
            Some(bundle) => {
                let hours = (now.as_second() - bundle.issued_at.as_second()) / 3600;
                let fresh = hours < 24 * i64::from(self.config.trust.bundle_days) / 2;
                let hint = if fresh { "" } else { "，请运行 zyz publish" };
                add(
                    "数据包",
                    fresh,
                    format!(
                        "第 {} 版，{hours} 小时前公布，有效至 {}{hint}",
                        bundle.version,
                        rfc3339(bundle.expires_at)
                    ),
                );
            }
            None => add("数据包", false, "还没有公布过，请运行 zyz publish --out 目录".into()),
        }

        let partners = self.partners_due(&mut reader).await?;
        for (what, says) in &partners {
            add(what, false, says.clone());
        }
        if partners.is_empty() {
            add("合作单位", true, "没有即将到期的协议，没有失联的设备".into());
        }

        let soon = now.checked_add(SignedDuration::from_hours(24 * 60)).map_err(|e| signed("日期", e))?;
        let counts = reader.counts(now, soon).await?;
        add(
            "志愿者与证件",
            true,
            format!(
                "在册 {}，已退出 {}；有效 {}，未打印 {}，60 天内到期 {}，已过期待换 {}",
                counts.volunteers_active,
                counts.volunteers_exited,
                counts.certificates[0],
                counts.unprinted,
                counts.expiring,
                counts.expired
            ),
        );
        drop(reader);
        match self.printable().await {
            Ok(()) => add("打印", true, "所有有效证件的姓名、单位都能印出".into()),
            Err(ServiceError::NothingToPrint) => add("打印", true, "还没有证件".into()),
            Err(error) => add("打印", false, error.to_string()),
        }
        let ok = !full && checks.iter().all(|check| check.ok);
        Ok(Report { ok, checks })
    }

    /// Agreements that end within 30 days, and devices of partners in force that were silent for longer than a bundle lives.
    async fn partners_due(&self, reader: &mut Reader) -> Result<Vec<(&'static str, String)>, ServiceError> {
        let now = self.now();
        let mut due = Vec::new();
        let partners = reader.partners().await?;
        let in_force = partners.iter().filter(|row| row.agreement.state(now) == AgreementState::InForce);
        let in_force: BTreeMap<_, _> = in_force.map(|row| (row.id, row)).collect();
        for row in in_force.values() {
            let left = (row.agreement.ends_at().as_second() - now.as_second()) / 86_400;
            if left < AGREEMENT_DAYS {
                let last = beijing_date(row.agreement.ends_at()).yesterday().unwrap_or(row.agreement.to);
                due.push((
                    "合作协议",
                    format!(
                        "“{}”（编号 {}）的协议到 {last} 为止，还有 {left} 天。续签后用 zyz partner renew 登记",
                        row.name, row.id
                    ),
                ));
            }
        }
        let silent_days = i64::from(self.config.trust.bundle_days);
        for device in reader.devices(None).await? {
            let Some(partner) = in_force.get(&device.partner).filter(|_| device.revoked_at.is_none()) else { continue };
            let heard = device.last_seen_at.unwrap_or(device.enrolled_at);
            let days = (now.as_second() - heard.as_second()) / 86_400;
            if days >= silent_days {
                due.push((
                    "合作单位设备",
                    format!(
                        "“{}”的设备“{}”（编号 {}）已 {days} 天没有联网，它的数据已过期。请联系该单位；不再使用的用 zyz partner revoke-device {} 停用",
                        partner.name, device.name, device.id, device.id
                    ),
                ));
            }
        }
        Ok(due)
    }

    /// Whether every valid card could be printed now.
    async fn printable(&self) -> Result<(), ServiceError> {
        let design = self.design()?;
        let all = self.whose(&Selection::All).await?;
        self.check_all(&design, &all, false).await
    }
}
