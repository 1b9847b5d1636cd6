//! What people have done at their desks before a newcomer opens the console: units with their groups and head counts, annex 3,
//! forms in every state, a roster with mistakes that waits, rosters delivered.

use std::path::Path;

use jiff::ToSpan;
use jiff::civil::Date;

use super::office;
use super::people::Person;
use super::samples;
use crate::app::AppError;
use crate::clock::beijing_date;
use crate::domain::application::ApplicationText;
use crate::domain::staff::{Role, Scope, Staff};
use crate::service::Federation;
use crate::service::desk::forms::Decision;
use crate::service::desk::rosters::{DraftUpload, UnitEdit, UnitsAsked};
use crate::service::desk::{Desk, DeskError};

/// Head counts: not all units have registered everybody.
const HEADS: [(&str, &str, u32); 9] = [
    ("普洱市文化和旅游局", "office", 24),
    ("思茅区第九中学", "teachers", 31),
    ("普洱茶源商贸有限公司", "company", 40),
    ("普洱市样例医院", "office", 30),
    ("思茅镇五一社区", "town", 12),
    ("宁洱县样例医院", "office", 22),
    ("宁洱县样例中学", "teachers", 20),
    ("景东县样例茶业公司", "company", 25),
    ("澜沧县样例中学", "students", 260),
];

/// Does it all, each step as somebody whose work it is.
pub(super) async fn at_desks(federation: &Federation, folder: &Path) -> Result<(), AppError> {
    work(federation, folder).await.map_err(|error| {
        let fields: Vec<String> = match &error {
            DeskError::Invalid(fields) => fields.iter().map(|one| format!("{}：{}", one.field, one.message)).collect(),
            _ => Vec::new(),
        };
        AppError::Usage(format!("演示的工作台样例没有做完：{error} {}", fields.join("；")))
    })
}

async fn work(federation: &Federation, folder: &Path) -> Result<(), DeskError> {
    let clerk = somebody(federation, 0, "jingban", Role::FederationClerk, Scope::All);
    let county = somebody(federation, 0, "xian", Role::County, Scope::County(21));
    let units = clerk.units(&UnitsAsked { name: String::new(), county: None, group: None, after: None }).await?;
    for (name, group, heads) in HEADS {
        let Some(unit) = units.iter().find(|unit| unit.name == name) else { continue };
        let edit = UnitEdit { name: name.into(), group: group.into(), head_count: heads.to_string() };
        clerk.edit_unit(unit.id, unit.revision, &edit).await?;
    }
    let hospital = units.iter().find(|unit| unit.name == "宁洱县样例医院").ok_or(DeskError::NotFound)?;
    let unit = somebody(federation, 0, "danwei", Role::Unit, Scope::Unit { unit: hospital.id, county: 21 });
    forms(&unit, &county, beijing_date(federation.now())).await?;
    waiting_roster(&unit, hospital.id, folder, federation).await?;
    for unit in units.iter().filter(|unit| unit.county_code != 21).take(3) {
        clerk.deliver_register(unit.id).await?;
    }
    Ok(())
}

/// Forms of the hospital in 宁洱: a draft, one waiting, one sent back, one approved.
async fn forms(unit: &Desk, county: &Desk, today: Date) -> Result<(), DeskError> {
    let (home, _) = unit.form_units(None).await?;
    for n in 0..5 {
        let text = form(&office::person(300 + n, "21", today.year()), today);
        let id = unit.begin_form(&home, &text).await?;
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

/// A desk in the name of one of the demonstration's accounts.
fn somebody(federation: &Federation, id: i64, login: &str, role: Role, scope: Scope) -> Desk {
    Desk::new(federation, Staff { id, login: login.into(), name: role.label().into(), role, scope })
}
