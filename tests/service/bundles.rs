//! Bundles, trust list and status lists as the server hands them out.

use std::sync::Arc;

use zyz::domain::certificate::Reason;
use zyz::domain::partner::PartnerId;
use zyz::keystore::Role;
use zyz::service::bundles::{Audience, BundleError, TokenForm};
use zyz::service::keys::RootAccess;
use zyz_credential::{Bundle, KeyId, Offer, OfferLimits, OpenBundle, PublicKey, TrustState};

use crate::office::{Office, offer_draft, on_both};

on_both![
    the_same_bytes_while_nothing_changes,
    signed_anew_after_the_refresh_time,
    signed_anew_after_a_clock_was_wrong,
    signed_anew_when_a_card_is_revoked,
    a_use_or_a_device_is_no_reason_to_sign,
    no_two_audiences_share_a_version,
    a_partner_sees_its_offers_only,
    an_offer_ended_leaves_the_bundle,
    an_agreement_ended_ends_its_offers,
    an_agreement_past_its_last_day_ends_by_itself,
    an_offer_lasts_no_longer_than_the_agreement,
    an_unknown_partner_has_no_bundle,
    two_servers_serve_the_same_bytes,
    two_servers_sign_once,
    published_files_and_the_server_never_share_a_version,
    a_verifier_takes_every_bundle_in_turn,
    a_new_bundle_key_signs,
    a_key_rotated_in_is_opened_when_needed,
    a_missing_key_file_names_the_command,
    status_lists_until_half_of_their_life,
    status_lists_when_a_card_changes,
    status_lists_are_the_same_from_two_servers,
    no_status_list_for_an_unknown_key,
    the_trust_list_is_the_newest,
    refresh_signs_what_is_due,
    bundles_of_the_older_release_are_replaced,
];

async fn open(office: &Office, audience: Audience) -> OpenBundle {
    let stored = office.federation.bundle_for(audience).await.unwrap();
    let open = Bundle::open(&stored.body, &root(office).await).unwrap();
    assert_eq!(open.bundle.version, stored.version);
    open
}

async fn root(office: &Office) -> PublicKey {
    let hex = office.federation.root_public_hex().await.unwrap();
    PublicKey::accept(&hex::decode(hex).unwrap().try_into().unwrap()).unwrap()
}

async fn version(office: &Office) -> u64 {
    office.federation.bundle_for(Audience::Public).await.unwrap().version
}

async fn offers(office: &Office, partner: PartnerId) -> Vec<Offer> {
    open(office, Audience::Partner(partner)).await.bundle.offers
}

async fn the_same_bytes_while_nothing_changes(office: Office) {
    let first = office.federation.bundle_for(Audience::Public).await.unwrap();
    assert_eq!((first.version, first.issued_at), (1, office.now()));
    assert_eq!((first.expires_at.as_second() - first.issued_at.as_second()) / 86_400, 30);
    let seq = office.federation.state_seq().await.unwrap();
    office.pass(3599);
    let again = office.federation.bundle_for(Audience::Public).await.unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    assert_eq!(office.federation.state_seq().await.unwrap(), seq);
    assert!(open(&office, Audience::Public).await.bundle.offers.is_empty());
}

async fn signed_anew_after_the_refresh_time(office: Office) {
    let first = office.federation.bundle_for(Audience::Public).await.unwrap();
    office.pass(3600);
    let next = office.federation.bundle_for(Audience::Public).await.unwrap();
    assert_eq!((next.version, next.issued_at), (2, office.now()));
    assert_ne!(first.etag, next.etag);
}

async fn signed_anew_after_a_clock_was_wrong(office: Office) {
    office.set("2027-06-01T00:00:00Z");
    assert_eq!(version(&office).await, 1);
    office.set(crate::office::NOW);
    let next = office.federation.bundle_for(Audience::Public).await.unwrap();
    assert_eq!((next.version, next.issued_at), (2, office.now()));
    office.pass(-86_400);
    assert_eq!(version(&office).await, 2, "a day is forgiven");
}

