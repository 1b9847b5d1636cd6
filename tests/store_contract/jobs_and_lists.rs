//! Jobs, frozen lists, photos, records of handing out.

use zyz::domain::certificate::{CertificateState, Reason};
use zyz::domain::choice::{CardChoice, ListDetail};
use zyz::domain::job::{JobResult, JobState, JobTask};
use zyz::domain::staff::{Role, Scope};
use zyz::store::{
    CertificateId, ChoiceFilter, JobEnd, NewJob, NewStaff, NewUploadRow, Reach, Store, StoredPhoto, VolunteerId,
};

use crate::support::{Database, begin, card, contract, insert_key, later, now, number, register};

contract![
    a_job_is_taken_once,
    a_job_is_noted_by_its_holder_only,
    jobs_are_listed_and_cleared,
    lists_keep_their_order,
    choices_follow_the_cards,
    photos_are_sealed,
    uploads_wait,
    handing_out,
];

const HOLDER: [u8; 16] = [7; 16];
const OTHER: [u8; 16] = [8; 16];

async fn staff(store: &Store) -> i64 {
    let mut tx = begin(store).await;
    let new = NewStaff {
        login: "clerk".into(),
        name: "经办".into(),
        role: Role::FederationClerk,
        scope: Scope::All,
        password: None,
    };
    let id = tx.insert_staff(&new).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn ask(store: &Store, staff: i64, list: i64) -> i64 {
    let mut tx = begin(store).await;
    let task = JobTask::Issue { list };
    let new = NewJob { task, title: "签发".into(), staff, actor: "clerk".into(), total: 10 };
    let id = tx.ask_job(&new).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn a_job_is_taken_once(db: Database) {
    let store = db.create().await;
    let staff = staff(&store).await;
    let (first, second) = (ask(&store, staff, 1).await, ask(&store, staff, 2).await);
    assert_eq!(ask(&store, staff, 1).await, first, "the same step is one job");
    assert!(store.read().await.unwrap().has_waiting_jobs(now()).await.unwrap());

    let mut tx = begin(&store).await;
    let taken = tx.take_job(&HOLDER, later(60)).await.unwrap().unwrap();
    assert_eq!((taken.id, taken.state, taken.attempts), (first, JobState::Running, 1));
    assert_eq!(tx.take_job(&OTHER, later(60)).await.unwrap(), None, "one at a time");
    tx.commit().await.unwrap();

    // Held no more, it goes to the next, before the one that waits.
    let mut tx = store.begin("x", later(61)).await.unwrap();
    let again = tx.take_job(&OTHER, later(120)).await.unwrap().unwrap();
    assert_eq!((again.id, again.attempts), (first, 2));
    assert!(!tx.end_job(first, &HOLDER, &JobEnd::Done(JobResult::default())).await.unwrap(), "it is another's by now");
    let result = JobResult { cards: 10, ..JobResult::default() };
    assert!(tx.end_job(first, &OTHER, &JobEnd::Done(result.clone())).await.unwrap());
    assert_eq!(tx.take_job(&OTHER, later(120)).await.unwrap().unwrap().id, second);
    tx.commit().await.unwrap();
    let done = store.read().await.unwrap().job(first).await.unwrap().unwrap();
    assert_eq!((done.state, done.result, done.ended_at), (JobState::Done, Some(result), Some(later(61))));
}

async fn a_job_is_noted_by_its_holder_only(db: Database) {
    let store = db.create().await;
    let staff = staff(&store).await;
    let id = ask(&store, staff, 1).await;
    let mut tx = begin(&store).await;
    tx.take_job(&HOLDER, later(60)).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.note_job(id, &OTHER, Some((5, 10)), later(70)).await.unwrap(), None);
    assert_eq!(store.note_job(id, &HOLDER, Some((5, 10)), later(70)).await.unwrap(), Some(false));
    let mut tx = begin(&store).await;
    assert!(tx.cancel_job(id).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(store.note_job(id, &HOLDER, None, later(80)).await.unwrap(), Some(true));
    let job = store.read().await.unwrap().job(id).await.unwrap().unwrap();
    assert_eq!((job.done, job.total, job.lease_until, job.cancel), (5, 10, Some(later(80)), true));

    store.release_job(id, &OTHER).await.unwrap();
    assert_eq!(store.read().await.unwrap().job(id).await.unwrap().unwrap().state, JobState::Running);
    let mut tx = begin(&store).await;
    assert!(tx.end_job(id, &HOLDER, &JobEnd::Failed("磁盘已满".into())).await.unwrap());
    assert!(!tx.cancel_job(id).await.unwrap());
    assert!(tx.retry_job(id).await.unwrap() && !tx.retry_job(id).await.unwrap());
    assert!(tx.cancel_job(id).await.unwrap(), "one that waits ends at once");
    tx.commit().await.unwrap();
    assert_eq!(store.read().await.unwrap().job(id).await.unwrap().unwrap().state, JobState::Cancelled);
}

async fn jobs_are_listed_and_cleared(db: Database) {
    let store = db.create().await;
    let staff = staff(&store).await;
    let (first, second) = (ask(&store, staff, 1).await, ask(&store, staff, 2).await);
    let mut reader = store.read().await.unwrap();
    let ids = |jobs: Vec<zyz::store::Job>| jobs.iter().map(|job| job.id).collect::<Vec<_>>();
    assert_eq!(ids(reader.jobs(Some(staff), "", None, 9).await.unwrap()), [second, first]);
    assert_eq!(ids(reader.jobs(None, "", Some(second), 9).await.unwrap()), [first]);
    assert!(reader.jobs(Some(staff + 1), "", None, 9).await.unwrap().is_empty());
    let newest = reader.job(second).await.unwrap().unwrap();
    for (words, found) in [(newest.title.as_str(), true), (newest.asked_by.as_str(), true), ("%", false)] {
        assert_eq!(reader.jobs(None, words, None, 9).await.unwrap().contains(&newest), found, "{words}");
    }
    assert_eq!(reader.jobs_before(second).await.unwrap(), 1);
    assert_eq!(reader.job_of(&JobTask::Issue { list: 2 }).await.unwrap().unwrap().id, second);
    drop(reader);
    let mut tx = begin(&store).await;
    assert!(!tx.remove_job(first).await.unwrap(), "it has not ended");
    tx.cancel_job(first).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    assert!(reader.jobs_ended_before(now(), 9).await.unwrap().is_empty());
    assert_eq!(ids(reader.jobs_ended_before(later(1), 9).await.unwrap()), [first]);
    drop(reader);
    let mut tx = begin(&store).await;
    assert!(tx.remove_job(first).await.unwrap());
    tx.commit().await.unwrap();
    assert_ne!(ask(&store, staff, 1).await, first, "what was removed can be asked for anew");
}

async fn lists_keep_their_order(db: Database) {
    let store = db.create().await;
    let staff = staff(&store).await;
    let entries = [(VolunteerId(9), Some(CertificateId(4))), (VolunteerId(2), None)];
    let detail = ListDetail { choice: "new".into(), without_card: 1, ..ListDetail::default() };
    let mut tx = begin(&store).await;
    let id = tx.insert_card_list(staff, "从未制证", &detail, &entries).await.unwrap();
    assert!(tx.set_list_review(id, 3).await.unwrap() && !tx.set_list_review(id, 4).await.unwrap());
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.list_entries(id).await.unwrap(), entries);
    let list = reader.card_list(id).await.unwrap().unwrap();
    assert_eq!((list.people, list.detail, list.review), (2, detail, Some(3)));
    assert_eq!(reader.card_list(id + 1).await.unwrap(), None);
    drop(reader);
    let mut tx = begin(&store).await;
    assert_eq!(tx.forget_card_lists(now()).await.unwrap(), 0);
    assert_eq!(tx.forget_card_lists(later(1)).await.unwrap(), 1);
    tx.commit().await.unwrap();
}

async fn choices_follow_the_cards(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 5).await;
    let key = insert_key(&store, 1).await;
    let filter = |choice| ChoiceFilter { choice, unit: None, reach: Reach::Everything, now: now() };
    let mut tx = begin(&store).await;
    let cards: Vec<_> = (0..3).map(|n| card(ids[n as usize], n, key, n)).collect();
    let cards = tx.insert_certificates(&cards).await.unwrap();
    tx.set_star(ids[0], 5).await.unwrap();
    tx.mark_printed(&[cards[1]]).await.unwrap();
    let found = async |tx: &mut zyz::store::Tx, choice| -> Vec<VolunteerId> {
        let whole = tx.chosen_all(&filter(choice), 99).await.unwrap();
        // A page after a page says the same, and the count too.
        let (mut paged, mut after) = (Vec::new(), None);
        while let Some(one) = tx.chosen(&filter(choice), after.as_ref(), 1).await.unwrap().pop() {
            after = Some(one.cursor(&filter(choice)));
            paged.push(one.volunteer);
        }
        paged.sort();
        let whole: Vec<_> = whole.into_iter().map(|one| one.volunteer).collect();
        assert_eq!(paged, whole, "{choice:?}");
        assert_eq!(tx.chosen_count(&filter(choice), 99).await.unwrap(), whole.len() as u64);
        whole
    };
    assert_eq!(found(&mut tx, CardChoice::New).await, ids[3..]);
    assert_eq!(found(&mut tx, CardChoice::Unprinted).await, [ids[0], ids[2]]);
    assert_eq!(found(&mut tx, CardChoice::Waiting).await, [ids[1]]);
    let star = found(&mut tx, CardChoice::Star).await;
    assert!(star.contains(&ids[0]));
    // Ended for good: in no list, and not among those who never had one.
    let (from, to) = (CertificateState::Valid, CertificateState::Revoked);
    tx.change_certificate(cards[2], from, to, Reason::Misuse).await.unwrap();
    tx.supersede_certificates(&[cards[0]], Reason::StarChanged).await.unwrap();
    assert_eq!(found(&mut tx, CardChoice::Valid).await, [ids[1]]);
    assert_eq!(found(&mut tx, CardChoice::New).await, ids[3..]);
    assert!(!found(&mut tx, CardChoice::Star).await.contains(&ids[0]));
    let county = ChoiceFilter { reach: Reach::County(29), ..filter(CardChoice::Valid) };
    assert!(tx.chosen(&county, None, 9).await.unwrap().is_empty());
    tx.commit().await.unwrap();
}

