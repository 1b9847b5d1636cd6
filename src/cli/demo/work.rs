//! What people have done at their desks before a newcomer opens the console: units with their groups and head counts, annex 3,
//! forms in every state, a roster with mistakes that waits, rosters delivered, an objection, a star batch on public notice, cards
//! printed and handed out, a large batch that waits for a second person.

use std::collections::HashMap;
use std::path::Path;

use jiff::ToSpan;
use jiff::civil::Date;

use super::office;
use super::people::Person;
use super::samples;
use crate::app::AppError;
use crate::clock::beijing_date;
use crate::domain::application::ApplicationText;
use crate::domain::choice::CardChoice;
use crate::domain::staff::{Role, Scope, Staff};
use crate::render::Layout;
use crate::service::Federation;
use crate::service::desk::cards::{Asked, HandoutDraft};
use crate::service::desk::forms::Decision;
use crate::service::desk::hours::RecordQuery;
use crate::service::desk::rosters::{DraftUpload, UnitEdit, UnitsAsked};
use crate::service::desk::{Desk, DeskError};

/// Keys of the accounts by login name.
type Keys = HashMap<&'static str, i64>;

/// Head counts: not all units have registered everybody.
const HEADS: [(&str, &str, u32); 9] = [
    ("普洱市文化和旅游局", "office", 24),
    ("思茅区第九中学", "teachers", 31),
    ("普洱茶源商贸有限公司", "company", 40),
    ("普洱市样例医院", "office", 30),
    ("思茅镇五一社区", "town", 30),
    ("宁洱县样例医院", "office", 22),
    ("宁洱县样例中学", "teachers", 20),
    ("景东县样例茶业公司", "company", 25),
    ("澜沧县样例中学", "students", 260),
];

/// Does it all, each step as somebody whose work it is.
pub(super) async fn at_desks(federation: &Federation, keys: &Keys, folder: &Path) -> Result<(), AppError> {
    work(federation, keys, folder).await.map_err(|error| {
        let fields: Vec<String> = match &error {
            DeskError::Invalid(fields) => fields.iter().map(|one| format!("{}：{}", one.field, one.message)).collect(),
            _ => Vec::new(),
        };
        AppError::Usage(format!("演示的工作台样例没有做完：{error} {}", fields.join("；")))
    })
}

async fn work(federation: &Federation, keys: &Keys, folder: &Path) -> Result<(), DeskError> {
    let somebody = |login: &str, role: Role, scope: Scope| {
        let id = keys.get(login).copied().unwrap_or_default();
        Desk::new(federation, Staff { id, login: login.into(), name: role.label().into(), role, scope })
    };
    let clerk = somebody("jingban", Role::FederationClerk, Scope::All);
    let county = somebody("xian", Role::County, Scope::County(21));
    let units = clerk.units(&UnitsAsked { name: String::new(), county: None, group: None, after: None }).await?;
    for (name, group, heads) in HEADS {
        let Some(unit) = units.iter().find(|unit| unit.name == name) else { continue };
        let edit = UnitEdit { name: name.into(), group: group.into(), head_count: heads.to_string() };
        clerk.edit_unit(unit.id, unit.revision, &edit).await?;
    }
    let hospital = units.iter().find(|unit| unit.name == "宁洱县样例医院").ok_or(DeskError::NotFound)?.id;
    let unit = somebody("danwei", Role::Unit, Scope::Unit { unit: hospital, county: 21 });
    forms(&unit, &county, beijing_date(federation.now())).await?;
    waiting_roster(&unit, hospital, folder, federation).await?;
    for unit in units.iter().filter(|unit| unit.county_code != 21).take(3) {
        clerk.deliver_register(unit.id).await?;
    }
    objection(&unit, hospital).await?;
    stars_on_notice(&clerk, federation).await?;
    cards(&clerk, &unit, hospital, federation).await
}

/// A volunteer of the hospital says that a record is wrong.
async fn objection(unit: &Desk, hospital: i64) -> Result<(), DeskError> {
    let records = unit.records(&RecordQuery { unit: Some(hospital), ..RecordQuery::default() }).await?;
    let record = records.rows.get(2).or(records.rows.first()).ok_or(DeskError::NotFound)?;
    unit.note_dispute(record.id, "本人当天从 13:00 服务到 18:00，应为 5 小时，有签到表照片。").await?;
    Ok(())
}

