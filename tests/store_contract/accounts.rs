//! Accounts, sessions, second factors, invitations, tries, reviews, settings.

use std::sync::Arc;

use serde_json::json;
use zyz::domain::review::{ReviewKind, ReviewState};
use zyz::domain::staff::{Role, Scope};
use zyz::store::{
    Changed, NewReview, NewSession, NewStaff, ReviewFilter, StaffChange, StaffFilter, StaffState, Stage, Store,
    StoreError, Tried, Tx,
};

use crate::support::{Database, begin, contract, later, now};

contract![
    accounts_read_back,
    a_login_name_is_never_given_again,
    accounts_are_found_and_paged,
    a_change_on_an_old_revision_is_a_conflict,
    closing_ends_sessions_and_invitations,
    a_session_is_of_its_stage,
    sessions_that_are_over_are_deleted,
    a_secret_is_sealed_and_a_step_accepted_once,
    recovery_codes_are_their_owners,
    an_invitation_is_used_once,
    one_of_two_with_an_invitation,
    tries_are_counted_exactly,
    tries_are_forgotten,
    a_step_is_decided_once,
    a_switch_is_set_on_its_revision,
];

fn person(login: &str, role: Role, scope: Scope) -> NewStaff {
    NewStaff { login: login.into(), name: format!("岩{login}"), role, scope, password: Some("$argon2id$x".into()) }
}

async fn clerk(tx: &mut Tx, login: &str) -> i64 {
    tx.insert_staff(&person(login, Role::FederationClerk, Scope::All)).await.unwrap()
}

async fn one_clerk(store: &Store) -> i64 {
    let mut tx = begin(store).await;
    let id = clerk(&mut tx, "yanwen").await;
    tx.commit().await.unwrap();
    id
}

fn session(staff: i64, n: u8, stage: Stage) -> NewSession {
    NewSession { staff, token_hash: [n; 32], stage, browser: "Chrome".into() }
}

async fn accounts_read_back(database: Database) {
    let store = database.create().await;
    let mut tx = begin(&store).await;
    let unit = tx.ensure_unit(21, "宁洱县第一中学").await.unwrap();
    let scope = Scope::Unit { unit: unit.id.0, county: 21 };
    let id = tx.insert_staff(&person("teacher", Role::Unit, scope)).await.unwrap();
    let county = tx.insert_staff(&person("county", Role::County, Scope::County(2))).await.unwrap();
    let invited = NewStaff { password: None, ..person("new", Role::Oversight, Scope::All) };
    let invited = tx.insert_staff(&invited).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let account = reader.staff_account(id).await.unwrap().unwrap();
    assert_eq!((account.staff.scope, account.place.as_deref()), (scope, Some("宁洱县第一中学")));
    assert_eq!((account.state, account.revision, account.made_at), (StaffState::Active, 1, now()));
    assert_eq!(reader.staff_account(county).await.unwrap().unwrap().staff.scope, Scope::County(2));
    assert_eq!(reader.staff_by_login("new").await.unwrap().unwrap().state, StaffState::Invited);
    assert_eq!(reader.staff_account(invited + 99).await.unwrap(), None);
    assert!(!format!("{account:?}").contains("argon2id"));
}

async fn a_login_name_is_never_given_again(database: Database) {
    let store = database.create().await;
    let id = one_clerk(&store).await;
    let mut tx = begin(&store).await;
    assert_eq!(tx.set_staff_enabled(id, false, 1).await.unwrap(), Changed::Yes);
    tx.commit().await.unwrap();
    let mut tx = begin(&store).await;
    let again = tx.insert_staff(&person("yanwen", Role::County, Scope::County(21))).await;
    assert!(matches!(again, Err(StoreError::Duplicate { what: "登录名", .. })), "{again:?}");
}

