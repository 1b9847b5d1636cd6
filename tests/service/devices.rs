//! Partners' agreements, enrolment, tokens.

use std::sync::Arc;

use jiff::civil::date;
use zyz::domain::partner::{DeviceId, PartnerId};
use zyz::service::enrol::{AuthenticateError, DeviceToken, EnrolError, EnrolLinkError, OneTimeCode, RevokeDeviceError};
use zyz::service::offers::{AddOfferError, EndOfferError, OfferDraft};
use zyz::service::partners::{PartnerDraft, PartnerError};
use zyz_credential::{OfferError, OfferLimits};

use crate::office::{Office, name, offer_draft, on_both, partner_draft};

on_both![
    a_link_makes_one_device,
    a_link_is_used_once_whoever_races,
    an_unknown_code,
    a_link_expires_to_the_second,
    no_device_after_the_agreement,
    links_that_are_refused,
    a_link_names_the_server,
    an_unknown_token,
    a_revoked_token,
    a_token_after_the_agreement,
    the_last_contact_is_noted_once_an_hour,
    neither_code_nor_token_is_stored,
    partners_that_are_refused,
    a_renewed_agreement_keeps_its_devices,
    agreements_that_cannot_be_renewed,
    agreements_that_cannot_be_ended,
    offers_that_are_refused,
];

fn token(text: &str) -> DeviceToken {
    text.parse().unwrap()
}

async fn a_link_makes_one_device(office: Office) {
    let partner = office.partner(1).await;
    let code = office.code(partner).await;
    let made = office.federation.enrol(&code, &name("收银台1")).await.unwrap();
    assert_eq!((made.partner.id.as_str(), made.partner.name.as_str()), ("1", "思茅区1号店"));
    assert_eq!(made.root_public_key, office.federation.root_public_hex().await.unwrap());
    let device = office.federation.authenticate(&token(&made.token)).await.unwrap();
    assert_eq!((device.device.to_string(), device.name.as_str()), (made.device_id, "收银台1"));
    assert_eq!((device.partner, device.agreement_ended), (partner, false));
    let again = office.federation.enrol(&code, &name("又来")).await;
    assert!(matches!(again, Err(EnrolError::UsedCode)), "{again:?}");
    assert_eq!(office.federation.devices(partner).await.unwrap().len(), 1);
}

async fn a_link_is_used_once_whoever_races(office: Office) {
    let partner = office.partner(1).await;
    let code = office.code(partner).await;
    let mut tasks = Vec::new();
    for _ in 0..3 {
        let (server, code) = (Arc::new(office.another().await), code.clone());
        tasks.push(tokio::spawn(async move { server.enrol(&code, &name("同时")).await }));
    }
    let mut made = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => made += 1,
            Err(refused) => assert!(matches!(refused, EnrolError::UsedCode), "{refused:?}"),
        }
    }
    assert_eq!((made, office.federation.devices(partner).await.unwrap().len()), (1, 1));
}

async fn an_unknown_code(office: Office) {
    let code: OneTimeCode = "0".repeat(26).parse().unwrap();
    let refused = office.federation.enrol(&code, &name("x")).await;
    assert!(matches!(refused, Err(EnrolError::UnknownCode)), "{refused:?}");
}

async fn a_link_expires_to_the_second(office: Office) {
    let partner = office.partner(1).await;
    let (code, late) = (office.code(partner).await, office.code(partner).await);
    office.pass(7 * 86_400 - 1);
    office.federation.enrol(&code, &name("最后一秒")).await.unwrap();
    office.pass(1);
    let refused = office.federation.enrol(&late, &name("晚了")).await;
    assert!(matches!(refused, Err(EnrolError::ExpiredCode)), "{refused:?}");
}

async fn no_device_after_the_agreement(office: Office) {
    let partner = office.partner(1).await;
    let code = office.code(partner).await;
    office.federation.end_partner(partner, None, "停业").await.unwrap();
    let refused = office.federation.enrol(&code, &name("x")).await;
    assert!(matches!(refused, Err(EnrolError::AgreementEnded)), "{refused:?}");
    let link = office.federation.enrolment_link(partner, None, None, 7).await;
    assert!(matches!(link, Err(EnrolLinkError::AgreementEnded { .. })), "{link:?}");
}

