//! Registration forms: drafts, queues, steps, copies.

use jiff::civil::date;
use zyz::domain::application::{ApplicationState, ApplicationText};
use zyz::store::{
    ApplicationCursor, ApplicationDraft, ApplicationFilter, ApplicationId, ApplicationStep, Approver, FormCopy, Reach,
    Store, StoreError, Unit,
};

use crate::support::{Database, begin, contract, identity, later, person};

contract![
    a_draft_is_sealed_and_read_back,
    only_the_present_revision_is_written_in,
    steps_lead_from_where_the_form_stands,
    withdrawn_forms_lose_their_text,
    one_form_of_a_person_before_the_approvers,
    queues_by_reach_state_and_approver,
    pages_go_on_where_the_last_one_ended,
    names_by_their_beginning,
    copies_are_noted_and_moved,
];

const NONE: ApplicationFilter =
    ApplicationFilter { reach: Reach::Everything, state: None, approver: None, name: None, identity: None };

fn text(name: &str) -> ApplicationText {
    ApplicationText { name: name.into(), resume: "曾任教师".into(), ..ApplicationText::default() }
}

async fn unit(store: &Store, county: u8) -> Unit {
    let mut tx = begin(store).await;
    let unit = tx.ensure_unit(county, "样例单位").await.unwrap();
    tx.commit().await.unwrap();
    unit
}

async fn draft(store: &Store, unit: &Unit, name: &str, identity: Option<&str>, seconds: i64) -> ApplicationId {
    let mut tx = store.begin("经办甲", later(seconds)).await.unwrap();
    let text = text(name);
    let draft = ApplicationDraft { unit: unit.id, county: unit.county, text: &text, identity };
    let id = tx.insert_application(&draft).await.unwrap();
    tx.commit().await.unwrap();
    id
}

fn step(from: ApplicationState, to: ApplicationState) -> ApplicationStep<'static> {
    ApplicationStep { from, to, reason: Some("原因"), volunteer: None }
}

async fn go(store: &Store, id: ApplicationId, revision: i64, step: ApplicationStep<'_>) -> Result<bool, StoreError> {
    let mut tx = begin(store).await;
    let done = tx.move_application(id, revision, step).await?;
    tx.commit().await?;
    Ok(done)
}

async fn a_draft_is_sealed_and_read_back(db: Database) {
    let store = db.create().await;
    let unit = unit(&store, 2).await;
    let id = draft(&store, &unit, "岩温扁", Some(&identity(1)), 0).await;
    let mut reader = store.read().await.unwrap();
    let line = reader.application(id).await.unwrap().unwrap();
    assert_eq!((line.name.as_str(), line.state, line.revision), ("岩温扁", ApplicationState::Draft, 1));
    assert_eq!((line.county, line.unit_name.as_str(), line.made_by.as_str()), (2, "样例单位", "经办甲"));
    assert_eq!(reader.application_text(id).await.unwrap(), Some(text("岩温扁")));
    assert_eq!(reader.application(ApplicationId(99)).await.unwrap(), None);
    assert_eq!(reader.application_text(ApplicationId(99)).await.unwrap(), None);
    drop(reader);
    // Moved to another row it does not open.
    let other = draft(&store, &unit, "玉波罕", None, 0).await;
    let sql = format!(
        "UPDATE application SET form_sealed = (SELECT form_sealed FROM application WHERE id = {id}) WHERE id = {other}"
    );
    assert_eq!(db.execute(&sql).await, 1);
    let error = store.read().await.unwrap().application_text(other).await.unwrap_err();
    assert!(matches!(error, StoreError::Sealed(_)), "{error}");
}

async fn only_the_present_revision_is_written_in(db: Database) {
    let store = db.create().await;
    let unit = unit(&store, 2).await;
    let id = draft(&store, &unit, "岩温扁", None, 0).await;
    let changed = text("岩罕");
    let new = ApplicationDraft { unit: unit.id, county: 2, text: &changed, identity: None };
    let mut tx = store.begin("经办乙", later(60)).await.unwrap();
    assert!(tx.save_application(id, 1, &new).await.unwrap());
    assert!(!tx.save_application(id, 1, &new).await.unwrap(), "that revision is past");
    tx.commit().await.unwrap();
    let line = store.read().await.unwrap().application(id).await.unwrap().unwrap();
    assert_eq!((line.revision, line.changed_by.as_str(), line.name.as_str()), (2, "经办乙", "岩罕"));
    assert!(go(&store, id, 2, step(ApplicationState::Draft, ApplicationState::Submitted)).await.unwrap());
    let mut tx = begin(&store).await;
    assert!(!tx.save_application(id, 3, &new).await.unwrap(), "handed in, it is no longer written in");
}

