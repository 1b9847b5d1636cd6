//! What one room adds beside the others': merging and leaving take it along, and what stands twice stays in step.

use jiff::civil::date;
use zyz::domain::application::{ApplicationState, ApplicationText};
use zyz::domain::certificate::{CertificateState, Reason};
use zyz::store::{
    ApplicationDraft, ApplicationId, ApplicationStep, NewProof, NewServiceRecord, StoredPhoto, VolunteerId,
};

use crate::support::{Database, begin, card, contract, identity, insert_key, number, office, register};

contract![
    merging_takes_everything_along,
    a_photo_of_their_own_stays,
    leaving_erases_what_forms_and_photos_hold,
    the_star_on_the_card_follows_the_card,
];

fn photo() -> StoredPhoto {
    StoredPhoto { jpeg: b"\xff\xd8 a photo".to_vec(), width: 3, height: 4 }
}

fn served(volunteer: VolunteerId, day: i8) -> NewServiceRecord {
    NewServiceRecord {
        volunteer,
        date: date(2026, 3, day),
        start_minute: None,
        end_minute: None,
        minutes: 120,
        content: "清理河道".into(),
        activity: None,
        place: None,
        item: None,
        flags: 0,
        organiser: None,
        in_charge: None,
        late_reason: None,
    }
}

/// A form that became this volunteer, and one of theirs that is still being written.
async fn with_forms(tx: &mut zyz::store::Tx, whose: VolunteerId, n: u32) -> (ApplicationId, ApplicationId) {
    let unit = office(tx).await;
    let text = ApplicationText {
        name: "岩温扁".into(),
        mobile: "13800000009".into(),
        address: "思茅区".into(),
        guardian_phone: "13800000008".into(),
        resume: "曾任教师".into(),
        ..ApplicationText::default()
    };
    let who = identity(n);
    let draft = ApplicationDraft { unit: unit.id, county: unit.county, text: &text, identity: Some(&who) };
    let became = tx.insert_application(&draft).await.unwrap();
    use ApplicationState::{Approved, Draft, Submitted};
    for (revision, from, to, volunteer) in [(1, Draft, Submitted, None), (2, Submitted, Approved, Some(whose))] {
        let step = ApplicationStep { from, to, reason: Some("同意"), volunteer };
        assert!(tx.move_application(became, revision, step).await.unwrap());
    }
    (became, tx.insert_application(&draft).await.unwrap())
}

async fn merging_takes_everything_along(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 2).await;
    let (stays, ends) = (ids[0], ids[1]);
    let mut tx = begin(&store).await;
    tx.insert_service_records(None, &[served(stays, 1), served(ends, 1), served(ends, 2), served(ends, 3)])
        .await
        .unwrap();
    let third = tx.service_records(ends).await.unwrap().remove(0);
    assert!(tx.void_record(&third, 1, "录错").await.unwrap());
    let proof = NewProof {
        volunteer: ends,
        first_day: date(2026, 3, 1),
        last_day: date(2026, 3, 2),
        records: 2,
        minutes: 240,
        records_sha256: [7; 32],
    };
    tx.issue_proof(2026, &proof).await.unwrap();
    assert!(tx.set_photo(ends, &photo()).await.unwrap());
    let (became, _) = with_forms(&mut tx, ends, 1).await;
    let preview = tx.merge_preview(stays, ends).await.unwrap();
    let merged = tx.merge_volunteers(stays, ends, "同一人").await.unwrap();
    assert_eq!(preview, merged);
    assert_eq!((merged.records, merged.same_records, merged.forms, merged.photo), (1, 1, 1, true));
    assert_eq!(tx.photo(stays).await.unwrap(), Some(photo()));
    assert_eq!(tx.photo(ends).await.unwrap(), None);
    assert_eq!(tx.proofs_of(stays).await.unwrap().len(), 1);
    assert_eq!(tx.application(became).await.unwrap().unwrap().volunteer, Some(number(0)));
    tx.commit().await.unwrap();
    for (table, of_stays) in
        [("service_record", 2), ("service_record_void", 2), ("service_proof", 1), ("application", 1), ("photo", 1)]
    {
        let of = |id: VolunteerId| format!("SELECT count(*) FROM {table} WHERE volunteer_id = {id}");
        assert_eq!((db.number(&of(stays)).await, db.number(&of(ends)).await), (of_stays, 0), "{table}");
    }
    // The hours that both had told count once, whoever adds them up.
    assert_eq!(db.number("SELECT CAST(sum(minutes) AS BIGINT) FROM service_record").await, 240);
    // Everything followed: what the one that stays leaves behind is erased in the forms of both.
    let mut tx = begin(&store).await;
    tx.exit_volunteer(stays).await.unwrap();
    assert_eq!(tx.application_text(became).await.unwrap().unwrap().mobile, "");
    tx.commit().await.unwrap();
}

