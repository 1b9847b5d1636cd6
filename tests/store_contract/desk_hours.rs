//! Records at the console: pages within reach, corrections, void ones, objections; the year's batch as a draft.

use jiff::civil::{Date, date};
use zyz::domain::star::{StarPolicy, Window};
use zyz::store::{
    DisputeOutcome, DraftState, NewActivity, NewDraftRow, NewServiceRecord, NewStarDraft, Reach, RecordFilter,
    RowFilter, StoreError, VolunteerId,
};

use crate::support::{Database, begin, contract, number, office, register};

contract![
    pages_go_on_below_and_stay_within_reach,
    a_correction_keeps_the_old_value,
    a_void_record_leaves_every_sum,
    one_objection_at_a_time,
    activities_wait_by_their_day,
    a_draft_is_frozen_and_certified_once,
];

fn served(volunteer: VolunteerId, day: Date, minutes: u16) -> NewServiceRecord {
    NewServiceRecord {
        volunteer,
        date: day,
        start_minute: None,
        end_minute: None,
        minutes,
        content: "清扫洗马湖步道".to_owned(),
        activity: Some("环境集中整治日".to_owned()),
        place: None,
        item: Some(3),
        flags: 0,
        organiser: None,
        in_charge: Some("岩温扁".to_owned()),
        late_reason: None,
    }
}

async fn pages_go_on_below_and_stay_within_reach(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 3).await;
    let mut tx = begin(&store).await;
    let unit = office(&mut tx).await;
    let late =
        NewServiceRecord { flags: 1, late_reason: Some("住院".into()), ..served(ids[2], date(2026, 3, 7), 60) };
    let records = [served(ids[0], date(2026, 3, 5), 30), served(ids[1], date(2026, 3, 5), 40), late];
    tx.insert_service_records(None, &records).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let all = RecordFilter::all(Reach::Everything);
    let first = reader.record_lines(&all, None, 2).await.unwrap();
    assert_eq!(first.iter().map(|line| line.record.noted.minutes).collect::<Vec<_>>(), [60, 40]);
    assert_eq!(
        (first[0].unit_name.as_str(), first[0].county, first[0].record.unit),
        ("思茅区文化馆", 2, Some(unit.id))
    );
    let last = &first[1].record;
    let next = reader.record_lines(&all, Some((last.noted.date, last.id.0)), 2).await.unwrap();
    assert_eq!(next.iter().map(|line| line.record.noted.minutes).collect::<Vec<_>>(), [30]);
    assert_eq!(reader.record_sum(&all, 100).await.unwrap(), (3, 130));
    assert_eq!(reader.record_sum(&all, 2).await.unwrap().0, 2, "a large count is capped");
    let only = reader.record_lines(&RecordFilter { late: true, ..all }, None, 9).await.unwrap();
    assert_eq!(only[0].record.noted.late_reason.as_deref(), Some("住院"));
    assert_eq!((only.len(), only[0].record.entered_by.as_deref()), (1, Some("测试员")));
    for (reach, count) in [(Reach::County(2), 3), (Reach::County(21), 0), (Reach::Unit(unit.id), 3)] {
        let found = reader.record_lines(&RecordFilter::all(reach), None, 9).await.unwrap();
        assert_eq!(found.len(), count, "{reach:?}");
    }
    let day = RecordFilter { from: Some(date(2026, 3, 6)), to: Some(date(2026, 3, 7)), ..all };
    assert_eq!(reader.record_lines(&day, None, 9).await.unwrap().len(), 1);
    let people = reader.unit_people(unit.id, "玉", "", 9).await.unwrap();
    assert_eq!(people.iter().map(|person| person.name.as_str()).collect::<Vec<_>>(), ["玉波罕"]);
    assert!(reader.unit_people(unit.id, "%", "", 9).await.unwrap().is_empty(), "a pattern's signs are only signs");
}