async fn signed_anew_when_a_card_is_revoked(office: Office) {
    let numbers = office.volunteers(2).await;
    assert_eq!(version(&office).await, 1);
    office.pass(1);
    office.federation.revoke(numbers[0], Reason::Misuse).await.unwrap();
    let open = open(&office, Audience::Public).await;
    assert_eq!((open.bundle.version, open.bundle.lists[0].revoked.len()), (2, 1));
    office.federation.suspend(numbers[1], Reason::Other).await.unwrap();
    office.federation.resume(numbers[1], Reason::Resumed).await.unwrap();
    assert_eq!(version(&office).await, 2, "it says the same again");
}

async fn a_use_or_a_device_is_no_reason_to_sign(office: Office) {
    let partner = office.partner(1).await;
    let audience = Audience::Partner(partner);
    let first = office.federation.bundle_for(audience).await.unwrap();
    office.device(partner).await;
    office.volunteers(1).await;
    let again = office.federation.bundle_for(audience).await.unwrap();
    assert_eq!(first, again);
}

async fn no_two_audiences_share_a_version(office: Office) {
    let (a, b) = (office.partner(1).await, office.partner(2).await);
    let mut versions = Vec::new();
    for _ in 0..2 {
        for audience in [Audience::Public, Audience::Partner(a), Audience::Partner(b)] {
            versions.push(office.federation.bundle_for(audience).await.unwrap().version);
        }
        office.pass(3600);
    }
    assert_eq!(versions, [1, 2, 3, 4, 5, 6]);
}

async fn a_partner_sees_its_offers_only(office: Office) {
    let (a, b) = (office.partner(1).await, office.partner(2).await);
    let offer = office.offer(a, OfferLimits::default()).await;
    office.offer(b, OfferLimits::default()).await;
    let seen = offers(&office, a).await;
    assert_eq!(seen.iter().map(|offer| offer.id.as_str()).collect::<Vec<_>>(), [offer.as_str()]);
}

async fn an_offer_ended_leaves_the_bundle(office: Office) {
    let partner = office.partner(1).await;
    let offer = office.offer(partner, OfferLimits::default()).await;
    assert_eq!(offers(&office, partner).await.len(), 1);
    office.federation.end_offer(offer.parse().unwrap()).await.unwrap();
    assert_eq!(offers(&office, partner).await, []);
}

async fn an_agreement_ended_ends_its_offers(office: Office) {
    let partner = office.partner(1).await;
    office.offer(partner, OfferLimits::default()).await;
    assert_eq!(offers(&office, partner).await.len(), 1);
    office.federation.end_partner(partner, None, "停业").await.unwrap();
    assert_eq!(offers(&office, partner).await, []);
}

async fn an_agreement_past_its_last_day_ends_by_itself(office: Office) {
    let partner = office.partner(1).await;
    office.offer(partner, OfferLimits::default()).await;
    office.set("2027-12-31T15:59:59Z");
    assert_eq!(offers(&office, partner).await.len(), 1);
    office.pass(3600);
    assert_eq!(offers(&office, partner).await, []);
}

async fn an_offer_lasts_no_longer_than_the_agreement(office: Office) {
    let partner = office.partner(1).await;
    office.offer(partner, OfferLimits::default()).await;
    office.federation.end_partner(partner, Some("2026-12-01".parse().unwrap()), "转让").await.unwrap();
    let offer = offers(&office, partner).await.remove(0);
    assert_eq!(offer.valid_to, Some(1_796_054_400), "2026-11-30T16:00:00Z, whether or not a newer bundle arrives");
}

async fn an_unknown_partner_has_no_bundle(office: Office) {
    let asked = office.federation.bundle_for(Audience::Partner(PartnerId(9))).await;
    assert!(matches!(asked, Err(BundleError::UnknownPartner { id: PartnerId(9) })), "{asked:?}");
}