async fn links_that_are_refused(office: Office) {
    let partner = office.partner(1).await;
    let link = async |id, server, days| office.federation.enrolment_link(id, None, server, days).await;
    assert!(matches!(link(PartnerId(9), None, 7).await, Err(EnrolLinkError::UnknownPartner { .. })));
    for days in [0, 91] {
        assert!(matches!(link(partner, None, days).await, Err(EnrolLinkError::ValidDays)));
    }
    assert!(matches!(link(partner, Some(""), 7).await, Err(EnrolLinkError::NoServer)));
    for server in
        ["zyz.example.cn", "ftp://x/", "https://", "https:///x", "https://x/#a", "https://x/?a", "https://x y/"]
    {
        assert!(matches!(link(partner, Some(server), 7).await, Err(EnrolLinkError::ServerUrl)), "{server}");
    }
}

async fn a_link_names_the_server(office: Office) {
    let partner = office.partner(1).await;
    let root = office.federation.root_public_hex().await.unwrap();
    let link = office.federation.enrolment_link(partner, Some(&name("前台")), None, 1).await.unwrap();
    assert!(link.link.starts_with("https://zyz.example.cn/scan#enrol="), "{}", link.link);
    let (_, encoded) = link.link.rsplit_once("&root=").unwrap();
    assert_eq!(encoded.len(), 43);
    assert_eq!(link.root_fingerprint.replace(' ', ""), root);
    assert_eq!((link.root_fingerprint.split(' ').count(), link.device.as_deref()), (16, Some("前台")));
    assert_eq!(link.expires_at, "2026-11-24T08:00:00Z");
    let local = office.federation.enrolment_link(partner, None, Some("http://127.0.0.1:8080/zyz"), 7).await.unwrap();
    assert!(local.link.starts_with("http://127.0.0.1:8080/zyz/scan#enrol="), "{}", local.link);
}

async fn an_unknown_token(office: Office) {
    let nobody = format!("zyzp_{}", "A".repeat(43));
    let refused = office.federation.authenticate(&token(&nobody)).await;
    assert!(matches!(refused, Err(AuthenticateError::Unknown)), "{refused:?}");
}

async fn a_revoked_token(office: Office) {
    let partner = office.partner(1).await;
    let made = office.enrol(partner).await;
    let id: DeviceId = made.device_id.parse().unwrap();
    office.federation.revoke_device(id).await.unwrap();
    let first = office.federation.revoke_device(id).await.unwrap();
    assert!(first.revoked_at.is_some(), "again changes nothing");
    for refused in [
        office.federation.authenticate(&token(&made.token)).await,
        office.federation.authenticate_for_uses(&token(&made.token)).await,
    ] {
        assert!(matches!(refused, Err(AuthenticateError::Revoked)), "{refused:?}");
    }
    let missing = office.federation.revoke_device(DeviceId(9)).await;
    assert!(matches!(missing, Err(RevokeDeviceError::Unknown { .. })), "{missing:?}");
}

async fn a_token_after_the_agreement(office: Office) {
    let partner = office.partner(1).await;
    let made = token(&office.enrol(partner).await.token);
    office.set("2027-12-31T15:59:59Z");
    assert!(office.federation.authenticate(&made).await.is_ok());
    office.pass(1);
    let refused = office.federation.authenticate(&made).await;
    assert!(matches!(refused, Err(AuthenticateError::Ended)), "{refused:?}");
    assert!(office.federation.authenticate_for_uses(&made).await.unwrap().agreement_ended, "uses are still taken");
}

async fn the_last_contact_is_noted_once_an_hour(office: Office) {
    let partner = office.partner(1).await;
    let made = token(&office.enrol(partner).await.token);
    let seq = office.federation.state_seq().await.unwrap();
    let mut noted = Vec::new();
    for _ in 0..3 {
        office.federation.authenticate(&made).await.unwrap();
        noted.push(office.federation.devices(partner).await.unwrap()[0].last_seen_at.clone().unwrap());
        office.pass(1800);
    }
    assert_eq!(noted, ["2026-11-23T08:00:00Z", "2026-11-23T08:00:00Z", "2026-11-23T09:00:00Z"]);
    assert_eq!(office.federation.state_seq().await.unwrap(), seq);
}