async fn a_correction_keeps_the_old_value(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 1).await;
    let mut tx = begin(&store).await;
    let (first, second) = (served(ids[0], date(2026, 3, 5), 30), served(ids[0], date(2026, 3, 6), 30));
    tx.insert_service_records(None, &[first, second.clone()]).await.unwrap();
    let old = tx.service_records(ids[0]).await.unwrap().remove(1);
    assert!(tx.correct_record(&old, 1, &served(ids[0], date(2026, 3, 5), 45), "签到表").await.unwrap());
    assert!(!tx.correct_record(&old, 1, &served(ids[0], date(2026, 3, 5), 50), "晚了").await.unwrap());
    let changes = tx.record_changes(old.id).await.unwrap();
    assert_eq!((changes.len(), changes[0].kind.as_str(), changes[0].reason.as_str()), (1, "correct", "签到表"));
    assert!(changes[0].before.contains("\"minutes\":30") && changes[0].after.contains("\"minutes\":45"));
    tx.commit().await.unwrap();
    let mut tx = begin(&store).await;
    let now = tx.record_line(old.id).await.unwrap().unwrap().record;
    assert_eq!((now.revision, now.noted.minutes), (2, 45));
    let twice = tx.correct_record(&now, 2, &second, "同一次").await;
    assert!(matches!(twice, Err(StoreError::Duplicate { .. })), "{twice:?}");
}

async fn a_void_record_leaves_every_sum(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 1).await;
    let new = served(ids[0], date(2026, 3, 5), 30);
    let mut tx = begin(&store).await;
    tx.insert_service_records(None, std::slice::from_ref(&new)).await.unwrap();
    let old = tx.service_records(ids[0]).await.unwrap().remove(0);
    assert!(!tx.void_record(&old, 2, "错").await.unwrap());
    assert!(tx.void_record(&old, 1, "没有参加").await.unwrap());
    assert_eq!(tx.service_minutes(ids[0], date(2026, 1, 1), date(2026, 12, 31)).await.unwrap(), (0, 0));
    assert!(tx.star_standings(2026, date(2026, 1, 1), date(2026, 12, 31)).await.unwrap().is_empty());
    let kept = tx.record_line(old.id).await.unwrap().unwrap();
    assert!(kept.void && kept.record.noted == new);
    let void = RecordFilter { void: true, ..RecordFilter::all(Reach::Everything) };
    assert_eq!(tx.record_sum(&void, 10).await.unwrap(), (1, 30));
    // The same service can be entered again.
    tx.insert_service_records(None, &[new]).await.unwrap();
    tx.commit().await.unwrap();
}

async fn one_objection_at_a_time(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 1).await;
    let mut tx = begin(&store).await;
    let unit = office(&mut tx).await;
    tx.insert_service_records(None, &[served(ids[0], date(2026, 3, 5), 30)]).await.unwrap();
    let record = tx.service_records(ids[0]).await.unwrap().remove(0).id;
    let dispute = tx.note_dispute(record, (Some(unit.id), 2), "少了一小时").await.unwrap();
    assert!(tx.record_line(record).await.unwrap().unwrap().disputed);
    assert_eq!(tx.open_disputes(Reach::County(2)).await.unwrap(), 1);
    assert_eq!(tx.open_disputes(Reach::County(21)).await.unwrap(), 0);
    assert!(tx.decide_dispute(dispute, DisputeOutcome::Rejected, "核实无误").await.unwrap());
    assert!(!tx.decide_dispute(dispute, DisputeOutcome::Void, "再看").await.unwrap());
    let decided = tx.disputes(Reach::Everything, false, None, None, 9).await.unwrap();
    assert_eq!(decided[0].outcome, Some(DisputeOutcome::Rejected));
    tx.note_dispute(record, (Some(unit.id), 2), "又一次").await.unwrap();
    let again = tx.note_dispute(record, (Some(unit.id), 2), "第三次").await;
    assert!(matches!(again, Err(StoreError::Duplicate { .. })), "{again:?}");
}

async fn activities_wait_by_their_day(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    let unit = office(&mut tx).await;
    let activity = |day| NewActivity {
        unit: unit.id,
        county: 2,
        date: day,
        name: "环境集中整治日".into(),
        span: Some((510, 690)),
        minutes: None,
        content: "清扫".into(),
        place: "洗马湖".into(),
        item: Some(3),
        organiser: "文化馆".into(),
        in_charge: "岩温扁".into(),
    };
    let mut ids = Vec::new();
    for day in [date(2026, 11, 20), date(2026, 11, 2), date(2026, 11, 12)] {
        ids.push(tx.note_activity(&activity(day)).await.unwrap());
    }
    let (overdue, soon) = (date(2026, 11, 6), date(2026, 11, 13));
    assert_eq!(tx.count_pending(Reach::Everything, overdue, soon).await.unwrap(), (1, 1));
    let lines = tx.pending_activities(Reach::Unit(unit.id), None, "", None, 2).await.unwrap();
    assert_eq!(lines.iter().map(|line| line.id).collect::<Vec<_>>(), [ids[1], ids[2]], "the oldest first");
    let after = Some((lines[1].noted.date, lines[1].id));
    assert_eq!(
        tx.pending_activities(Reach::County(2), None, "", after, 9).await.unwrap()[0].noted,
        activity(date(2026, 11, 20))
    );
    assert!(tx.pending_activities(Reach::County(21), None, "", None, 9).await.unwrap().is_empty());
    assert!(tx.close_activity(ids[1], Some("没有举行")).await.unwrap());
    assert!(!tx.close_activity(ids[1], None).await.unwrap());
    assert!(tx.pending_activity(ids[1]).await.unwrap().is_none());
}

