//! Units as people edit them, annex 3, rosters under way, deliveries.

use jiff::SignedDuration;
use jiff::civil::date;
use zeroize::Zeroizing;
use zyz::domain::unit::TargetGroup;
use zyz::store::{
    DeliveryFilter, DeliverySource, DeliveryStanding, DraftFilter, Leader, Leaders, NewDelivery, NewRosterDraft,
    NewRosterRow, Reach, ReceiptOf, RosterCounts, RosterOutcome, RosterRowChange, RosterRows, RosterState, StoreError,
    UnitFields, UnitFilter, WindowFilter,
};

use crate::support::{Database, begin, contract, identity, now, office, register};

contract!(
    units_are_edited_at_their_revision,
    lists_of_units_keep_to_their_reach,
    annex_3_is_sealed_and_returned_once_a_revision,
    a_roster_under_way_is_sealed_and_counted,
    a_roster_is_confirmed_once,
    rosters_are_forgotten,
    deliveries_are_stamped_handed_on_and_archived,
);

fn fields(name: &str, heads: u32) -> UnitFields {
    UnitFields { name: name.into(), head_count: Some(heads), group: Some(TargetGroup::Town) }
}

async fn units_are_edited_at_their_revision(database: Database) {
    let store = database.create().await;
    let mut tx = begin(&store).await;
    let unit = office(&mut tx).await;
    let other = tx.ensure_unit(2, "思茅区图书馆").await.unwrap();
    assert!(tx.edit_unit(unit.id, 1, &fields("思茅区文化中心", 12)).await.unwrap());
    assert!(!tx.edit_unit(unit.id, 1, &fields("别的", 13)).await.unwrap(), "the second is told");
    tx.commit().await.unwrap();
    let found = store.read().await.unwrap().unit(unit.id).await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.head_count, found.revision), ("思茅区文化中心", Some(12), 2));
    assert_eq!(found.group, Some(TargetGroup::Town));
    assert!(found.changed.is_some());
    let mut tx = begin(&store).await;
    let taken = tx.edit_unit(other.id, 1, &fields("思茅区文化中心", 1)).await;
    assert!(matches!(taken, Err(StoreError::Duplicate { what: "单位", .. })), "{taken:?}");
}

async fn lists_of_units_keep_to_their_reach(database: Database) {
    let store = database.create().await;
    register(&store, 0, 3).await;
    let mut tx = begin(&store).await;
    let own = office(&mut tx).await;
    for (county, name) in [(2, "思茅区甲_乙"), (21, "宁洱县甲%乙"), (21, "宁洱县丙")] {
        tx.ensure_unit(county, name).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let all = UnitFilter::default();
    let lines = reader.unit_lines(Reach::Everything, &all, None, 10).await.unwrap();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines.iter().find(|line| line.unit.id == own.id).unwrap().volunteers, 3);
    let mut seen = Vec::new();
    let mut after = None;
    while let Some(line) = reader.unit_lines(Reach::Everything, &all, after, 1).await.unwrap().pop() {
        after = Some(line.unit.id);
        seen.push(line.unit.id);
    }
    assert_eq!(seen, lines.iter().map(|line| line.unit.id).collect::<Vec<_>>());
    assert_eq!(reader.unit_lines(Reach::County(21), &all, None, 10).await.unwrap().len(), 2);
    assert_eq!(reader.unit_lines(Reach::Unit(own.id), &all, None, 10).await.unwrap().len(), 1);
    for (text, count) in [("甲%", 1), ("甲_", 1), ("甲", 2), ("!", 0)] {
        let filter = UnitFilter { name: Some(text.into()), ..UnitFilter::default() };
        assert_eq!(reader.unit_lines(Reach::Everything, &filter, None, 10).await.unwrap().len(), count, "{text}");
    }
    let none = UnitFilter { group: Some(None), ..UnitFilter::default() };
    assert_eq!(reader.unit_lines(Reach::Everything, &none, None, 10).await.unwrap().len(), 4);
    assert_eq!(reader.volunteers_of_unit(own.id).await.unwrap(), 3);
}