async fn accounts_are_found_and_paged(database: Database) {
    let store = database.create().await;
    let mut tx = begin(&store).await;
    for login in ["a_1", "ab1", "b.1", "c-1"] {
        clerk(&mut tx, login).await;
    }
    tx.insert_staff(&person("d1", Role::County, Scope::County(21))).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let mut found = async |filter: StaffFilter, limit| {
        let accounts = reader.staff_accounts(&filter, limit).await.unwrap();
        accounts.into_iter().map(|account| account.staff.login).collect::<Vec<_>>()
    };
    let text = |text: &str| StaffFilter { text: text.into(), ..StaffFilter::default() };
    assert_eq!(found(text("a_"), 9).await, ["a_1"], "no character is a wildcard");
    assert_eq!(found(text("岩b"), 9).await, ["b.1"]);
    assert_eq!(found(text("%"), 9).await, Vec::<String>::new());
    assert_eq!(found(StaffFilter::default(), 2).await, ["a_1", "ab1"]);
    assert_eq!(found(StaffFilter { after: "ab1".into(), ..StaffFilter::default() }, 2).await, ["b.1", "c-1"]);
    assert_eq!(found(StaffFilter { role: Some(Role::County), ..StaffFilter::default() }, 9).await, ["d1"]);
}

async fn a_change_on_an_old_revision_is_a_conflict(database: Database) {
    let store = database.create().await;
    let id = one_clerk(&store).await;
    let change = |name: &str| StaffChange { name: name.into(), role: Role::FederationClerk, scope: Scope::All };
    let mut tx = begin(&store).await;
    tx.begin_session(&session(id, 1, Stage::Open)).await.unwrap();
    assert_eq!(tx.change_staff(id, &change("甲"), 1).await.unwrap(), Changed::Yes);
    assert_eq!(tx.change_staff(id, &change("乙"), 1).await.unwrap(), Changed::Conflict);
    assert_eq!(tx.set_staff_enabled(id, false, 1).await.unwrap(), Changed::Conflict);
    assert!(tx.session(&[1; 32], Stage::Open).await.unwrap().is_some(), "a name alone ends no session");
    let county = StaffChange { name: "甲".into(), role: Role::County, scope: Scope::County(21) };
    assert_eq!(tx.change_staff(id, &county, 2).await.unwrap(), Changed::Yes);
    assert!(tx.session(&[1; 32], Stage::Open).await.unwrap().is_none());
    let account = tx.staff_account(id).await.unwrap().unwrap();
    assert_eq!((account.staff.name.as_str(), account.staff.scope, account.revision), ("甲", Scope::County(21), 3));
    assert_eq!(tx.others_active(Role::County, id).await.unwrap(), 0);
}

async fn closing_ends_sessions_and_invitations(database: Database) {
    let store = database.create().await;
    let id = one_clerk(&store).await;
    let mut tx = begin(&store).await;
    tx.begin_session(&session(id, 1, Stage::Open)).await.unwrap();
    tx.insert_invitation(id, &[7; 32], later(60)).await.unwrap();
    tx.set_staff_enabled(id, false, 1).await.unwrap();
    assert_eq!(tx.invitation(&[7; 32]).await.unwrap(), None);
    tx.set_staff_enabled(id, true, 2).await.unwrap();
    assert_eq!(tx.session(&[1; 32], Stage::Open).await.unwrap(), None);
    tx.reset_staff(id, true).await.unwrap();
    assert_eq!(tx.staff_account(id).await.unwrap().unwrap().password, None);
    tx.set_staff_enabled(id, false, 4).await.unwrap();
    tx.set_staff_enabled(id, true, 5).await.unwrap();
    assert_eq!(tx.staff_account(id).await.unwrap().unwrap().state, StaffState::Invited);
    tx.commit().await.unwrap();
    let events = store.read().await.unwrap().audit_events(Some(&format!("staff/{id}")), 0, 50).await.unwrap();
    let actions: Vec<_> = events.iter().map(|event| event.action.as_str()).collect();
    let expected = ["staff.add", "session.begin", "staff.invite", "staff.disable", "staff.enable", "staff.reset"];
    assert_eq!(actions[..6], expected);
}

