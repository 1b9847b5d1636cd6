//! Making cards.

mod handout;
mod jobs;
mod lists;
pub(crate) mod photos;

use std::sync::atomic::AtomicBool;

use zyz::domain::choice::CardChoice;
use zyz::domain::division::County;
use zyz::domain::review::Settings;
use zyz::domain::staff::{Role, Scope};
use zyz::service::import::RosterRequest;
use zyz::service::issue::IssueRequest;
use zyz::service::{Selection, ServiceError};
use zyz::store::{ColumnKeys, DatabaseUrl, Store};

use crate::console::{Client, ConsoleApp};
use crate::support::sheets::{self, Somebody};

const UNIT: &str = "思茅区样例单位";
const OTHER: &str = "宁洱县样例单位";

impl ConsoleApp {
    /// Registers people of a unit, without cards.
    fn register(&self, unit: &str, county: &str, people: &[Somebody]) {
        let app = &self.app;
        let file = app.path("register.xlsx");
        sheets::roster(&file, people);
        let _inside = app.runtime().enter();
        let roster = app.federation.read_roster(&file);
        let county = County::parse(county).unwrap();
        let request = RosterRequest { roster, unit, county, dry_run: false, strict: false, report: None };
        app.wait(app.federation.import_roster(request, &|_, _| ())).unwrap();
    }

    /// Issues everybody's card behind the console's back.
    fn issue_all(&self) -> Result<(), ServiceError> {
        let request = IssueRequest { selection: Selection::All, reissue: false };
        self.app.wait(self.app.federation.issue(request, &AtomicBool::new(false), &|_, _| ())).map(|_| ())
    }

    /// Lets large batches through without a second person.
    fn without_second_person(&self) {
        let desk = self.admin().desk;
        let settings = Settings { two_person: false, ..Settings::default() };
        self.app.wait(desk.change_settings(settings, 0)).unwrap();
    }

    /// Carries out what waits; how many jobs came to an end.
    fn run_jobs(&self) -> usize {
        self.app.wait(self.app.federation.run_jobs_once()).unwrap()
    }

    /// A federation clerk, signed in.
    fn clerk(&self) -> Client<'_> {
        self.sign_in(Role::FederationClerk, Scope::All)
    }

    /// Somebody of the unit of this name, signed in.
    fn of_unit(&self, name: &str) -> Client<'_> {
        self.sign_in(Role::Unit, self.unit_scope(name))
    }

    fn unit_scope(&self, name: &str) -> Scope {
        let units = self.app.wait(self.admin().desk.units_for(name)).unwrap();
        let county = if name == OTHER { 21 } else { 2 };
        Scope::Unit { unit: units.first().expect("the unit is known").id, county }
    }

    /// Numbers of a choice, in the order of the page.
    fn numbers(&self, choice: CardChoice) -> Vec<String> {
        let page = self.app.wait(self.admin().desk.choice_export(choice, None)).unwrap();
        page.into_iter().map(|row| row.number).collect()
    }

    fn store(&self) -> Store {
        let folder = zyz::keystore::KeyFolder::at(self.app.path("keys"));
        let data = folder.open_data_keys(&crate::server::passphrase()).unwrap();
        let keys = ColumnKeys { column: *data.column_key(), index: *data.blind_index_key() };
        let url: DatabaseUrl = self.app.database_url();
        self.app.wait(Store::open(&url, &keys, std::sync::Arc::new(zyz::clock::SystemEntropy))).unwrap()
    }
}

impl Client<'_> {
    /// Freezes a choice as the page does; the address of the list.
    fn freeze(&self, choice: CardChoice, unit: &str) -> String {
        let answer = self.post("/cards/choose/freeze", &[("kind", choice.as_str()), ("unit", unit)]);
        answer.location().strip_prefix("/console").unwrap().to_owned()
    }

    /// Posts and follows to the address that the answer names, below the console's.
    fn post_to(&self, path: &str, fields: &[(&str, &str)]) -> String {
        self.post(path, fields).location().strip_prefix("/console").unwrap().to_owned()
    }
}