async fn neither_code_nor_token_is_stored(office: Office) {
    let partner = office.partner(1).await;
    let link = office.federation.enrolment_link(partner, None, None, 7).await.unwrap();
    let made = office.federation.enrol(&crate::office::code_of(&link.link), &name("前台")).await.unwrap();
    let secret = made.token.strip_prefix("zyzp_").unwrap();
    assert!(!format!("{made:?} {link:?}").contains(secret), "nor shown");
    let code = link.link.split_once("#enrol=").unwrap().1.split_once('&').unwrap().0.to_owned();
    office.federation.publish(&office.path("public"), 0, &[partner]).await.unwrap();
    for path in ["zyz.db", "zyz.db-wal"].map(|name| office.path(name)) {
        let bytes = std::fs::read(path).unwrap_or_default();
        for secret in [secret, code.as_str()] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
        }
    }
}

async fn partners_that_are_refused(office: Office) {
    office.partner(1).await;
    let add = async |draft: PartnerDraft| office.federation.add_partner(draft).await.unwrap_err();
    let draft = || partner_draft(2);
    assert!(matches!(add(PartnerDraft { name: " ".into(), ..draft() }).await, PartnerError::Name));
    assert!(matches!(add(PartnerDraft { name: "店".repeat(61), ..draft() }).await, PartnerError::Name));
    assert!(matches!(add(PartnerDraft { kind: Some("a\nb".into()), ..draft() }).await, PartnerError::Kind));
    assert!(matches!(add(PartnerDraft { contact: Some("人".repeat(201)), ..draft() }).await, PartnerError::Contact));
    let unnumbered = PartnerDraft { agreement_number: String::new(), ..draft() };
    assert!(matches!(add(unnumbered).await, PartnerError::AgreementNumber));
    let backwards = PartnerDraft { to: date(2025, 12, 31), ..draft() };
    assert!(matches!(add(backwards).await, PartnerError::AgreementDates { .. }));
    let over = PartnerDraft { to: date(2026, 11, 22), ..draft() };
    assert!(matches!(add(over).await, PartnerError::AgreementOver { .. }));
    let taken = add(PartnerDraft { name: "别家".into(), ..partner_draft(1) }).await;
    assert!(matches!(&taken, PartnerError::AgreementTaken { id: PartnerId(1), .. }), "{taken:?}");
    assert!(matches!(office.federation.partner(PartnerId(9)).await, Err(PartnerError::Unknown { .. })));
    assert!(matches!(office.federation.devices(PartnerId(9)).await, Err(PartnerError::Unknown { .. })));
    let (from, to) = (Some(date(2026, 2, 1)), Some(date(2026, 1, 1)));
    let usage = office.federation.partner_usage(PartnerId(1), from, to).await;
    assert!(matches!(usage, Err(PartnerError::Period { .. })), "{usage:?}");
}

async fn a_renewed_agreement_keeps_its_devices(office: Office) {
    let partner = office.partner(1).await;
    let made = token(&office.enrol(partner).await.token);
    office.set("2028-01-01T00:00:00Z");
    assert!(matches!(office.federation.authenticate(&made).await, Err(AuthenticateError::Ended)));
    let line = office.federation.renew_partner(partner, "普志协〔2028〕1号", date(2028, 12, 31)).await.unwrap();
    assert_eq!((line.state, line.agreement_to), ("in_force", date(2028, 12, 31)));
    assert!(office.federation.authenticate(&made).await.is_ok());
    office.federation.add_offer(partner, offer_draft()).await.unwrap();
}

async fn agreements_that_cannot_be_renewed(office: Office) {
    let (id, other) = (office.partner(1).await, office.partner(2).await);
    let renew = async |id, number: &str, to| office.federation.renew_partner(id, number, to).await.unwrap_err();
    let later = date(2029, 1, 1);
    assert!(matches!(renew(PartnerId(9), "x", later).await, PartnerError::Unknown { .. }));
    assert!(matches!(renew(id, " ", later).await, PartnerError::AgreementNumber));
    assert!(matches!(renew(id, "x", date(2027, 12, 31)).await, PartnerError::NotLonger { .. }));
    let taken = renew(id, "普志协〔2026〕2号", later).await;
    assert!(matches!(taken, PartnerError::AgreementTaken { id: PartnerId(2), .. }), "{taken:?}");
    office.federation.end_partner(other, None, "停业").await.unwrap();
    assert!(matches!(renew(other, "x", later).await, PartnerError::AlreadyEnded { .. }));
    office.set("2028-06-01T00:00:00Z");
    assert!(matches!(renew(id, "x", date(2028, 5, 31)).await, PartnerError::NotLonger { .. }), "over again at once");
}