async fn a_draft_is_frozen_and_certified_once(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 4).await;
    let policy = StarPolicy::of_the_notice();
    let bounds = Window::CalendarYear.bounds(2026, None).unwrap();
    let mut tx = begin(&store).await;
    let unit = office(&mut tx).await;
    tx.add_star_policy(&policy).await.unwrap();
    let staff = tx
        .insert_staff(&zyz::store::NewStaff {
            login: "clerk".into(),
            name: "经办".into(),
            role: zyz::domain::staff::Role::FederationClerk,
            scope: zyz::domain::staff::Scope::All,
            password: None,
        })
        .await
        .unwrap();
    let row = |n: usize, star| NewDraftRow {
        volunteer: ids[n],
        number: number(n as u32),
        name: "岩温扁".into(),
        unit: unit.id,
        unit_name: unit.name.clone(),
        county: 2,
        star_before: 0,
        star,
        window_minutes: 6_000 + n as u64,
        lifetime_minutes: 9_000,
    };
    let new =
        NewStarDraft { year: 2026, first_day: bounds.0, last_day: bounds.1, policy: policy.effective_from, staff };
    let id = tx.make_star_draft(&new, &[row(0, 1), row(1, 2), row(2, 2), row(3, 1)]).await.unwrap();
    let order = tx.draft_rows(id, &RowFilter::all(Reach::Everything), None, 3).await.unwrap();
    let numbers: Vec<_> = order.iter().map(|row| row.noted.number.clone()).collect();
    assert_eq!(numbers, [number(2), number(1), number(3)], "most stars, then most hours");
    let last = &order[2];
    let after = Some((last.noted.star, last.noted.window_minutes, last.id));
    assert_eq!(tx.draft_rows(id, &RowFilter::all(Reach::County(2)), after, 9).await.unwrap().len(), 1);
    assert!(tx.draft_rows(id, &RowFilter::all(Reach::County(21)), None, 9).await.unwrap().is_empty());

    let draft = tx.star_draft(id).await.unwrap().unwrap();
    assert_eq!((draft.state, draft.people, draft.revision), (DraftState::Draft, 4, 1));
    assert!(!tx.announce_star_draft(id, 2, bounds, staff).await.unwrap());
    assert!(tx.announce_star_draft(id, 1, bounds, staff).await.unwrap());
    let draft = tx.star_draft(id).await.unwrap().unwrap();
    assert!(tx.decide_objection(&draft, &order[0], (2, true), "时长有争议").await.unwrap());
    assert!(!tx.decide_objection(&draft, &order[1], (1, false), "页面旧了").await.unwrap());
    assert_eq!(tx.star_objections(id).await.unwrap()[0].outcome, "removed");
    tx.exit_volunteer(ids[3]).await.unwrap();
    let awards = tx.draft_awards(id).await.unwrap();
    assert_eq!(
        awards.iter().map(|award| award.volunteer).collect::<Vec<_>>(),
        [ids[0], ids[1]],
        "nobody removed or gone"
    );
    let done = tx.certify_stars(2026, &policy, bounds, &awards).await.unwrap();
    assert!(!tx.confirm_star_draft(id, 1, done, staff).await.unwrap());
    assert!(tx.confirm_star_draft(id, 3, done, staff).await.unwrap());
    assert!(!tx.drop_star_draft(id, 4, "晚了", staff).await.unwrap());
    let tally = tx.draft_tally(id).await.unwrap();
    assert_eq!(tally.iter().map(|part| (part.star, part.people)).collect::<Vec<_>>(), [(2, 1), (1, 2)]);
    tx.commit().await.unwrap();

    let mut tx = begin(&store).await;
    let second = tx.make_star_draft(&new, &[row(0, 1)]).await.unwrap();
    let third = tx.make_star_draft(&new, &[row(0, 1)]).await;
    assert!(matches!(third, Err(StoreError::Duplicate { .. })), "{third:?}");
    assert_ne!(second, id);
}