async fn annex_3_is_sealed_and_returned_once_a_revision(database: Database) {
    let store = database.create().await;
    let mut tx = begin(&store).await;
    let unit = office(&mut tx).await;
    let of = ReceiptOf::Unit { unit: unit.id, county: 2 };
    let leader = Leader { name: "岩温扁".into(), mobile: "13800000001".into(), ..Leader::default() };
    let leaders = Leaders { leader: leader.clone(), manager: leader };
    assert!(tx.set_receipt(of, 0, &leaders).await.unwrap());
    assert!(!tx.set_receipt(of, 0, &leaders).await.unwrap());
    assert!(tx.set_receipt(of, 1, &leaders).await.unwrap());
    assert!(tx.set_receipt(ReceiptOf::County(2), 0, &Leaders::default()).await.unwrap());
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let receipt = reader.receipt(of).await.unwrap().unwrap();
    assert!(receipt.leaders == leaders && receipt.revision == 2);
    assert_eq!(reader.receipt_counts().await.unwrap(), [(2, 1, 1)]);
    assert!(reader.receipt_lines(2, true, None, 10).await.unwrap().is_empty());
    assert_eq!(reader.receipt_lines(2, false, None, 10).await.unwrap().len(), 1);
    assert!(reader.receipt(ReceiptOf::County(21)).await.unwrap().is_none());
}

fn row(number: u32, outcome: RosterOutcome, person: Option<u32>) -> NewRosterRow {
    let identity = person.map(|n| Zeroizing::new(identity(n)));
    NewRosterRow { number, outcome, identity, body: Zeroizing::new(format!("第{number}行")) }
}

fn draft(unit: zyz::store::UnitId) -> NewRosterDraft {
    NewRosterDraft {
        unit,
        file_name: "名册.xlsx".into(),
        file_sha256: [7; 32],
        handed_in: date(2026, 9, 3),
        expires_at: now() + SignedDuration::from_hours(24),
        body: Zeroizing::new("整张表".into()),
    }
}

fn rows() -> Vec<NewRosterRow> {
    vec![
        row(1, RosterOutcome::Aside, None),
        row(2, RosterOutcome::New, Some(1)),
        row(3, RosterOutcome::Refused, Some(1)),
        row(4, RosterOutcome::Known, Some(2)),
    ]
}

