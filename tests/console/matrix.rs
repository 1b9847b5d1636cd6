//! Every role × every route × own and foreign objects.
//!
//! The routes are the console's own table, so a new one is tested as soon as it stands there. Parameters of addresses are
//! filled in by name: a name that [`World::object`] does not know fails the test. **A room with a new kind of object makes one
//! of its own and a foreign one there**, beside the others.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use axum::body::Body;
use axum::http::Method;
use zyz::domain::division::County;
use zyz::domain::staff::{Role, Scope};
use zyz::service::Selection;
use zyz::service::hours::HoursRequest;
use zyz::service::import::RosterRequest;
use zyz::service::issue::IssueRequest;
use zyz::web::console::routes::{self, Body as Takes, Need, Route};

use crate::console::{Client, ConsoleApp};
use crate::on_both;
use crate::server::Answer;
use crate::support::{Database, sheets};

on_both!(every_role_on_every_route, strangers_reach_nothing);

/// Whose object a parameter names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Within the reach of every scoped role of the test: 宁洱县 (21), its unit, the first partner.
    Own,
    /// Beyond it: 思茅区 (02), its unit, the second partner.
    Foreign,
}

/// An object for a parameter.
enum Object {
    /// It belongs to a county, unit or partner: whoever reaches only others must not see it.
    Scoped(String),
    /// It belongs to nobody in particular; the role alone decides.
    Common(String),
    /// The room has not made one here yet: the role is tested, the reach is not.
    NotMade(String),
}

/// A federation with people of two counties and two partners.
struct World {
    console: ConsoleApp,
    /// Unit keys: own, foreign.
    units: [i64; 2],
    /// Partner keys: own, foreign.
    partners: [i64; 2],
    /// Certificate numbers: own, foreign.
    numbers: [String; 2],
    /// Offers of the partners.
    offers: [String; 2],
    /// Devices of the partners.
    devices: [String; 2],
    /// Objects that the rooms' own pages made, by the parameter's name: own, foreign.
    made: BTreeMap<&'static str, [String; 2]>,
    /// An account to look at.
    staff: i64,
    /// A step that waits.
    review: i64,
}

impl World {
    fn new(database: Database) -> Self {
        let console = ConsoleApp::with_cards(database, 2);
        let app = &console.app;
        let foreign_number = app.numbers()[0];
        import_elsewhere(&console);
        let own_number = app.numbers().into_iter().find(|number| number.to_string().replace(' ', "").starts_with("21"));
        let units = app.wait(async {
            let store = app.store().await;
            let mut reader = store.read().await.unwrap();
            let own = reader.units_named("宁洱县样例单位").await.unwrap().remove(0).id.0;
            [own, reader.units_named("思茅区样例单位").await.unwrap().remove(0).id.0]
        });
        let partners = [app.partner("宁洱米干店"), app.partner("思茅大众食堂")];
        let offers = partners.map(|partner| app.offer(partner, "九折"));
        let devices = partners.map(|partner| app.device(partner).id.to_string());
        let staff = app.wait(app.federation.open_account(Role::County, Scope::County(25))).unwrap();
        let asker = console.admin();
        let step = asker.post("/settings/keys/change", &[("step", "renew")]);
        let review = step.location().rsplit('/').next().unwrap().parse().unwrap();
        let bare = |number: zyz_credential::CertificateNumber| number.to_string().replace(' ', "");
        let numbers = [bare(own_number.expect("a number of 宁洱")), bare(foreign_number)];
        let partners = partners.map(|partner| partner.0);
        let made = BTreeMap::new();
        let mut world = Self { console, units, partners, numbers, offers, devices, made, staff, review };
        world.make();
        world
    }

    /// Makes what the rooms keep, in each of the two units, through their pages. What could not be made is left out.
    fn make(&mut self) {
        let mut made: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        for (i, county) in [(0, 21), (1, 2)] {
            let unit = self.units[i];
            let client = self.console.sign_in(Role::Unit, Scope::Unit { unit, county });
            let unit = unit.to_string();
            let mut keep =
                |name, answer: Answer, within: &str| made.entry(name).or_default().extend(key(&answer, within));
            keep("form", client.post("/forms/new", &[("name", "岩温扁"), ("step", "save")]), "/forms/");
            let file = self.console.app.path("draft.xlsx");
            sheets::roster(&file, &[sheets::person(200 + i)]);
            let bytes = std::fs::read(&file).unwrap();
            keep(
                "draft",
                client.upload("/rosters/drafts", &[("unit", &unit)], "名册.xlsx", &bytes),
                "/rosters/drafts/",
            );
            let window = [("year", "2026"), ("reason", "测试"), ("late", "测试")];
            let delivered = client.post(&format!("/units/{unit}/deliver"), &window);
            keep("roster", delivered, "/rosters/delivered/");
            let record = self.record_of(&self.numbers[i]);
            let objection = [("objection", "时间不对"), ("reason", "时间不对"), ("text", "时间不对")];
            let disputed = client.post(&format!("/hours/records/{record}/dispute"), &objection);
            assert_eq!(disputed.status, 303, "{}", disputed.text());
            let activity = |step, date| {
                let fields = [
                    ("unit", unit.as_str()),
                    ("step", step),
                    ("name", "周五环境集中整治日"),
                    ("date", date),
                    ("start", "08:30"),
                    ("end", "11:30"),
                    ("content", "清扫步道"),
                    ("place", "洗马湖公园"),
                    ("item", "3"),
                    ("organiser", "样例单位"),
                    ("in_charge", "岩温扁"),
                    ("chosen", self.numbers[i].as_str()),
                ];
                client.post("/hours/enter", &fields)
            };
            keep("entry", activity("save", "2026-11-20"), "/hours/entries/");
            assert_eq!(activity("note", "2026-11-19").status, 303);
            for (name, list) in [("dispute", "/hours/disputes"), ("activity", "/hours/pending")] {
                made.entry(name).or_default().extend(linked(&client.get(list), list));
            }
            // Of whoever handed it in alone: the own one is made by each caller.
            let sheet = self.console.admin().upload("/hours/import/file", &[], "时长.xlsx", &self.sheet(i));
            made.entry("sheet").or_default().extend(key(&sheet, "/hours/import/"));
            made.entry("record").or_default().push(record.to_string());
            made.entry("card").or_default().push(self.card_of(&self.numbers[i]).to_string());
        }
        self.made = made.into_iter().filter_map(|(name, keys)| Some((name, keys.try_into().ok()?))).collect();
    }

