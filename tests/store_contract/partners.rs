//! Partners, offers, devices and the bundles for them.

use jiff::civil::date;
use zyz::domain::offer::OfferId;
use zyz::domain::partner::{Agreement, DeviceId, PartnerId};
use zyz::store::{Bundle, BundleMark, EnrolmentCode, NewPartner, StatusTokens, Store, StoreError, TrustList, Tx};
use zyz_credential::{HourWindow, Offer, OfferKind, OfferLimits, Weekdays};

use crate::support::{Database, begin, contract, entropy, insert_key, keys, later, now};

contract![
    partners_read_back,
    a_contact_is_sealed,
    an_agreement_number_twice,
    renewing_an_agreement,
    ending_an_agreement,
    offers_read_back,
    an_offer_ends_once,
    a_code_makes_one_device,
    one_of_two_with_a_code,
    a_device_is_revoked_once,
    a_device_is_noted_now_and_then,
    bundles_by_audience,
    status_tokens_replace_each_other,
    what_changes_signed_things,
];

pub fn partner_row(n: u32) -> NewPartner {
    NewPartner {
        name: format!("思茅区{n}号店"),
        kind: n.is_multiple_of(2).then(|| "餐饮".to_owned()),
        contact: Some(format!("岩老板 138000000{n:02}")),
        agreement: Agreement {
            number: format!("普志协〔2026〕{n}号"),
            from: date(2026, 1, 1),
            to: date(2027, 12, 31),
            ended_from: None,
        },
    }
}

pub async fn partner(tx: &mut Tx, n: u32) -> PartnerId {
    tx.insert_partner(&partner_row(n)).await.unwrap()
}

fn code(n: u8, partner: PartnerId) -> EnrolmentCode {
    EnrolmentCode {
        hash: [n; 32],
        partner,
        device_name: Some("收银台1".into()),
        expires_at: later(7 * 86_400),
        device: None,
    }
}

pub async fn device(tx: &mut Tx, partner: PartnerId, n: u8) -> DeviceId {
    let code = code(n, partner);
    tx.insert_enrolment_code(&code).await.unwrap();
    tx.enrol_device(&code, "收银台1", &[n; 32]).await.unwrap().unwrap()
}

async fn partners_read_back(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    let (first, second) = (partner(&mut tx, 1).await, partner(&mut tx, 2).await);
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let rows = reader.partners().await.unwrap();
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [first, second]);
    assert_eq!(reader.partner(first).await.unwrap(), Some(rows[0].clone()));
    assert_eq!((rows[0].name.as_str(), &rows[0].kind, rows[0].added_at), ("思茅区1号店", &None, now()));
    assert_eq!((&rows[1].kind, &rows[1].agreement), (&Some("餐饮".into()), &partner_row(2).agreement));
    assert_eq!(reader.partner(PartnerId(99)).await.unwrap(), None);
    let found = reader.partner_by_agreement("普志协〔2026〕2号").await.unwrap();
    assert_eq!(found.map(|row| row.id), Some(second));
    assert_eq!(reader.partner_by_agreement("普志协〔2026〕3号").await.unwrap(), None);
}

async fn a_contact_is_sealed(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    let id = partner(&mut tx, 1).await;
    let none = tx.insert_partner(&NewPartner { contact: None, ..partner_row(2) }).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.partner_contact(id).await.unwrap().unwrap().as_str(), "岩老板 13800000001");
    assert_eq!(reader.partner_contact(none).await.unwrap(), None);
    assert!(matches!(reader.partner_contact(PartnerId(9)).await, Err(StoreError::NotFound { .. })));
    drop(reader);
    db.execute("UPDATE partner SET contact_sealed = (SELECT contact_sealed FROM partner WHERE id = 1)").await;
    let moved = store.read().await.unwrap().partner_contact(none).await;
    assert!(matches!(moved, Err(StoreError::Sealed(_))), "bound to its row: {moved:?}");
}

async fn an_agreement_number_twice(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    partner(&mut tx, 1).await;
    let twice = tx.insert_partner(&NewPartner { name: "别家".into(), ..partner_row(1) }).await;
    assert!(matches!(twice, Err(StoreError::Duplicate { what: "协议编号", .. })), "{twice:?}");
}

async fn renewing_an_agreement(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    let (id, other) = (partner(&mut tx, 1).await, partner(&mut tx, 2).await);
    tx.renew_partner(id, "普志协〔2028〕1号", date(2029, 12, 31)).await.unwrap();
    let row = tx.partner(id).await.unwrap().unwrap();
    assert_eq!((row.agreement.number.as_str(), row.agreement.to), ("普志协〔2028〕1号", date(2029, 12, 31)));
    assert_eq!(row.agreement.from, date(2026, 1, 1), "offers that hold go on holding");
    let missing = tx.renew_partner(PartnerId(9), "x", date(2029, 12, 31)).await;
    assert!(matches!(missing, Err(StoreError::NotFound { .. })), "{missing:?}");
    let taken = tx.renew_partner(other, "普志协〔2028〕1号", date(2029, 12, 31)).await;
    assert!(matches!(taken, Err(StoreError::Duplicate { what: "协议编号", .. })), "{taken:?}");
}