async fn agreements_that_cannot_be_ended(office: Office) {
    let id = office.partner(1).await;
    let end = async |on, reason: &str| office.federation.end_partner(id, on, reason).await;
    assert!(matches!(end(None, " ").await, Err(PartnerError::Reason)));
    assert!(matches!(end(Some(date(2026, 11, 22)), "x").await, Err(PartnerError::EndInThePast { .. })));
    assert!(matches!(end(Some(date(2028, 1, 1)), "x").await, Err(PartnerError::EndAfterAgreement { .. })));
    let unknown = office.federation.end_partner(PartnerId(9), None, "x").await;
    assert!(matches!(unknown, Err(PartnerError::Unknown { .. })));
    assert_eq!(end(Some(date(2026, 12, 1)), "转让").await.unwrap().state, "in_force", "until then");
    let ended = end(Some(office.today()), "马上").await.unwrap();
    assert_eq!((ended.state, ended.end_reason.as_deref()), ("ended", Some("马上")));
    assert!(matches!(end(None, "再来").await, Err(PartnerError::AlreadyEnded { .. })));
    assert_eq!(office.federation.partners(false).await.unwrap().len(), 0);
    assert_eq!(office.federation.partners(true).await.unwrap().len(), 1);
}

async fn offers_that_are_refused(office: Office) {
    let id = office.partner(1).await;
    let add = async |draft: OfferDraft| office.federation.add_offer(id, draft).await.unwrap_err();
    let untitled = add(OfferDraft { title: " ".into(), ..offer_draft() }).await;
    assert!(matches!(untitled, AddOfferError::Offer(OfferError::Title)), "{untitled:?}");
    let stars = add(OfferDraft { min_star: 6, ..offer_draft() }).await;
    assert!(matches!(stars, AddOfferError::Offer(OfferError::StarRange(6))), "{stars:?}");
    let limits = OfferLimits { per_day: Some(0), ..OfferLimits::default() };
    let never = add(OfferDraft { limits, ..offer_draft() }).await;
    assert!(matches!(never, AddOfferError::Offer(OfferError::Limits)), "{never:?}");
    let (from, to) = (Some(date(2027, 1, 2)), Some(date(2027, 1, 1)));
    let backwards = add(OfferDraft { from, to, ..offer_draft() }).await;
    assert!(matches!(backwards, AddOfferError::Offer(OfferError::Validity)), "{backwards:?}");
    let later = add(OfferDraft { from: Some(date(2028, 1, 1)), ..offer_draft() }).await;
    assert!(matches!(later, AddOfferError::OutsideAgreement { .. }), "{later:?}");
    let unknown = office.federation.add_offer(PartnerId(9), offer_draft()).await;
    assert!(matches!(unknown, Err(AddOfferError::UnknownPartner { .. })), "{unknown:?}");
    let line =
        office.federation.add_offer(id, OfferDraft { to: Some(date(2027, 1, 1)), ..offer_draft() }).await.unwrap();
    assert_eq!((line.from, line.to), (None, Some(date(2027, 1, 1))));
    let offer = line.id.to_string().parse().unwrap();
    office.federation.end_offer(offer).await.unwrap();
    assert!(matches!(office.federation.end_offer(offer).await, Err(EndOfferError::AlreadyEnded { .. })));
    let missing = office.federation.end_offer("9".parse().unwrap()).await;
    assert!(matches!(missing, Err(EndOfferError::Unknown { .. })), "{missing:?}");
    office.federation.end_partner(id, None, "停业").await.unwrap();
    let ended = add(offer_draft()).await;
    assert!(matches!(ended, AddOfferError::AgreementEnded { .. }), "{ended:?}");
}