    /// A sheet of hours of the own or the foreign person.
    fn sheet(&self, i: usize) -> Vec<u8> {
        let file = self.console.app.path("sheet.xlsx");
        sheets::services(&file, &sheets::hours_of(&self.numbers[i], 2025, 8));
        std::fs::read(&file).unwrap()
    }

    /// A record of service of this person, made by an import.
    fn record_of(&self, number: &str) -> i64 {
        let app = &self.console.app;
        let file = app.path("hours.xlsx");
        sheets::services(&file, &sheets::hours_of(number, 2026, 8));
        let _inside = app.runtime().enter();
        let request = HoursRequest { file: &file, dry_run: false, report: None };
        app.wait(app.federation.import_hours(request)).unwrap();
        app.wait(async {
            let mut reader = app.store().await.read().await.unwrap();
            let person = reader.volunteer(number).await.unwrap().unwrap();
            reader.service_records(person.id).await.unwrap()[0].id.0
        })
    }

    /// The card of this person.
    fn card_of(&self, number: &str) -> i64 {
        let app = &self.console.app;
        app.wait(async {
            let mut reader = app.store().await.read().await.unwrap();
            reader.certificate_history(number).await.unwrap()[0].id.0
        })
    }

    /// The object for a parameter of this name; none for an unknown name.
    fn object(&self, name: &str, whose: Whose) -> Option<Object> {
        use Object::{Common, NotMade, Scoped};
        let i = usize::from(whose == Whose::Foreign);
        Some(match name {
            "number" => Scoped(self.numbers[i].clone()),
            "unit" => Scoped(self.units[i].to_string()),
            "county" => Scoped(["21", "02"][i].into()),
            "partner" => Scoped(self.partners[i].to_string()),
            "offer" => Scoped(self.offers[i].clone()),
            "device" => Scoped(self.devices[i].clone()),
            "staff" => Common(self.staff.to_string()),
            "review" => Common(self.review.to_string()),
            "invitation" => Common("AAAAAAAAAAAAAAAAAAAAAA".into()),
            "year" => Common("2026".into()),
            "side" => Common("front".into()),
            "page" | "row" => Common("1".into()),
            "asset" => Common("console.css".into()),
            // The federation's own: the role alone decides.
            "batch" | "job" | "list" | "file" | "upload" | "seq" | "check" => Common("1".into()),
            "form" | "draft" | "roster" | "record" | "dispute" | "card" | "entry" | "activity" | "sheet" => {
                match self.made.get(name) {
                    Some(keys) => Scoped(keys[i].clone()),
                    None => NotMade("1".into()),
                }
            }
            _ => return None,
        })
    }

    /// Somebody of this role, of the own county, unit or partner; freshly signed in, since some routes end sessions.
    fn somebody(&self, role: Role) -> Client<'_> {
        let scope = match role {
            Role::FederationAdmin | Role::FederationClerk | Role::Oversight => Scope::All,
            Role::County => Scope::County(21),
            Role::Unit => Scope::Unit { unit: self.units[0], county: 21 },
            Role::Partner => Scope::Partner(self.partners[0]),
        };
        self.console.sign_in(role, scope)
    }

    /// The route's address with objects of these, and whether any of them says to whom it belongs.
    fn address(&self, route: &Route, whose: Whose) -> (String, Kind) {
        let (mut path, mut kind) = (route.path.to_owned(), Kind::Common);
        while let Some((before, rest)) = path.clone().split_once('{') {
            let (name, after) = rest.split_once('}').expect("a parameter ends");
            let object = self.object(name, whose).unwrap_or_else(|| {
                panic!("{}: no object for {{{name}}}: make one in World::object of tests/console/matrix.rs", route.path)
            });
            let key = match object {
                Object::Scoped(key) => {
                    kind = if kind == Kind::NotMade { kind } else { Kind::Scoped };
                    key
                }
                Object::Common(key) => key,
                Object::NotMade(key) => {
                    kind = Kind::NotMade;
                    key
                }
            };
            path = format!("{before}{key}{after}");
        }
        (path, kind)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Scoped,
    Common,
    NotMade,
}