async fn photos_are_sealed(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 2).await;
    let photo = StoredPhoto { jpeg: b"\xff\xd8 a face".to_vec(), width: 236, height: 307 };
    let mut tx = begin(&store).await;
    assert!(tx.set_photo(ids[0], &photo).await.unwrap());
    let other = StoredPhoto { jpeg: b"\xff\xd8 another".to_vec(), ..photo.clone() };
    assert!(tx.set_photo(ids[0], &other).await.unwrap());
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.photo(ids[0]).await.unwrap(), Some(other));
    assert_eq!(reader.photo(ids[1]).await.unwrap(), None);
    drop(reader);
    assert_eq!(db.number("SELECT count(*) FROM photo WHERE length(sealed) > 30").await, 1);
    // Moved to somebody else, it does not open.
    db.execute(&format!("UPDATE photo SET volunteer_id = {}", ids[1])).await;
    assert!(store.read().await.unwrap().photo(ids[1]).await.is_err());
    db.execute(&format!("UPDATE photo SET volunteer_id = {}", ids[0])).await;
    // Leaving erases it.
    let mut tx = begin(&store).await;
    tx.exit_volunteer(ids[0]).await.unwrap();
    assert!(!tx.set_photo(ids[0], &photo).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(db.number("SELECT count(*) FROM photo").await, 0);
}