async fn two_servers_serve_the_same_bytes(office: Office) {
    let other = office.another().await;
    let partner = office.partner(1).await;
    for audience in [Audience::Public, Audience::Partner(partner)] {
        let first = office.federation.bundle_for(audience).await.unwrap();
        assert_eq!(*first, *other.bundle_for(audience).await.unwrap());
    }
    office.pass(3600);
    let renewed = other.bundle_for(Audience::Public).await.unwrap();
    assert_eq!(*renewed, *office.federation.bundle_for(Audience::Public).await.unwrap(), "the first one sees it");
}

async fn two_servers_sign_once(office: Office) {
    let mut servers = vec![Arc::new(office.another().await), Arc::new(office.another().await)];
    servers.push(Arc::new(office.another().await));
    for server in &servers {
        server.unlock_signing().await.unwrap();
    }
    for round in 1..=3 {
        let tasks: Vec<_> = servers
            .iter()
            .flat_map(|server| (0..4).map(|_| server.clone()))
            .map(|server| tokio::spawn(async move { server.bundle_for(Audience::Public).await.unwrap() }))
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap().version, round);
        }
        office.pass(3600);
    }
}

async fn published_files_and_the_server_never_share_a_version(office: Office) {
    let partner = office.partner(1).await;
    office.offer(partner, OfferLimits::default()).await;
    let out = office.path("public");
    let done = office.federation.publish(&out, 0, &[partner]).await.unwrap();
    assert_eq!((done.bundle_version, done.partners[0].bundle_version, done.partners[0].offers), (1, 2, 1));
    let file = std::fs::read(out.join("partners/1/bundle.cose")).unwrap();
    let served = office.federation.bundle_for(Audience::Partner(partner)).await.unwrap();
    assert_eq!(served.body, file, "what was published is handed out too");
    assert_eq!(std::fs::read(out.join("bundle.cose")).unwrap().len(), done.bundle_bytes);
    let again = office.federation.publish(&out, 0, &[]).await.unwrap();
    assert_eq!(again.bundle_version, 3);
    let nobody = office.federation.publish(&out, 0, &[PartnerId(9)]).await;
    assert!(nobody.unwrap_err().to_string().contains("没有编号为 9"));
    assert_eq!(version(&office).await, 3, "nothing of the refused one was kept");
}

async fn a_verifier_takes_every_bundle_in_turn(office: Office) {
    let partner = office.partner(1).await;
    let mut state = TrustState::new(root(&office).await.as_bytes()).unwrap();
    for _ in 0..3 {
        office.offer(partner, OfferLimits::default()).await;
        office.federation.bundle_for(Audience::Public).await.unwrap();
        let stored = office.federation.bundle_for(Audience::Partner(partner)).await.unwrap();
        assert!(state.accept(&stored.body).unwrap().new);
        assert!(!state.accept(&stored.body).unwrap().new);
    }
    assert_eq!(state.offers().len(), 3);
}

async fn a_new_bundle_key_signs(office: Office) {
    let first = open(&office, Audience::Public).await;
    office.pass(10);
    office.federation.rotate_key(Role::Bundle, RootAccess::default()).await.unwrap();
    let next = open(&office, Audience::Public).await;
    assert_ne!(first.signer, next.signer);
    assert_eq!((next.bundle.version, next.trust_list.version), (2, 2));
}

async fn a_key_rotated_in_is_opened_when_needed(office: Office) {
    let server = office.another().await;
    server.unlock_signing().await.unwrap();
    server.bundle_for(Audience::Public).await.unwrap();
    office.pass(10);
    office.federation.rotate_key(Role::Bundle, RootAccess::default()).await.unwrap();
    assert_eq!(server.bundle_for(Audience::Public).await.unwrap().version, 2, "without a restart");
}

async fn a_missing_key_file_names_the_command(office: Office) {
    for entry in std::fs::read_dir(office.key_folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with("bundle-") {
            std::fs::remove_file(path).unwrap();
        }
    }
    for refused in [
        office.federation.unlock_signing().await.unwrap_err().to_string(),
        office.federation.bundle_for(Audience::Public).await.unwrap_err().to_string(),
        office.federation.refresh().await.unwrap_err().to_string(),
    ] {
        assert!(refused.contains("zyz key rotate"), "{refused}");
    }
    let kid = issuing(&office).await;
    assert!(office.federation.status_list(kid, TokenForm::Cwt).await.unwrap().is_some(), "what can be signed is");
}