async fn a_roster_under_way_is_sealed_and_counted(database: Database) {
    let store = database.create().await;
    let mut tx = begin(&store).await;
    let unit = office(&mut tx).await.id;
    let id = tx.insert_roster_draft(&draft(unit), &rows()).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let found = reader.roster_draft(id).await.unwrap().unwrap();
    assert_eq!(found.counts, RosterCounts { fresh: 1, known: 1, refused: 1, removed: 0 });
    assert_eq!(reader.roster_body(id).await.unwrap().unwrap().as_str(), "整张表");
    let all = reader.roster_rows(id, RosterRows::Everything, 0, 10).await.unwrap();
    assert_eq!(all.iter().map(|row| row.body.as_str()).collect::<Vec<_>>(), ["第1行", "第2行", "第3行", "第4行"]);
    assert_eq!(reader.roster_rows(id, RosterRows::People, 2, 10).await.unwrap().len(), 2);
    let only = RosterRows::Only(RosterOutcome::Refused);
    assert_eq!(reader.roster_rows(id, only, 0, 10).await.unwrap()[0].number, 3);
    let same = reader.roster_rows_of(id, &[&identity(1), &identity(9)]).await.unwrap();
    assert_eq!(same.iter().map(|row| row.number).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(reader.open_rosters(unit).await.unwrap(), 1);
    drop(reader);
    // A row by hand and another along with it; a stale one changes neither.
    let mut tx = begin(&store).await;
    let change = |number, outcome, revision| RosterRowChange { row: row(number, outcome, Some(3)), revision };
    let changes = [change(3, RosterOutcome::New, Some(1)), change(2, RosterOutcome::Removed, None)];
    assert!(tx.change_roster_rows(id, &changes).await.unwrap());
    tx.commit().await.unwrap();
    let mut tx = begin(&store).await;
    assert!(!tx.change_roster_rows(id, &[change(3, RosterOutcome::Removed, Some(1))]).await.unwrap());
    let found = tx.roster_draft(id).await.unwrap().unwrap();
    assert_eq!(found.counts, RosterCounts { fresh: 1, known: 1, refused: 0, removed: 1 });
    assert_eq!(found.revision, 2);
    let by_hand = tx.roster_row(id, 3).await.unwrap().unwrap();
    assert!(by_hand.revision == 2 && by_hand.changed.is_some());
    let along = tx.roster_row(id, 2).await.unwrap().unwrap();
    assert!(along.revision == 1 && along.changed.is_none());
    assert!(tx.roster_row(id, 99).await.unwrap().is_none());
    tx.rollback().await.unwrap();
    // No name and no number stands in the file in the clear.
    assert_eq!(database.number("SELECT count(*) FROM roster_draft_row WHERE identity_index IS NULL").await, 1);
}

async fn a_roster_is_confirmed_once(database: Database) {
    let store = database.create().await;
    let mut tx = begin(&store).await;
    let unit = office(&mut tx).await.id;
    let id = tx.insert_roster_draft(&draft(unit), &rows()).await.unwrap();
    let counts = RosterCounts { fresh: 1, known: 1, refused: 1, removed: 0 };
    assert!(!tx.confirm_roster_draft(id, 9, None, counts).await.unwrap());
    assert!(tx.confirm_roster_draft(id, 1, None, counts).await.unwrap());
    assert!(!tx.confirm_roster_draft(id, 1, None, counts).await.unwrap());
    assert!(!tx.confirm_roster_draft(id, 2, None, counts).await.unwrap());
    assert!(!tx.abandon_roster_draft(id).await.unwrap());
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.roster_draft(id).await.unwrap().unwrap().state, RosterState::Confirmed);
    let all = DraftFilter::default();
    let open = DraftFilter { state: Some(RosterState::Open), ..all.clone() };
    assert!(reader.roster_drafts(Reach::Everything, &open, None, 9).await.unwrap().is_empty());
    let own = DraftFilter { unit: Some(unit), ..all.clone() };
    assert_eq!(reader.roster_drafts(Reach::County(2), &own, None, 9).await.unwrap().len(), 1);
    assert!(reader.roster_drafts(Reach::County(21), &all, None, 9).await.unwrap().is_empty());
    assert!(reader.roster_drafts(Reach::Everything, &all, Some(id), 9).await.unwrap().is_empty());
}

async fn rosters_are_forgotten(database: Database) {
    let store = database.create().await;
    let mut tx = begin(&store).await;
    let unit = office(&mut tx).await.id;
    let given_up = tx.insert_roster_draft(&draft(unit), &rows()).await.unwrap();
    let old = tx.insert_roster_draft(&draft(unit), &rows()).await.unwrap();
    assert!(tx.abandon_roster_draft(given_up).await.unwrap());
    assert_eq!(tx.forget_expired_rosters().await.unwrap(), 0);
    tx.commit().await.unwrap();
    let later = now() + SignedDuration::from_hours(24);
    let mut tx = store.begin("测试", later).await.unwrap();
    assert_eq!(tx.forget_expired_rosters().await.unwrap(), 1);
    assert_eq!(tx.forget_expired_rosters().await.unwrap(), 0);
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    for id in [given_up, old] {
        assert_eq!(reader.roster_draft(id).await.unwrap().unwrap().state, RosterState::Abandoned);
        assert!(reader.roster_body(id).await.unwrap().is_none());
    }
    assert_eq!(database.number("SELECT count(*) FROM roster_draft_row").await, 0);
}