async fn a_session_is_of_its_stage(database: Database) {
    let store = database.create().await;
    let id = one_clerk(&store).await;
    let mut tx = begin(&store).await;
    tx.begin_session(&session(id, 1, Stage::Second)).await.unwrap();
    assert!(tx.session(&[1; 32], Stage::Open).await.unwrap().is_none());
    assert!(tx.session(&[1; 32], Stage::Second).await.unwrap().is_some());
    assert!(tx.sessions_of(id, now(), now()).await.unwrap().is_empty());
    let open = tx.begin_session(&session(id, 2, Stage::Open)).await.unwrap();
    assert_eq!(tx.sessions_of(id, now(), now()).await.unwrap()[0].id, open);
    assert!(!tx.end_session_of(id + 1, open).await.unwrap());
    assert!(tx.end_session_of(id, open).await.unwrap());
    tx.end_session(&[1; 32]).await.unwrap();
    assert!(tx.session(&[1; 32], Stage::Second).await.unwrap().is_none());
    tx.begin_session(&session(id, 3, Stage::Open)).await.unwrap();
    tx.begin_session(&session(id, 4, Stage::Open)).await.unwrap();
    assert_eq!(tx.end_sessions(id).await.unwrap(), 2);
}

async fn sessions_that_are_over_are_deleted(database: Database) {
    let store = database.create().await;
    let id = one_clerk(&store).await;
    let mut tx = begin(&store).await;
    for n in 1..=2 {
        tx.begin_session(&session(id, n, Stage::Open)).await.unwrap();
    }
    tx.commit().await.unwrap();
    store.touch_session(&[1; 32], later(600), later(600)).await.unwrap();
    let mut tx = begin(&store).await;
    assert_eq!(tx.session(&[1; 32], Stage::Open).await.unwrap().unwrap().seen_at, later(600));
    assert_eq!(tx.sessions_of(id, later(1), now()).await.unwrap().len(), 1);
    assert_eq!(tx.delete_expired_sessions(later(1), now()).await.unwrap(), 1, "the idle one");
    assert_eq!(tx.delete_expired_sessions(later(1), later(1)).await.unwrap(), 1, "the old one");
}

async fn a_secret_is_sealed_and_a_step_accepted_once(database: Database) {
    let store = database.create().await;
    let id = one_clerk(&store).await;
    let mut tx = begin(&store).await;
    assert!(!tx.accept_totp_step(id, 1).await.unwrap(), "none is set up");
    tx.propose_totp(id, "JBSWY3DPEHPK3PXP").await.unwrap();
    assert_eq!(tx.totp_secret(id).await.unwrap(), None, "not before it is confirmed");
    assert_eq!(tx.totp_proposal(id).await.unwrap().unwrap().as_str(), "JBSWY3DPEHPK3PXP");
    tx.confirm_totp(id, "JBSWY3DPEHPK3PXP", 100).await.unwrap();
    assert_eq!(tx.totp_proposal(id).await.unwrap(), None);
    assert_eq!(tx.totp_secret(id).await.unwrap().unwrap().as_str(), "JBSWY3DPEHPK3PXP");
    for (step, good) in [(100, false), (99, false), (101, true), (101, false), (100, false), (102, true)] {
        assert_eq!(tx.accept_totp_step(id, step).await.unwrap(), good, "{step}");
    }
    assert!(tx.staff_account(id).await.unwrap().unwrap().second_factor);
    let other = clerk(&mut tx, "other").await;
    tx.commit().await.unwrap();
    let plain = "SELECT count(*) FROM staff WHERE CAST(totp AS TEXT) LIKE '%JBSWY3%'";
    assert_eq!(database.number(plain).await, 0);
    // Moved to another account it does not open.
    let moved =
        format!("UPDATE staff SET totp = (SELECT totp FROM staff WHERE id = {id}), totp_step = 1 WHERE id = {other}");
    assert_eq!(database.execute(&moved).await, 1);
    assert!(store.read().await.unwrap().totp_secret(other).await.is_err());
    let mut tx = begin(&store).await;
    tx.drop_second_factor(id).await.unwrap();
    assert_eq!(tx.totp_secret(id).await.unwrap(), None);
}