/// What every form is given, so that a refusal is about who asks and not about a missing field.
const FIELDS: &[(&str, &str)] = &[
    ("revision", "1"),
    ("id", "1"),
    ("reason", "测试"),
    ("note", "测试"),
    ("step", "renew"),
    ("name", "岩温扁"),
    ("issue_over", "50"),
];

/// The key after `within` in the address that an answer leads to.
fn key(answer: &Answer, within: &str) -> Option<String> {
    let rest = answer.header("location").split_once(within)?.1;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (answer.status == 303 && !digits.is_empty()).then_some(digits)
}

/// The first key that a page links to below `within`.
fn linked(answer: &Answer, within: &str) -> Option<String> {
    let page = answer.text();
    page.split(&format!("{within}/")).skip(1).find_map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        (!digits.is_empty()).then_some(digits)
    })
}

fn call(client: &Client<'_>, route: &Route, path: &str) -> Answer {
    match (route.method, route.body) {
        ("GET", _) => client.get(path),
        ("POST", Takes::Form) => client.post(path, FIELDS),
        ("POST", Takes::File) => client.upload(path, FIELDS, "空.xlsx", b"PK\x03\x04"),
        (method, _) => client.send(Method::from_bytes(method.as_bytes()).unwrap(), path, &[], Body::empty()),
    }
}

fn every_role_on_every_route(database: Database) {
    let world = World::new(database);
    let mut wrong = Vec::new();
    let mut not_made: BTreeMap<&str, usize> = BTreeMap::new();
    for route in routes::all() {
        let Need::May(permission) = route.need else { continue };
        for role in Role::ALL {
            for whose in [Whose::Own, Whose::Foreign] {
                let (mut path, kind) = world.address(route, whose);
                if kind == Kind::NotMade {
                    *not_made.entry(route.path).or_default() += 1;
                }
                let client = world.somebody(role);
                if route.path.contains("{sheet}") && whose == Whose::Own && role.may(permission) {
                    let sent = client.upload("/hours/import/file", &[], "时长.xlsx", &world.sheet(0));
                    let sheet = key(&sent, "/hours/import/").unwrap_or_else(|| panic!("{role}: {}", sent.text()));
                    path = route.path.replace("{sheet}", &sheet);
                }
                let answer = call(&client, route, &path);
                let status = answer.status.as_u16();
                let out = answer.status == 303
                    && answer.header("location").contains("/sign-in")
                    && !path.ends_with("end-all");
                let scoped = !matches!(client.desk.staff().scope, Scope::All);
                let fits = match (role.may(permission), whose, kind) {
                    (false, ..) => status == 403,
                    // A foreign object is not there, whatever was sent with the request. (400 says that the form was none.)
                    (true, Whose::Foreign, Kind::Scoped) if scoped => {
                        matches!(status, 403 | 404) || (route.method == "POST" && status == 400)
                    }
                    (true, ..) if route.method == "GET" && kind != Kind::NotMade => {
                        matches!(status, 200 | 303 | 400 | 404 | 422) && !out
                    }
                    (true, ..) => status != 403 && status < 500 && !out,
                };
                if !fits {
                    let location = answer.header("location");
                    wrong.push(format!("{role} {} {path} ({whose:?}): {status} {location}", route.method));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of the matrix:\n{}", wrong.len(), wrong.join("\n"));
    assert!(not_made.is_empty(), "reach not tested, no object made for: {:?}", not_made.keys());
}

fn strangers_reach_nothing(database: Database) {
    let world = World::new(database);
    for route in routes::all() {
        let (path, _) = world.address(route, Whose::Own);
        let mut stranger = world.console.browser("");
        let answer = match route.method {
            "GET" => stranger.get(&path),
            _ => stranger.post(&path, FIELDS),
        };
        match route.need {
            Need::Nothing => assert!(answer.status.as_u16() < 500, "{path}"),
            Need::May(_) => assert!(answer.location().starts_with("/console/sign-in"), "{path}"),
        }
    }
}

/// People of 宁洱县, other ones than the sample's.
fn import_elsewhere(console: &ConsoleApp) {
    let app = &console.app;
    let file = app.path("elsewhere.xlsx");
    let people: Vec<_> = (100..102).map(sheets::person).collect();
    sheets::roster(&file, &people);
    let _inside = app.runtime().enter();
    let roster = app.federation.read_roster(&file);
    let county = County::parse("21").unwrap();
    let request =
        RosterRequest { roster, unit: "宁洱县样例单位", county, dry_run: false, strict: false, report: None };
    app.wait(app.federation.import_roster(request, &|_, _| ())).unwrap();
    let request = IssueRequest { selection: Selection::All, reissue: false };
    app.wait(app.federation.issue(request, &AtomicBool::new(false), &|_, _| ())).unwrap();
}
