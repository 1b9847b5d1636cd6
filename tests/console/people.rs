//! Volunteers: finding them, their page, corrections, merging, the status of their cards, leaving.

mod changes;
mod exit;
mod find;
mod merge;
mod reveal;
mod status;

use zyz::domain::division::County;
use zyz::domain::staff::{Role, Scope};
use zyz::service::import::RosterRequest;
use zyz_credential::CertificateNumber;

use crate::console::{Client, ConsoleApp};
use crate::support::{Database, sheets};

/// A federation with three people of 思茅区样例单位 (02) and their cards, and two of 宁洱县样例单位 (21) without.
pub fn console(database: Database) -> ConsoleApp {
    let console = ConsoleApp::with_cards(database, 3);
    let people: Vec<_> = (100..102).map(sheets::person).collect();
    import(&console, "宁洱县样例单位", "21", &people);
    console
}

/// Registers people.
pub fn import(console: &ConsoleApp, unit: &str, county: &str, people: &[sheets::Somebody]) {
    let app = &console.app;
    let file = app.path(&format!("{unit}.xlsx"));
    sheets::roster(&file, people);
    let _inside = app.runtime().enter();
    let request = RosterRequest {
        roster: app.federation.read_roster(&file),
        unit,
        county: County::parse(county).unwrap(),
        dry_run: false,
        strict: false,
        report: None,
    };
    app.wait(app.federation.import_roster(request, &|_, _| ())).unwrap();
}

/// The numbers of the five, in order: 0 to 2 of 思茅区, 3 and 4 of 宁洱县.
pub fn numbers(console: &ConsoleApp) -> Vec<CertificateNumber> {
    console.app.numbers()
}

/// The 文明办 of 宁洱县.
pub fn county(console: &ConsoleApp) -> Client<'_> {
    console.sign_in(Role::County, Scope::County(21))
}

/// 思茅区样例单位's person in charge: it is the first unit.
pub fn unit(console: &ConsoleApp) -> Client<'_> {
    console.sign_in(Role::Unit, Scope::Unit { unit: 1, county: 2 })
}

/// The revision that a form of ours shows.
pub fn revision(page: &str, name: &str) -> String {
    let (_, after) = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
    after.split('"').next().unwrap().to_owned()
}

/// How often an action stands in the audit trail of an object, and its details.
pub fn events(console: &ConsoleApp, number: CertificateNumber, action: &str) -> Vec<String> {
    let person = console.app.wait(console.app.federation.volunteer(number)).unwrap();
    person.history.into_iter().filter(|event| event.action == action).map(|event| event.detail).collect()
}