async fn a_photo_of_their_own_stays(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 2).await;
    let own = StoredPhoto { jpeg: b"\xff\xd8 their own".to_vec(), ..photo() };
    let mut tx = begin(&store).await;
    tx.set_photo(ids[0], &own).await.unwrap();
    tx.set_photo(ids[1], &photo()).await.unwrap();
    assert!(!tx.merge_volunteers(ids[0], ids[1], "同一人").await.unwrap().photo);
    assert_eq!(tx.photo(ids[0]).await.unwrap(), Some(own));
    assert_eq!(tx.photo(ids[1]).await.unwrap(), None);
    tx.commit().await.unwrap();
}

async fn leaving_erases_what_forms_and_photos_hold(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 2).await;
    let mut tx = begin(&store).await;
    tx.set_photo(ids[0], &photo()).await.unwrap();
    let (became, writing) = with_forms(&mut tx, ids[0], 0).await;
    let (_, others) = with_forms(&mut tx, ids[1], 1).await;
    assert!(tx.form_contact(ids[0]).await.unwrap());
    tx.exit_volunteer(ids[0]).await.unwrap();
    assert!(!tx.form_contact(ids[0]).await.unwrap());
    for form in [became, writing] {
        let text = tx.application_text(form).await.unwrap().unwrap();
        assert_eq!((text.mobile.as_str(), text.address.as_str(), text.guardian_phone.as_str()), ("", "", ""));
        assert_eq!((text.name.as_str(), text.resume.as_str()), ("岩温扁", "曾任教师"));
    }
    // Whoever has it open does not write it back; other people's forms are theirs.
    assert_eq!(tx.application(writing).await.unwrap().unwrap().revision, 2);
    assert_eq!(tx.application_text(others).await.unwrap().unwrap().mobile, "13800000009");
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let events = reader.audit_events(Some(&format!("volunteer/{}", number(0))), 0, 20).await.unwrap();
    let left = events.iter().find(|event| event.action == "volunteer.exit").unwrap();
    assert!(left.detail.contains("\"form\"") && left.detail.contains("\"photo\""), "{}", left.detail);
    let events = reader.audit_events(Some(&format!("application/{became}")), 0, 20).await.unwrap();
    assert!(events.iter().any(|event| event.action == "application.erase_contact"));
}

async fn the_star_on_the_card_follows_the_card(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 2).await;
    let key = insert_key(&store, 1).await;
    let shown = "SELECT card_star FROM volunteer WHERE number = ".to_owned() + &format!("'{}'", number(0));
    let other = format!("SELECT card_star FROM volunteer WHERE number = '{}'", number(1));
    assert_eq!(db.number(&shown).await, -1);
    let mut tx = begin(&store).await;
    let mut first = card(ids[0], 0, key, 0);
    first.star = 2;
    let made = tx.insert_certificates(&[first, card(ids[1], 1, key, 1)]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((db.number(&shown).await, db.number(&other).await), (2, 0));
    let (valid, suspended) = (CertificateState::Valid, CertificateState::Suspended);
    let mut tx = begin(&store).await;
    tx.change_certificate(made[0], valid, suspended, Reason::Lost).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(db.number(&shown).await, 2, "a suspended card is still theirs");
    // Replaced: the old card's end does not speak for the new one.
    let mut tx = begin(&store).await;
    tx.supersede_certificates(&made[..1], Reason::Reissue).await.unwrap();
    let mut second = card(ids[0], 0, key, 2);
    second.star = 3;
    let second = tx.insert_certificates(&[second]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(db.number(&shown).await, 3);
    let mut tx = begin(&store).await;
    tx.change_certificate(second[0], valid, CertificateState::Revoked, Reason::Misuse).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((db.number(&shown).await, db.number(&other).await), (-1, 0));
}