async fn issuing(office: &Office) -> KeyId {
    let keys = office.federation.keys().await.unwrap();
    let key = keys.iter().rev().find(|key| key.role == "issuing").unwrap();
    KeyId(hex::decode(&key.kid).unwrap().try_into().unwrap())
}

async fn token(office: &Office, form: TokenForm) -> Arc<zyz::service::bundles::StoredToken> {
    office.federation.status_list(issuing(office).await, form).await.unwrap().unwrap()
}

async fn status_lists_until_half_of_their_life(office: Office) {
    let (cwt, jwt) = (token(&office, TokenForm::Cwt).await, token(&office, TokenForm::Jwt).await);
    assert_ne!(cwt.body, jwt.body);
    assert_eq!((cwt.issued_at, cwt.issued_at, cwt.ttl), (office.now(), jwt.issued_at, 43_200));
    office.pass(7 * 43_200 - 1);
    assert_eq!(*token(&office, TokenForm::Jwt).await, *jwt);
    office.pass(1);
    let next = token(&office, TokenForm::Jwt).await;
    assert_eq!(next.issued_at, office.now());
    assert_ne!(next.etag, jwt.etag);
}

async fn status_lists_when_a_card_changes(office: Office) {
    let numbers = office.volunteers(1).await;
    let first = token(&office, TokenForm::Cwt).await;
    office.pass(1);
    office.federation.revoke(numbers[0], Reason::Exit).await.unwrap();
    let next = token(&office, TokenForm::Cwt).await;
    assert_eq!(next.issued_at, office.now());
    assert_ne!(next.etag, first.etag);
}

async fn status_lists_are_the_same_from_two_servers(office: Office) {
    let (other, kid) = (office.another().await, issuing(&office).await);
    for form in [TokenForm::Cwt, TokenForm::Jwt] {
        let first = office.federation.status_list(kid, form).await.unwrap().unwrap();
        office.pass(60);
        assert_eq!(*other.status_list(kid, form).await.unwrap().unwrap(), *first);
    }
}

async fn no_status_list_for_an_unknown_key(office: Office) {
    let asked = office.federation.status_list(KeyId([0; 4]), TokenForm::Cwt).await.unwrap();
    assert_eq!(asked, None);
    let kid = issuing(&office).await;
    office.federation.compromise_key(&kid.to_string(), RootAccess::default()).await.unwrap();
    let asked = office.federation.status_list(kid, TokenForm::Cwt).await.unwrap();
    assert_eq!(asked, None, "nothing it signed is good");
}

async fn the_trust_list_is_the_newest(office: Office) {
    let first = office.federation.trust_list().await.unwrap();
    assert_eq!(first.version, 1);
    office.federation.renew_trust_list(RootAccess::default()).await.unwrap();
    let next = office.federation.trust_list().await.unwrap();
    assert_eq!(next.version, 2);
    assert_ne!(first.etag, next.etag);
    assert_eq!(open(&office, Audience::Public).await.bundle.trust_list, next.body);
}

async fn refresh_signs_what_is_due(office: Office) {
    office.federation.refresh().await.unwrap();
    let seq = office.federation.state_seq().await.unwrap();
    office.federation.refresh().await.unwrap();
    assert_eq!(office.federation.state_seq().await.unwrap(), seq, "nothing was due");
    office.pass(3600);
    office.federation.refresh().await.unwrap();
    assert_eq!(version(&office).await, 2);
}

/// A bundle without a digest was signed by a release that did not keep one.
async fn bundles_of_the_older_release_are_replaced(office: Office) {
    let partner = office.partner(1).await;
    office.federation.add_offer(partner, offer_draft()).await.unwrap();
    let first = office.federation.bundle_for(Audience::Public).await.unwrap();
    office.forget_digests().await;
    let other = office.another().await;
    assert_eq!(other.bundle_for(Audience::Public).await.unwrap().version, first.version + 1);
}