async fn ending_an_agreement(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    let id = partner(&mut tx, 1).await;
    tx.end_partner(id, date(2026, 12, 1), "停业").await.unwrap();
    let row = tx.partner(id).await.unwrap().unwrap();
    assert_eq!((row.agreement.ended_from, row.end_reason.as_deref()), (Some(date(2026, 12, 1)), Some("停业")));
    let missing = tx.end_partner(PartnerId(9), date(2026, 12, 1), "停业").await;
    assert!(matches!(missing, Err(StoreError::NotFound { .. })), "{missing:?}");
    tx.commit().await.unwrap();
    let events = store.read().await.unwrap().audit_events(Some("partner/1"), 0, 9).await.unwrap();
    assert_eq!(events.iter().map(|event| event.action.as_str()).collect::<Vec<_>>(), ["partner.add", "partner.end"]);
    assert!(!events[0].detail.contains("138"), "no personal data in the trail");
}

async fn offers_read_back(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    let (first, second) = (partner(&mut tx, 1).await, partner(&mut tx, 2).await);
    let plain = Offer::new("whatever", OfferKind::Priority, "优先就诊");
    let full = Offer {
        terms: "每桌限一张\n酒水除外".into(),
        min_star: 3,
        valid_from: Some(1_790_000_000),
        valid_to: Some(1_800_000_000),
        weekdays: Weekdays::from_bits(0b001_1111).unwrap(),
        hours: vec![HourWindow { from: 540, to: 720 }, HourWindow { from: 840, to: 1440 }],
        limits: OfferLimits { per_day: Some(1), per_month: Some(u32::MAX), in_all: Some(100) },
        identity_check: true,
        max_status_age: Some(86_400),
        ..Offer::new("whatever", OfferKind::Free, "免费体检")
    };
    let a = tx.insert_offer(first, &plain).await.unwrap();
    let b = tx.insert_offer(second, &full).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let all = reader.offers(None, false).await.unwrap();
    assert_eq!(all.iter().map(|row| (row.id, row.partner)).collect::<Vec<_>>(), [(a, first), (b, second)]);
    assert_eq!(all[0].offer, Offer { id: a.to_string(), ..plain });
    assert_eq!(all[1].offer, Offer { id: b.to_string(), ..full });
    assert_eq!((all[1].added_at, all[1].ended_at), (now(), None));
    assert_eq!(reader.offers(Some(second), false).await.unwrap(), all[1..]);
    assert_eq!(reader.offer(b).await.unwrap().as_ref(), Some(&all[1]));
    assert_eq!(reader.offer(OfferId(9)).await.unwrap(), None);
}

async fn an_offer_ends_once(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    let id = partner(&mut tx, 1).await;
    let offer = tx.insert_offer(id, &Offer::new("", OfferKind::Discount, "九折")).await.unwrap();
    assert!(tx.end_offer(offer).await.unwrap());
    assert!(!tx.end_offer(offer).await.unwrap());
    assert!(!tx.end_offer(OfferId(9)).await.unwrap());
    assert_eq!(tx.offers(Some(id), false).await.unwrap(), []);
    assert_eq!(tx.offers(Some(id), true).await.unwrap()[0].ended_at, Some(now()));
}

async fn a_code_makes_one_device(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    let id = partner(&mut tx, 1).await;
    tx.insert_enrolment_code(&code(7, id)).await.unwrap();
    assert_eq!(tx.enrolment_code(&[7; 32]).await.unwrap(), Some(code(7, id)));
    assert_eq!(tx.enrolment_code(&[8; 32]).await.unwrap(), None);
    let made = tx.enrol_device(&code(7, id), "前台", &[70; 32]).await.unwrap().unwrap();
    assert_eq!(tx.enrol_device(&code(7, id), "又来", &[71; 32]).await.unwrap(), None, "used");
    assert_eq!(tx.enrolment_code(&[7; 32]).await.unwrap().unwrap().device, Some(made));
    let found = tx.device_by_token(&[70; 32]).await.unwrap().unwrap();
    assert_eq!((found.id, found.partner, found.name.as_str()), (made, id, "前台"));
    assert_eq!((found.enrolled_at, found.last_seen_at, found.revoked_at), (now(), None, None));
    assert_eq!(tx.device_by_token(&[71; 32]).await.unwrap(), None, "nothing is left of the second");
    assert_eq!(tx.devices(Some(id)).await.unwrap(), [found]);
    assert_eq!(tx.devices(Some(PartnerId(9))).await.unwrap(), []);
}

async fn one_of_two_with_a_code(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    let id = partner(&mut tx, 1).await;
    tx.insert_enrolment_code(&code(7, id)).await.unwrap();
    tx.commit().await.unwrap();
    let mut tasks = Vec::new();
    for process in 0..4_u8 {
        let store = Store::open(&db.url, &keys(), entropy(u64::from(process))).await.unwrap();
        tasks.push(tokio::spawn(async move {
            let mut tx = store.begin("并发", now()).await.unwrap();
            let made = tx.enrol_device(&code(7, id), "同一个码", &[100 + process; 32]).await.unwrap();
            tx.commit().await.unwrap();
            made
        }));
    }
    let mut made = 0;
    for task in tasks {
        made += usize::from(task.await.unwrap().is_some());
    }
    assert_eq!((made, db.number("SELECT count(*) FROM partner_device").await), (1, 1));
}

