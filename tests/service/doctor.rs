//! What the administrator is told about partners.

use jiff::civil::date;
use zyz::service::partners::PartnerDraft;

use crate::office::{Office, on_both, partner_draft};

on_both![an_agreement_about_to_end, a_device_that_was_silent, nothing_about_partners_who_left];

/// What the doctor says of partners.
async fn says(office: &Office) -> Vec<String> {
    let report = office.federation.doctor().await.unwrap();
    let about = ["合作协议", "合作单位设备", "合作单位"];
    let due: Vec<_> = report.checks.iter().filter(|check| about.contains(&check.what)).collect();
    assert!(due.iter().all(|check| check.ok == (check.what == "合作单位")));
    due.iter().map(|check| check.says.clone()).collect()
}

async fn an_agreement_about_to_end(office: Office) {
    office.federation.add_partner(PartnerDraft { to: date(2026, 12, 31), ..partner_draft(1) }).await.unwrap();
    office.set("2026-12-01T16:00:00Z");
    assert_eq!(says(&office).await, ["没有即将到期的协议，没有失联的设备"], "thirty days are left");
    office.pass(1);
    let said = says(&office).await;
    assert!(said[0].contains("到 2026-12-31 为止，还有 29 天"), "{said:?}");
}

async fn a_device_that_was_silent(office: Office) {
    let partner = office.partner(1).await;
    office.device(partner).await;
    office.pass(30 * 86_400 - 1);
    assert_eq!(says(&office).await.len(), 1);
    office.pass(1);
    let said = says(&office).await;
    assert!(said[0].contains("收银台1") && said[0].contains("30 天没有联网"), "{said:?}");
}

async fn nothing_about_partners_who_left(office: Office) {
    let partner = office.partner(1).await;
    let device = office.device(partner).await;
    office.pass(40 * 86_400);
    office.federation.revoke_device(device.device).await.unwrap();
    assert_eq!(says(&office).await, ["没有即将到期的协议，没有失联的设备"]);
    office.device(partner).await;
    office.federation.end_partner(partner, None, "停业").await.unwrap();
    office.pass(40 * 86_400);
    assert_eq!(says(&office).await, ["没有即将到期的协议，没有失联的设备"]);
}