async fn uploads_wait(db: Database) {
    let store = db.create().await;
    let staff = staff(&store).await;
    let ids = register(&store, 0, 1).await;
    let photo = StoredPhoto { jpeg: vec![0xff, 0xd8, 1], width: 98, height: 128 };
    let row = NewUploadRow {
        file_name: "a.jpg".into(),
        number: Some(number(0)),
        volunteer: Some(ids[0]),
        problem: None,
        photo: Some(photo.clone()),
    };
    let wrong =
        NewUploadRow { number: None, volunteer: None, problem: Some("太小".into()), photo: None, ..row.clone() };
    let mut tx = begin(&store).await;
    let id = tx.insert_photo_upload(staff, &[row, wrong]).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.photo_upload_counts(id).await.unwrap(), (1, 1));
    assert_eq!(reader.photo_upload_picture(id, 1).await.unwrap(), Some((ids[0], photo)));
    assert_eq!(reader.photo_upload_picture(id, 2).await.unwrap(), None);
    let rows = reader.photo_upload_rows(id, true, 0, 9).await.unwrap();
    assert_eq!((rows.len(), rows[0].place, rows[0].problem.as_deref()), (1, 2, Some("太小")));
    assert_eq!(reader.photo_upload(id).await.unwrap().unwrap().staff, staff);
    drop(reader);
    let mut tx = begin(&store).await;
    assert_eq!(tx.forget_photo_uploads(now()).await.unwrap(), 0);
    assert_eq!(tx.forget_photo_uploads(later(1)).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!(db.number("SELECT count(*) FROM photo_upload_row").await, 0);
}

async fn handing_out(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 2).await;
    let key = insert_key(&store, 1).await;
    let mut tx = begin(&store).await;
    let new: Vec<_> = (0..2).map(|n| card(ids[n as usize], n, key, n)).collect();
    let cards = tx.insert_certificates(&new).await.unwrap();
    tx.mark_printed(&cards).await.unwrap();
    let day = jiff::civil::date(2026, 11, 23);
    assert_eq!(tx.hand_out(&cards[..1], day, "本人").await.unwrap(), [number(0)]);
    assert_eq!(tx.hand_out(&cards, day, "李主任").await.unwrap(), [number(1)], "nothing twice");
    let record = tx.handout_of(cards[1]).await.unwrap().unwrap();
    assert_eq!((record.handed_on, record.received_by.as_str()), (day, "李主任"));
    assert_eq!(tx.units_of_cards(&cards).await.unwrap(), [(record.unit, record.county); 2]);
    for (reach, seen) in [
        (Reach::Everything, 2),
        (Reach::County(record.county), 2),
        (Reach::Unit(record.unit), 2),
        (Reach::County(29), 0),
    ] {
        assert_eq!(tx.handouts(None, reach, None, 9).await.unwrap().len(), seen, "{reach:?}");
    }
    assert_eq!(tx.handouts(Some(record.unit), Reach::Everything, Some(record.id), 9).await.unwrap().len(), 1);
    assert!(tx.undo_handout(cards[1], "登记错人").await.unwrap());
    assert!(!tx.undo_handout(cards[1], "登记错人").await.unwrap());
    assert_eq!(tx.handout_of(cards[1]).await.unwrap(), None);
    assert_eq!(tx.hand_out(&cards, day, "本人").await.unwrap(), [number(1)], "it can be handed out again");
    tx.commit().await.unwrap();
}