async fn recovery_codes_are_their_owners(database: Database) {
    let store = database.create().await;
    let mut tx = begin(&store).await;
    let (one, two) = (clerk(&mut tx, "one").await, clerk(&mut tx, "two").await);
    let codes = |n: u8| (0..3).map(|i| format!("code{n}{i}")).collect::<Vec<_>>();
    tx.replace_recovery_codes(one, &codes(1)).await.unwrap();
    tx.replace_recovery_codes(two, &codes(1)).await.unwrap();
    assert!(tx.use_recovery_code(one, "code10").await.unwrap());
    assert!(!tx.use_recovery_code(one, "code10").await.unwrap());
    assert!(tx.use_recovery_code(two, "code10").await.unwrap(), "the same letters of another account are another code");
    assert!(!tx.use_recovery_code(one, "code99").await.unwrap());
    assert_eq!(tx.recovery_codes_left(one).await.unwrap(), 2);
    tx.replace_recovery_codes(one, &codes(2)).await.unwrap();
    assert!(!tx.use_recovery_code(one, "code11").await.unwrap());
    assert_eq!(tx.recovery_codes_left(one).await.unwrap(), 3);
}

async fn an_invitation_is_used_once(database: Database) {
    let store = database.create().await;
    let id = one_clerk(&store).await;
    let mut tx = begin(&store).await;
    tx.insert_invitation(id, &[1; 32], later(60)).await.unwrap();
    tx.insert_invitation(id, &[2; 32], later(60)).await.unwrap();
    assert!(!tx.use_invitation(&[1; 32]).await.unwrap(), "a newer one has replaced it");
    assert!(tx.use_invitation(&[2; 32]).await.unwrap());
    assert!(!tx.use_invitation(&[2; 32]).await.unwrap());
    assert_eq!(tx.invitation(&[2; 32]).await.unwrap().unwrap().used_at, Some(now()));
    tx.insert_invitation(id, &[3; 32], now()).await.unwrap();
    assert!(!tx.use_invitation(&[3; 32]).await.unwrap(), "the end does not belong to it");
    tx.set_password(id, "$argon2id$y").await.unwrap();
    assert_eq!(tx.staff_account(id).await.unwrap().unwrap().password.as_deref(), Some("$argon2id$y"));
}

async fn one_of_two_with_an_invitation(database: Database) {
    let store = database.create().await;
    let id = one_clerk(&store).await;
    let mut tx = begin(&store).await;
    tx.insert_invitation(id, &[1; 32], later(60)).await.unwrap();
    tx.commit().await.unwrap();
    let take = async || {
        let mut tx = begin(&store).await;
        let used = tx.use_invitation(&[1; 32]).await.unwrap();
        tx.commit().await.unwrap();
        used
    };
    let (a, b) = tokio::join!(take(), take());
    assert!(a != b);
}

fn after_three(failures: u32) -> i64 {
    if failures < 3 { 0 } else { 60 }
}

async fn tries_are_counted_exactly(database: Database) {
    let store = Arc::new(database.create().await);
    let subject = store.try_subject("password yanwen 192.0.2.7");
    assert_ne!(subject, store.try_subject("password yanwen 192.0.2.8"));
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let store = store.clone();
        tries.spawn(async move { store.count_try(&subject, now(), later(-86_400), after_three).await.unwrap() });
    }
    let all = tries.join_all().await;
    let gone = all.iter().filter(|tried| matches!(tried, Tried::Go(_))).count();
    assert_eq!(gone, 3, "however many come at once: {all:?}");
    assert_eq!(store.try_wait(&subject, now()).await.unwrap(), Some(later(60)));
    assert_eq!(store.try_wait(&subject, later(60)).await.unwrap(), None);
    store.take_try_back(&subject).await.unwrap();
    let again = store.count_try(&subject, later(1), later(-86_400), after_three).await.unwrap();
    assert_eq!(again, Tried::Go(3));
    store.forgive_tries(&subject).await.unwrap();
    assert_eq!(store.try_wait(&subject, later(1)).await.unwrap(), None);
}