async fn steps_lead_from_where_the_form_stands(db: Database) {
    use ApplicationState::{Approved, Draft, Returned, Submitted};
    let store = db.create().await;
    let unit = unit(&store, 2).await;
    let id = draft(&store, &unit, "岩温扁", Some(&identity(1)), 0).await;
    assert!(!go(&store, id, 1, step(Submitted, Approved)).await.unwrap());
    assert!(!go(&store, id, 1, step(Draft, Draft)).await.unwrap());
    assert!(go(&store, id, 1, step(Draft, Submitted)).await.unwrap());
    assert!(go(&store, id, 2, step(Submitted, Returned)).await.unwrap());
    assert!(go(&store, id, 3, step(Returned, Submitted)).await.unwrap());
    assert!(!go(&store, id, 3, step(Submitted, Approved)).await.unwrap(), "that revision is past");
    let mut tx = begin(&store).await;
    let volunteer = tx.insert_volunteers(None, vec![person(1, unit.id)]).await.unwrap()[0];
    let approve = ApplicationStep { volunteer: Some(volunteer), ..step(Submitted, Approved) };
    assert!(tx.move_application(id, 4, approve).await.unwrap());
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let line = reader.application(id).await.unwrap().unwrap();
    assert_eq!((line.state, line.reason.as_deref()), (Approved, Some("原因")));
    assert_eq!(line.volunteer, Some(person(1, unit.id).number));
    let actions: Vec<String> = reader
        .audit_events(Some(&format!("application/{id}")), 0, 10)
        .await
        .unwrap()
        .into_iter()
        .map(|event| event.action)
        .collect();
    let expected = ["create", "submit", "return", "submit", "approve"].map(|word| format!("application.{word}"));
    assert_eq!(actions, expected);
}

async fn withdrawn_forms_lose_their_text(db: Database) {
    let store = db.create().await;
    let unit = unit(&store, 2).await;
    let id = draft(&store, &unit, "岩温扁", Some(&identity(1)), 0).await;
    assert!(go(&store, id, 1, step(ApplicationState::Draft, ApplicationState::Withdrawn)).await.unwrap());
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.application_text(id).await.unwrap(), None);
    assert!(reader.open_applications(&identity(1)).await.unwrap().is_empty());
    drop(reader);
    let left = "SELECT count(*) FROM application WHERE form_sealed IS NOT NULL OR identity_index IS NOT NULL";
    assert_eq!(db.number(left).await, 0);
}

async fn one_form_of_a_person_before_the_approvers(db: Database) {
    use ApplicationState::{Draft, Submitted};
    let store = db.create().await;
    let unit = unit(&store, 2).await;
    let first = draft(&store, &unit, "岩温扁", Some(&identity(1)), 0).await;
    let second = draft(&store, &unit, "岩温扁", Some(&identity(1)), 0).await;
    assert_eq!(store.read().await.unwrap().open_applications(&identity(1)).await.unwrap().len(), 2);
    assert!(go(&store, first, 1, step(Draft, Submitted)).await.unwrap());
    let error = go(&store, second, 1, step(Draft, Submitted)).await.unwrap_err();
    assert!(matches!(error, StoreError::Duplicate { .. }), "{error:?}");
}

