//! Judging online, and asking for a number.

use zyz::domain::certificate::Reason as Why;
use zyz::domain::partner::PartnerId;
use zyz::service::bundles::BundleError;
use zyz::service::keys::RootAccess;
use zyz_credential::{CertificateNumber, Ineligible, OfferLimits, Outcome, Reason};
use zyz_http::wire::Standing;

use crate::office::{Office, on_both};
use crate::uses::{batch, used};

on_both![
    a_card_with_and_without_a_partner,
    a_card_revoked_a_moment_ago,
    no_code_at_all,
    a_partner_that_is_not_known,
    uses_sent_count_against_the_limit,
    a_number_by_its_standing,
    a_number_never_given,
    a_number_whose_card_expired,
    a_number_whose_key_was_stolen,
];

async fn a_card_with_and_without_a_partner(office: Office) {
    let number = office.volunteers(1).await[0];
    let partner = office.partner(1).await;
    office.offer(partner, OfferLimits::default()).await;
    let (text, ..) = office.card(number).await;
    let public = office.federation.verify(&text, None).await.unwrap();
    assert_eq!((public.verdict, public.reason), (Outcome::Accept, Reason::Ok));
    assert_eq!(public.certificate.unwrap().number, number);
    assert_eq!(public.offers.unwrap(), []);
    let partner = office.federation.verify(&text, Some(partner)).await.unwrap();
    let offers = partner.offers.unwrap();
    assert_eq!((offers.len(), offers[0].eligibility), (1, Ok(())));
}

async fn a_card_revoked_a_moment_ago(office: Office) {
    let number = office.volunteers(1).await[0];
    let (text, ..) = office.card(number).await;
    assert_eq!(office.federation.verify(&text, None).await.unwrap().reason, Reason::Ok);
    office.federation.revoke(number, Why::Lost).await.unwrap();
    assert_eq!(office.federation.verify(&text, None).await.unwrap().reason, Reason::Revoked);
}

async fn no_code_at_all(office: Office) {
    for text in ["", "https://example.com/", "12345"] {
        let verdict = office.federation.verify(text, None).await.unwrap();
        assert_eq!(verdict.reason, Reason::Malformed, "{text}");
    }
}

async fn a_partner_that_is_not_known(office: Office) {
    let asked = office.federation.verify("", Some(PartnerId(9))).await;
    assert!(matches!(asked, Err(BundleError::UnknownPartner { .. })), "{asked:?}");
}

async fn uses_sent_count_against_the_limit(office: Office) {
    let number = office.volunteers(1).await[0];
    let partner = office.partner(1).await;
    let offer = office.offer(partner, OfferLimits { per_day: Some(1), ..OfferLimits::default() }).await;
    let (first, second) = (office.device(partner).await, office.device(partner).await);
    let card = office.card(number).await;
    let eligibility = async || {
        let verdict = office.federation.verify(&card.0, Some(partner)).await.unwrap();
        verdict.offers.unwrap()[0].eligibility
    };
    assert_eq!(eligibility().await, Ok(()));
    let given = used(&office, 1, &card, &offer);
    office.federation.redeem(&first, &batch([given.clone()], [])).await.unwrap();
    assert_eq!(eligibility().await, Err(Ineligible::UsedToday), "whichever device it was given at");
    let undo = crate::uses::reversal(&office, 2, given.id);
    office.federation.redeem(&second, &batch([], [undo])).await.unwrap();
    assert_eq!(eligibility().await, Ok(()), "taken back");
}

async fn a_number_by_its_standing(office: Office) {
    let numbers = office.volunteers(4).await;
    office.federation.suspend(numbers[1], Why::Other).await.unwrap();
    office.federation.revoke(numbers[2], Why::Misuse).await.unwrap();
    office.federation.replace(numbers[3], Why::Lost).await.unwrap();
    let standing = async |n: usize| office.federation.lookup(numbers[n]).await.unwrap();
    let good = standing(0).await;
    assert_eq!((good.standing, good.star, good.number), (Standing::Valid, Some(0), numbers[0].to_string()));
    assert!(good.holder.unwrap().ends_with('*') && good.message.contains("核对持证人"));
    assert_eq!(standing(1).await.standing, Standing::Suspended);
    assert!(standing(1).await.message.contains("已暂停"));
    assert_eq!(standing(2).await.standing, Standing::Revoked);
    assert_eq!(standing(3).await.standing, Standing::Valid, "the newest card");
}

async fn a_number_never_given(office: Office) {
    let number = CertificateNumber::from_parts(2, 7_654_321).unwrap();
    let found = office.federation.lookup(number).await.unwrap();
    assert_eq!((found.standing, found.star, found.holder), (Standing::Unknown, None, None));
    assert!(found.message.contains("查无此证"));
}

async fn a_number_whose_card_expired(office: Office) {
    let number = office.volunteers(1).await[0];
    office.set("2027-12-31T15:59:59Z");
    let found = office.federation.lookup(number).await.unwrap();
    assert_eq!(found.standing, Standing::Expired);
    assert!(found.message.contains("2027-12-31"), "{}", found.message);
}

async fn a_number_whose_key_was_stolen(office: Office) {
    let number = office.volunteers(1).await[0];
    let (.., kid) = office.card(number).await;
    office.federation.compromise_key(&kid.to_string(), RootAccess::default()).await.unwrap();
    assert_eq!(office.federation.lookup(number).await.unwrap().standing, Standing::Revoked);
}
