//! Registration and approval: 附件1.

mod checks;
mod conflicts;
mod deciding;
mod queues;

use zyz::domain::staff::{Role, Scope};

use crate::console::{Client, ConsoleApp};
use crate::server::Answer;
use crate::support::Database;
use crate::support::sheets::identity;

/// The town's unit, which the federation decides on, and one of 宁洱县 (21).
struct Office {
    console: ConsoleApp,
    town: Scope,
    county: Scope,
}

impl Office {
    fn new(database: Database) -> Self {
        let console = ConsoleApp::new(database);
        let (town, county) = console.app.wait(async {
            let store = console.app.store().await;
            let mut tx = store.begin("测试员", console.app.now()).await.unwrap();
            let town = tx.ensure_unit(2, "思茅区文化馆").await.unwrap();
            let county = tx.ensure_unit(21, "宁洱县第一中学").await.unwrap();
            tx.commit().await.unwrap();
            (town, county)
        });
        let scope = |unit: zyz::store::Unit| Scope::Unit { unit: unit.id.0, county: unit.county };
        Self { town: scope(town), county: scope(county), console }
    }

    fn unit(&self) -> Client<'_> {
        self.console.sign_in(Role::Unit, self.town)
    }

    fn county_unit(&self) -> Client<'_> {
        self.console.sign_in(Role::Unit, self.county)
    }

    fn clerk(&self) -> Client<'_> {
        self.console.sign_in(Role::FederationClerk, Scope::All)
    }

    fn county(&self, code: u8) -> Client<'_> {
        self.console.sign_in(Role::County, Scope::County(code))
    }

    /// A form handed in by somebody of the unit; its number.
    fn submitted(&self, by: &Client, fields: &[(&str, &str)]) -> String {
        let id = begun(by, fields);
        by.post(&format!("/forms/{id}/submit"), &[("revision", "1")]).location();
        id
    }
}

/// A complete form of an invented adult; `serial` tells them apart.
pub(crate) fn complete(serial: u32) -> Vec<(&'static str, String)> {
    let number = identity(jiff::civil::date(1990, 5, 1), serial, true);
    [
        ("applied_on", "2026-11-20"),
        ("name", "岩温扁"),
        ("political", "群众"),
        ("sex", "男"),
        ("birth_date", "1990-05-01"),
        ("ethnicity", "傣族"),
        ("workplace", "思茅区文化馆"),
        ("nature", "事业单位和国有企业"),
        ("mobile", "13800000001"),
        ("items", "1"),
        ("items", "8"),
    ]
    .into_iter()
    .map(|(name, value)| (name, value.to_owned()))
    .chain([("identity", number)])
    .collect()
}

/// [`complete`] with other values in some fields.
pub(crate) fn with<'a>(fields: &'a [(&'static str, String)], other: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let replaced = |name: &str| other.iter().any(|(known, _)| *known == name);
    let kept = fields.iter().filter(|(name, _)| !replaced(name)).map(|(name, value)| (*name, value.as_str()));
    kept.chain(other.iter().copied()).collect()
}

/// Saves a new draft; its number.
fn begun(by: &Client, fields: &[(&str, &str)]) -> String {
    let mut fields = fields.to_vec();
    fields.push(("step", "save"));
    number(by.post("/forms/new", &fields).location())
}

/// The form's number in an address.
fn number(address: &str) -> String {
    address.split('/').find(|part| part.parse::<i64>().is_ok()).expect("an address of a form").to_owned()
}

/// What stands below a field.
fn error_of(answer: &Answer, field: &str) -> String {
    let text = answer.text();
    let mark = format!("id=\"e-{field}\"");
    let at = text.find(&mark).unwrap_or_else(|| panic!("no field {field} in {text}"));
    let rest = &text[at..];
    rest[rest.find('>').unwrap() + 1..rest.find("</p>").unwrap()].to_owned()
}