async fn queues_by_reach_state_and_approver(db: Database) {
    let store = db.create().await;
    let (town, county) = (unit(&store, 2).await, unit(&store, 21).await);
    let first = draft(&store, &town, "甲甲", None, 0).await;
    let second = draft(&store, &county, "乙乙", None, 1).await;
    let third = draft(&store, &county, "丙丙", None, 2).await;
    assert!(go(&store, second, 1, step(ApplicationState::Draft, ApplicationState::Submitted)).await.unwrap());
    let mut reader = store.read().await.unwrap();
    let mut ids = async |filter: ApplicationFilter| -> Vec<ApplicationId> {
        let lines = reader.applications(&filter, None, 10).await.unwrap();
        assert_eq!(reader.count_applications(&filter, 10).await.unwrap(), lines.len() as u64);
        let mut ids: Vec<_> = lines.into_iter().map(|line| line.id).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(NONE).await, [first, second, third]);
    assert_eq!(ids(ApplicationFilter { reach: Reach::County(21), ..NONE }).await, [second, third]);
    assert_eq!(ids(ApplicationFilter { reach: Reach::Unit(town.id), ..NONE }).await, [first]);
    let submitted = ApplicationFilter { state: Some(ApplicationState::Submitted), ..NONE };
    assert_eq!(ids(submitted.clone()).await, [second]);
    assert_eq!(ids(ApplicationFilter { approver: Some(Approver::County(21)), ..submitted.clone() }).await, [second]);
    assert!(ids(ApplicationFilter { approver: Some(Approver::Federation), ..submitted }).await.is_empty());
    assert_eq!(reader.count_applications(&NONE, 2).await.unwrap(), 2, "counted as far as asked");
    assert_eq!(reader.unit_names(21, 10).await.unwrap(), ["样例单位"]);
}

async fn pages_go_on_where_the_last_one_ended(db: Database) {
    let store = db.create().await;
    let unit = unit(&store, 2).await;
    // Two in one second: the key decides.
    for (n, at) in [0, 10, 10, 20].into_iter().enumerate() {
        draft(&store, &unit, ["甲甲", "乙乙", "丙丙", "丁丁"][n], None, at).await;
    }
    let mut reader = store.read().await.unwrap();
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        let page = reader.applications(&NONE, after, 1).await.unwrap();
        let Some(line) = page.into_iter().next() else { break };
        after = Some(ApplicationCursor { changed_at: line.changed_at.as_second(), id: line.id.0 });
        names.push(line.name);
    }
    assert_eq!(names, ["丁丁", "丙丙", "乙乙", "甲甲"]);
}

async fn names_by_their_beginning(db: Database) {
    let store = db.create().await;
    let unit = unit(&store, 2).await;
    for name in ["岩温扁", "岩罕", "玉波罕", "𬭎岩"] {
        draft(&store, &unit, name, None, 0).await;
    }
    let mut reader = store.read().await.unwrap();
    let mut found = async |name: &str| {
        let filter = ApplicationFilter { name: Some(name.into()), ..NONE };
        reader.applications(&filter, None, 10).await.unwrap().len()
    };
    assert_eq!(found("岩").await, 2);
    assert_eq!(found("岩温扁").await, 1);
    assert_eq!(found("𬭎").await, 1);
    assert_eq!(found("%").await, 0);
    assert_eq!(found("扁").await, 0);
}

async fn copies_are_noted_and_moved(db: Database) {
    let store = db.create().await;
    let unit = unit(&store, 2).await;
    let id = draft(&store, &unit, "岩温扁", None, 0).await;
    let mut tx = begin(&store).await;
    tx.archive_application(id, FormCopy::Unit, "办公室 1 柜", date(2026, 11, 1)).await.unwrap();
    tx.archive_application(id, FormCopy::Approver, "档案室 3 柜 12 号盒", date(2026, 11, 2)).await.unwrap();
    tx.archive_application(id, FormCopy::Unit, "办公室 2 柜", date(2026, 11, 3)).await.unwrap();
    tx.note_application_seen(id, Some("核对"));
    tx.note_application_seen(id, None);
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let copies = reader.application_copies(id).await.unwrap();
    let kept: Vec<_> = copies.iter().map(|copy| (copy.copy, copy.place.as_str(), copy.archived_on)).collect();
    assert_eq!(
        kept,
        [
            (FormCopy::Approver, "档案室 3 柜 12 号盒", date(2026, 11, 2)),
            (FormCopy::Unit, "办公室 2 柜", date(2026, 11, 3)),
        ]
    );
    let events = reader.audit_events(Some(&format!("application/{id}")), 0, 10).await.unwrap();
    assert_eq!(events.len(), 6);
    assert_eq!(events.last().unwrap().action, "application.print");
}
