//! Work under way, for whoever looks at every page: what a sample of people, cards and hours alone does not show.

use std::path::Path;
use std::sync::Arc;

use jiff::civil::date;
use zyz::domain::application::ApplicationText;
use zyz::domain::choice::CardChoice;
use zyz::domain::division::County;
use zyz::domain::review::Settings;
use zyz::domain::staff::{Role, Scope};
use zyz::render::Layout;
use zyz::service::Federation;
use zyz::service::desk::Desk;
use zyz::service::desk::cards::{Asked, HandoutDraft};
use zyz::service::desk::forms::Decision;
use zyz::service::desk::hours::{ActivityForm, RecordQuery};
use zyz::service::desk::rosters::{DraftUpload, UnitsAsked};
use zyz::service::desk::stars::{ObjectionForm, RowQuery};

use super::{COUNTY_UNIT, TOWN_UNIT};
use crate::support::sheets;

/// Forms in every state, rosters with mistakes and without, delivered ones, an activity whose hours are awaited, an
/// objection, star batches as draft and on notice, a job with its files, cards handed out, a batch that awaits a second
/// person. No server runs yet: jobs end before this does.
pub async fn under_way(federation: &Arc<Federation>, folder: &Path) {
    let clerk = desk(federation, Role::FederationClerk, Scope::All).await;
    let county = desk(federation, Role::County, Scope::County(21)).await;
    let units = clerk.units(&UnitsAsked { name: String::new(), county: None, group: None, after: None }).await.unwrap();
    for (place, (name, approver)) in [(TOWN_UNIT, &clerk), (COUNTY_UNIT, &county)].into_iter().enumerate() {
        let line = units.iter().find(|unit| unit.name == name).unwrap();
        let scope = Scope::Unit { unit: line.id, county: line.county_code };
        let unit = desk(federation, Role::Unit, scope).await;
        forms(&unit, approver, place as u32).await;
        rosters(&unit, line.id, place, folder).await;
        clerk.deliver_register(line.id).await.unwrap();
        hours(&unit, line.id, federation).await;
    }
    stars(&clerk, federation).await;
    cards(&clerk, federation).await;
}

/// Somebody at work.
async fn desk(federation: &Arc<Federation>, role: Role, scope: Scope) -> Desk {
    let staff = federation.open_account(role, scope).await.unwrap();
    let token = federation.begin_session(staff).await.unwrap();
    federation.desk(&token).await.unwrap().expect("a session that has just begun")
}

/// A draft, one withdrawn, one rejected, one approved, one waiting, one sent back: what is under way is the newest, which
/// the walk looks at.
async fn forms(unit: &Desk, approver: &Desk, place: u32) {
    let (home, _) = unit.form_units(None).await.unwrap();
    for n in 0..6 {
        let id = unit.begin_form(&home, &form(&home.name, place * 10 + n)).await.unwrap().id;
        let (line, _) = unit.open_form(id).await.unwrap();
        match n {
            0 => continue,
            1 => unit.withdraw_form(id, line.revision).await.unwrap(),
            _ => unit.submit_form(id, line.revision).await.unwrap(),
        }
        let decision = match n {
            2 => Decision::Reject("本人已在外地注册".into()),
            3 => Decision::Approve("同意注册。".into()),
            5 => Decision::Return("毕业学校请写全称".into()),
            _ => continue,
        };
        let line = approver.decidable_form(id).await.unwrap();
        approver.decide_form(id, line.revision, &decision).await.unwrap();
    }
}

fn form(unit: &str, n: u32) -> ApplicationText {
    let given = ["岩温扁", "玉波罕", "扎妥", "娜倮", "岩罕", "叶香"][n as usize % 6];
    ApplicationText {
        applied_on: "2026-09-01".into(),
        name: given.into(),
        political: "群众".into(),
        sex: "男".into(),
        birth_date: "1990-05-01".into(),
        ethnicity: "傣族".into(),
        identity: sheets::identity(date(1990, 5, 1), 350 + n, true),
        education: "本科".into(),
        school: "云南样例大学".into(),
        workplace: unit.into(),
        nature: "事业单位和国有企业".into(),
        address: "茶城大道 1 号".into(),
        mobile: "13800000001".into(),
        resume: "2012 年至今在本单位工作。".into(),
        items: vec!["2".into(), "18".into()],
        ..ApplicationText::default()
    }
}