/// Last year's stars of those whose service was entered only now, on public notice from today.
async fn stars_on_notice(clerk: &Desk, federation: &Federation) -> Result<(), DeskError> {
    let year = beijing_date(federation.now()).year() - 1;
    let batch = clerk.draft_stars(&year.to_string()).await?;
    let page = clerk.star_batch(batch).await?;
    let (from, to) = page.suggested;
    clerk.announce_stars(batch, page.revision, &from.to_string(), &to.to_string()).await
}

/// The hospital's cards printed and some handed out; everybody's who has none asked for, which is more than one person may
/// have signed.
async fn cards(clerk: &Desk, unit: &Desk, hospital: i64, federation: &Federation) -> Result<(), DeskError> {
    let printed = clerk.freeze_choice(CardChoice::Unprinted, Some(hospital)).await?;
    clerk.ask_print(printed, Layout::A4EightUp.name(), false).await?;
    federation.run_jobs_once().await?;
    let ready = unit.choice(CardChoice::Waiting, Some(hospital), None).await?;
    let draft = HandoutDraft {
        cards: ready.rows.iter().filter_map(|row| row.card.as_ref()).map(|card| card.id).take(6).collect(),
        handed_on: beijing_date(federation.now()).to_string(),
        received_by: "本人".into(),
    };
    unit.hand_out(&draft).await?;
    let without = clerk.freeze_choice(CardChoice::New, None).await?;
    let people = clerk.card_list(without).await?.people;
    match clerk.ask_issue(without, &people.to_string()).await? {
        Asked::Review(_) => Ok(()),
        Asked::Job(_) => Err(DeskError::Refused(format!("{people} 人的批次没有等待复核"))),
    }
}

/// Forms of the hospital in 宁洱: a draft, one waiting, one sent back, one approved.
async fn forms(unit: &Desk, county: &Desk, today: Date) -> Result<(), DeskError> {
    let (home, _) = unit.form_units(None).await?;
    for n in 0..5 {
        let text = form(&office::person(300 + n, "21", today.year()), today);
        let id = unit.begin_form(&home, &text).await?.id;
        if n == 0 {
            continue;
        }
        let (line, _) = unit.open_form(id).await?;
        unit.submit_form(id, line.revision).await?;
        let decision = match n {
            1 => Decision::Return("毕业学校与专业请写全称".into()),
            2 => Decision::Approve("同意注册。".into()),
            _ => continue,
        };
        let line = county.decidable_form(id).await?;
        county.decide_form(id, line.revision, &decision).await?;
    }
    Ok(())
}

fn form(person: &Person, today: Date) -> ApplicationText {
    ApplicationText {
        applied_on: (today - 3.days()).to_string(),
        name: person.name.clone(),
        position: "护士".into(),
        political: person.political.into(),
        sex: person.sex.into(),
        birth_date: person.birth.to_string(),
        ethnicity: person.ethnicity.into(),
        identity: person.identity.clone(),
        education: "本科".into(),
        school: "云南样例大学".into(),
        major: "护理学".into(),
        workplace: "宁洱县样例医院".into(),
        work_position: "护士".into(),
        nature: "事业单位和国有企业".into(),
        address: "宁洱县样例路 1 号".into(),
        postcode: "665100".into(),
        email: "sample@example.cn".into(),
        mobile: person.phone.clone(),
        resume: "2015 年参加工作，一直在本院。".into(),
        items: vec!["2".into(), "18".into(), "31".into()],
        ..ApplicationText::default()
    }
}

/// A roster with mistakes, uploaded and not yet confirmed.
async fn waiting_roster(unit: &Desk, id: i64, folder: &Path, federation: &Federation) -> Result<(), DeskError> {
    let year = beijing_date(federation.now()).year();
    let mut people: Vec<Person> = (400..408).map(|n| office::person(n, "21", year)).collect();
    people[2].identity.replace_range(16..17, "x");
    people[4].phone = "12345".into();
    people[5].sex = if people[5].sex == "男" { "女" } else { "男" };
    let file = folder.join("宁洱县样例医院-待更正的名册.xlsx");
    samples::plain_roster(&file, "宁洱县样例医院", &people)
        .map_err(|error| DeskError::Refused(format!("写不出样例名册：{error}")))?;
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    unit.upload_roster(DraftUpload { file: &file, name: &name, unit: id }).await?;
    Ok(())
}