async fn tries_are_forgotten(database: Database) {
    let store = database.create().await;
    let subject = store.try_subject("x");
    for n in 1..=2 {
        let tried = store.count_try(&subject, now(), later(-60), after_three).await.unwrap();
        assert_eq!(tried, Tried::Go(n));
    }
    assert_eq!(store.count_try(&subject, later(100), later(40), after_three).await.unwrap(), Tried::Go(1));
    assert_eq!(store.delete_old_tries(later(100)).await.unwrap(), 0);
    assert_eq!(store.delete_old_tries(later(101)).await.unwrap(), 1);
}

async fn a_step_is_decided_once(database: Database) {
    let store = database.create().await;
    let mut tx = begin(&store).await;
    let (asker, decider) = (clerk(&mut tx, "asker").await, clerk(&mut tx, "decider").await);
    let new = NewReview {
        kind: ReviewKind::KeyChange,
        summary: "续签信任列表".into(),
        payload: json!({"step": "renew"}),
        asked_by: asker,
    };
    let id = tx.insert_review(&new).await.unwrap();
    let second = tx.insert_review(&new).await.unwrap();
    assert_eq!(tx.reviews_waiting(decider).await.unwrap(), 2);
    assert_eq!(tx.reviews_waiting(asker).await.unwrap(), 0);
    assert!(tx.decide_review(id, ReviewState::Running, decider, Some("同意")).await.unwrap());
    assert!(!tx.decide_review(id, ReviewState::Refused, decider, None).await.unwrap());
    tx.finish_review(id, ReviewState::Done, "第 2 版").await.unwrap();
    tx.finish_review(id, ReviewState::Failed, "again").await.unwrap();
    let review = tx.review(id).await.unwrap().unwrap();
    assert_eq!((review.state, review.outcome.as_deref()), (ReviewState::Done, Some("第 2 版")));
    assert_eq!((review.asker.as_str(), review.decider.as_deref()), ("岩asker", Some("岩decider")));
    assert_eq!((review.payload, review.note.as_deref()), (new.payload, Some("同意")));
    let waiting = ReviewFilter { waiting: Some(true), ..ReviewFilter::default() };
    let listed: Vec<_> = tx.reviews(&waiting, 9).await.unwrap().iter().map(|review| review.id).collect();
    assert_eq!(listed, [second]);
    let before = ReviewFilter { before: Some(second), text: "信任".into(), ..ReviewFilter::default() };
    assert_eq!(tx.reviews(&before, 9).await.unwrap().len(), 1);
}

async fn a_switch_is_set_on_its_revision(database: Database) {
    let store = database.create().await;
    let mut tx = begin(&store).await;
    assert_eq!(tx.setting("two_person").await.unwrap(), None);
    let set = json!({"on": false});
    assert_eq!(tx.set_setting("two_person", &set, 1).await.unwrap(), Changed::Conflict);
    assert_eq!(tx.set_setting("two_person", &set, 0).await.unwrap(), Changed::Yes);
    assert_eq!(tx.set_setting("two_person", &set, 0).await.unwrap(), Changed::Conflict);
    assert_eq!(tx.set_setting("two_person", &json!({"on": true}), 1).await.unwrap(), Changed::Yes);
    let row = tx.setting("two_person").await.unwrap().unwrap();
    assert_eq!((row.value, row.revision), (json!({"on": true}), 2));
}