/// One with mistakes that waits, and one that was confirmed.
async fn rosters(unit: &Desk, id: i64, place: usize, folder: &Path) {
    let mut people: Vec<_> = (40 + place * 10..48 + place * 10).map(sheets::person).collect();
    let file = folder.join("附件2.xlsx");
    sheets::roster(&file, &people[..2]);
    let draft = unit.upload_roster(DraftUpload { file: &file, name: "第一批.xlsx", unit: id }).await.unwrap();
    let revision = unit.roster_draft(draft).await.unwrap().revision;
    unit.confirm_roster(draft, revision, true).await.unwrap();
    people[3].identity.replace_range(17.., "?");
    people[4].phone = "12345".into();
    sheets::roster(&file, &people);
    unit.upload_roster(DraftUpload { file: &file, name: "第二批 待更正.xlsx", unit: id }).await.unwrap();
}

/// An activity whose hours are awaited, and an objection to a record.
async fn hours(unit: &Desk, id: i64, federation: &Arc<Federation>) {
    let activity = ActivityForm {
        name: "周五环境集中整治日".into(),
        date: zyz::clock::beijing_date(federation.now()).yesterday().unwrap().to_string(),
        start: "08:30".into(),
        end: "11:30".into(),
        content: "清扫洗马湖步道".into(),
        place: "洗马湖公园".into(),
        organiser: TOWN_UNIT.into(),
        in_charge: "岩温扁".into(),
        ..ActivityForm::default()
    };
    unit.note_activity(id, &activity).await.unwrap();
    let records = unit.records(&RecordQuery { unit: Some(id), ..RecordQuery::default() }).await.unwrap();
    let record = records.rows.first().expect("the sample has hours of the unit");
    unit.note_dispute(record.id, "本人当天服务到 18:00，有签到表照片。").await.unwrap();
}

/// This year's batch on notice with an objection decided, last year's a draft.
async fn stars(clerk: &Desk, federation: &Arc<Federation>) {
    let year = zyz::clock::beijing_date(federation.now()).year();
    clerk.draft_stars(&(year - 1).to_string()).await.unwrap();
    let batch = clerk.draft_stars(&year.to_string()).await.unwrap();
    let row = clerk.batch_rows(batch, &RowQuery::default()).await.unwrap().rows.remove(0).id;
    let (outcome, star, reason) = ("keep".into(), String::new(), "经核实，时长无误".into());
    let revision = clerk.star_batch(batch).await.unwrap().revision;
    clerk.decide_star_objection(batch, row, &ObjectionForm { outcome, star, reason, revision }).await.unwrap();
    let page = clerk.star_batch(batch).await.unwrap();
    let (from, to) = page.suggested;
    clerk.announce_stars(batch, page.revision, &from.to_string(), &to.to_string()).await.unwrap();
}

/// A job with its files, cards handed out, and a batch large enough to await a second person.
async fn cards(clerk: &Desk, federation: &Arc<Federation>) {
    let list = clerk.freeze_choice(CardChoice::Unprinted, None).await.unwrap();
    clerk.ask_print(list, Layout::A4EightUp.name(), false).await.unwrap();
    federation.run_jobs_once().await.unwrap();
    let ready = clerk.choice(CardChoice::Waiting, None, None).await.unwrap();
    let draft = HandoutDraft {
        cards: ready.rows.iter().filter_map(|row| row.card.as_ref()).map(|card| card.id).take(2).collect(),
        handed_on: zyz::clock::beijing_date(federation.now()).to_string(),
        received_by: "本人".into(),
    };
    assert_eq!(clerk.hand_out(&draft).await.unwrap(), (2, 0));
    let admin = desk(federation, Role::FederationAdmin, Scope::All).await;
    admin.change_settings(Settings { two_person: true, issue_over: 1 }, 0).await.unwrap();
    let list = clerk.freeze_choice(CardChoice::New, None).await.unwrap();
    let people = clerk.card_list(list).await.unwrap().people;
    let asked = clerk.ask_issue(list, &people.to_string()).await.unwrap();
    assert!(matches!(asked, Asked::Review(_)), "{people} cards were signed by one person");
}