async fn a_device_is_revoked_once(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    let id = partner(&mut tx, 1).await;
    let device = device(&mut tx, id, 1).await;
    assert!(tx.revoke_device(device).await.unwrap());
    assert!(!tx.revoke_device(device).await.unwrap());
    assert!(!tx.revoke_device(DeviceId(9)).await.unwrap());
    assert_eq!(tx.device(device).await.unwrap().unwrap().revoked_at, Some(now()));
    assert_eq!(tx.device(DeviceId(9)).await.unwrap(), None);
}

async fn a_device_is_noted_now_and_then(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    let id = partner(&mut tx, 1).await;
    let device = device(&mut tx, id, 1).await;
    tx.commit().await.unwrap();
    let head = store.read().await.unwrap().audit_head().await.unwrap();
    let touch = |at: i64| {
        let store = store.clone();
        async move { store.touch_device(device, later(at), later(at - 3600)).await.unwrap() }
    };
    assert!(touch(0).await);
    assert!(!touch(3599).await);
    assert!(touch(3600).await);
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.device(device).await.unwrap().unwrap().last_seen_at, Some(later(3600)));
    assert_eq!(reader.audit_head().await.unwrap(), head, "no audit event");
}

async fn trust(tx: &mut Tx) {
    let list = TrustList { version: 1, issued_at: now(), expires_at: later(100), body: vec![1] };
    tx.insert_trust_list(&list).await.unwrap();
}

fn bundle(version: u64, audience: Option<PartnerId>) -> Bundle {
    Bundle {
        version,
        issued_at: later(version as i64),
        expires_at: later(1000),
        trust_list_version: 1,
        audience,
        digest: Some([version as u8; 32]),
        body: vec![version as u8; 100],
    }
}

async fn bundles_by_audience(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    trust(&mut tx).await;
    let (a, b) = (partner(&mut tx, 1).await, partner(&mut tx, 2).await);
    assert_eq!(tx.highest_bundle_version().await.unwrap(), 0);
    for (version, audience) in [(1, None), (2, Some(a)), (3, Some(b)), (4, None), (5, Some(a))] {
        tx.insert_bundle(&bundle(version, audience)).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    for (audience, version) in [(None, 4), (Some(a), 5), (Some(b), 3)] {
        assert_eq!(reader.latest_bundle(audience).await.unwrap(), Some(bundle(version, audience)));
        let mark = BundleMark {
            version,
            issued_at: later(version as i64),
            expires_at: later(1000),
            digest: Some([version as u8; 32]),
        };
        assert_eq!(reader.latest_bundle_mark(audience).await.unwrap(), Some(mark));
    }
    assert_eq!(reader.latest_bundle_mark(Some(PartnerId(9))).await.unwrap(), None);
    assert_eq!(reader.highest_bundle_version().await.unwrap(), 5);
    drop(reader);
    assert_eq!(db.number("SELECT count(*) FROM bundle").await, 3, "the newest for each audience");
}

async fn status_tokens_replace_each_other(db: Database) {
    let store = db.create().await;
    let key = insert_key(&store, 1).await;
    let tokens = |n: u8| StatusTokens {
        key,
        issued_at: later(i64::from(n)),
        expires_at: later(1000),
        ttl: 43_200,
        digest: [n; 32],
        cwt: vec![n; 70_000],
        jwt: vec![n + 1; 90_000],
    };
    let mut tx = begin(&store).await;
    assert_eq!(tx.status_tokens(key).await.unwrap(), None);
    tx.put_status_tokens(&tokens(1)).await.unwrap();
    tx.put_status_tokens(&tokens(2)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.read().await.unwrap().status_tokens(key).await.unwrap(), Some(tokens(2)));
}

async fn what_changes_signed_things(db: Database) {
    let store = db.create().await;
    let head = async || store.read().await.unwrap().audit_head().await.unwrap().0;
    let changed = async |seq| store.read().await.unwrap().signed_things_changed_since(seq).await.unwrap();
    let mut tx = begin(&store).await;
    trust(&mut tx).await;
    let id = partner(&mut tx, 1).await;
    tx.commit().await.unwrap();
    let before = head().await;
    assert!(changed(0).await && !changed(before).await);

    let mut tx = begin(&store).await;
    let used = device(&mut tx, id, 1).await;
    tx.revoke_device(used).await.unwrap();
    tx.insert_bundle(&bundle(1, Some(id))).await.unwrap();
    tx.audit("redemption.batch", "partner/1", serde_json::json!({}));
    tx.commit().await.unwrap();
    assert!(head().await > before && !changed(before).await, "none of this is in a bundle");

    let mut tx = begin(&store).await;
    tx.insert_offer(id, &Offer::new("", OfferKind::Free, "免费")).await.unwrap();
    tx.commit().await.unwrap();
    assert!(changed(before).await);
}