async fn deliveries_are_stamped_handed_on_and_archived(database: Database) {
    let store = database.create().await;
    let mut tx = begin(&store).await;
    let mut units = Vec::new();
    for name in ["甲", "乙", "丙", "丁"] {
        units.push(tx.ensure_unit(21, name).await.unwrap().id);
    }
    let mut deliver = Vec::new();
    for (unit, day) in [(0, date(2026, 9, 30)), (1, date(2026, 10, 1)), (2, date(2026, 8, 31))] {
        let new = NewDelivery { unit: units[unit], on: day, people: 5, source: DeliverySource::Register, draft: None };
        deliver.push(tx.insert_delivery(&new).await.unwrap());
    }
    assert!(!tx.archive_delivery(deliver[0]).await.unwrap(), "not stamped");
    assert!(tx.hand_on(21, 2026).await.unwrap().is_none());
    assert!(tx.receive_stamped(deliver[0]).await.unwrap());
    assert!(!tx.receive_stamped(deliver[0]).await.unwrap());
    assert_eq!(tx.ready_to_hand_on(21, 2026).await.unwrap(), (1, 5));
    let handed = tx.hand_on(21, 2026).await.unwrap().unwrap();
    assert!(tx.hand_on(21, 2026).await.unwrap().is_none());
    assert!(tx.archive_county_delivery(handed).await.unwrap());
    assert!(!tx.archive_county_delivery(handed).await.unwrap());
    assert!(!tx.archive_delivery(deliver[0]).await.unwrap(), "it came with its county's");
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let first = reader.delivery(deliver[0]).await.unwrap().unwrap();
    assert!(first.archived.is_some() && first.handed_in == Some(handed) && first.year == 2026);
    let lines = reader.window_lines(Reach::County(21), 2026, &WindowFilter::default(), None, 10).await.unwrap();
    let standing = |unit: usize| lines.iter().find(|line| line.unit == units[unit]).unwrap().standing;
    assert_eq!(
        [standing(0), standing(1), standing(2), standing(3)],
        [DeliveryStanding::Inside, DeliveryStanding::Late, DeliveryStanding::Early, DeliveryStanding::Missing]
    );
    for (asked, count) in [(DeliveryStanding::Inside, 1), (DeliveryStanding::Late, 2), (DeliveryStanding::Missing, 1)] {
        let filter = WindowFilter { standing: Some(asked), ..WindowFilter::default() };
        let found = reader.window_lines(Reach::Everything, 2026, &filter, None, 10).await.unwrap();
        assert_eq!(found.len(), count, "{asked:?}");
    }
    let counties = reader.window_by_county(Reach::Everything, 2026).await.unwrap();
    assert_eq!((counties[0].units, counties[0].inside, counties[0].outside, counties[0].people), (4, 1, 2, 15));
    assert_eq!(reader.window_by_county(Reach::Everything, 2025).await.unwrap()[0].inside, 0);
    assert_eq!(reader.county_table(21, 2026, None, 10).await.unwrap().len(), 3);
    let after = reader.county_table(21, 2026, None, 1).await.unwrap()[0].id;
    assert_eq!(reader.county_table(21, 2026, Some(after), 10).await.unwrap().len(), 2);
    let all = DeliveryFilter::default();
    assert!(reader.deliveries(Reach::County(22), &all, None, 10).await.unwrap().is_empty());
    let one = DeliveryFilter { unit: Some(units[1]), ..all };
    assert_eq!(reader.deliveries(Reach::Everything, &one, None, 10).await.unwrap().len(), 1);
    assert_eq!(reader.county_deliveries(2026, Some(21)).await.unwrap().len(), 1);
}
