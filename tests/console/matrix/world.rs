//! The sample that the matrix walks over: of everything that an address can name one within reach of the test's county, unit
//! and partner, and one beyond it.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use zyz::domain::division::County;
use zyz::domain::staff::{Permission, Role, Scope};
use zyz::service::Selection;
use zyz::service::desk::cards::HandoutDraft;
use zyz::service::hours::HoursRequest;
use zyz::service::import::RosterRequest;
use zyz::service::issue::IssueRequest;
use zyz_credential::CertificateNumber;

use crate::cards::photos::picture;
use crate::console::{Client, ConsoleApp};
use crate::forms::{complete, with};
use crate::server::Answer;
use crate::support::{Database, sheets};

/// Whose object a parameter names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Within the reach of every scoped role of the test: 宁洱县 (21), its unit, the first partner; or made by the caller.
    Own,
    /// Beyond it: 思茅区 (02), its unit, the second partner; or made by somebody else of another office.
    Foreign,
}

/// Who reaches an object, besides the role's permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    /// It belongs to nobody in particular: the role alone decides.
    Anybody,
    /// A county, unit or partner: whoever reaches only others must not see it.
    Place,
    /// A county as a whole: none of its units reaches it.
    County,
    /// The whole city: who reaches everybody, so that a second person can look at it.
    City,
    /// Whoever asked for it, and an administrator.
    Asker,
    /// Whoever sent it in, alone: it holds what they have not confirmed.
    Sender,
}

/// A federation with people of two counties and two partners.
pub struct World {
    /// The office.
    pub console: ConsoleApp,
    /// Keys by the parameter's name: own, foreign. A name followed by a place in the address is for addresses with that.
    objects: BTreeMap<&'static str, [String; 2]>,
    /// Who sent the foreign sheet and photos in.
    sender: String,
}

/// Somebody of a role, with what they made themselves.
pub struct Seat<'a> {
    /// What they are.
    pub role: Role,
    /// At their browser.
    pub client: Client<'a>,
    own: BTreeMap<&'static str, String>,
}

impl World {
    /// The sample, made through the pages that people make it with.
    pub fn new(database: Database) -> Self {
        let console = ConsoleApp::with_cards(database, 2);
        let app = &console.app;
        let foreign = app.numbers();
        import_elsewhere(&console);
        let own: Vec<_> = app.numbers().into_iter().filter(|number| !foreign.contains(number)).collect();
        let number = |of: &CertificateNumber| of.as_str().to_owned();
        let units = app.wait(async {
            let mut reader = app.store().await.read().await.unwrap();
            let own = reader.units_named("宁洱县样例单位").await.unwrap().remove(0).id.0;
            [own, reader.units_named("思茅区样例单位").await.unwrap().remove(0).id.0]
        });
        let partners = [app.partner("宁洱米干店"), app.partner("思茅大众食堂")];
        let offers = partners.map(|partner| app.offer(partner, "九折"));
        let devices = partners.map(|partner| app.device(partner).id.to_string());
        let staff = app.wait(app.federation.open_account(Role::County, Scope::County(25))).unwrap().to_string();
        let asker = console.admin();
        let review = key(&asker.post("/settings/keys/change", &[("step", "renew")]), "/reviews/");
        let check = app.wait(asker.desk.begin_audit_check()).unwrap().id.to_string();
        let objects = BTreeMap::from([
            ("unit", units.map(|unit| unit.to_string())),
            ("county", ["21".into(), "02".into()]),
            ("number", [number(&own[0]), number(&foreign[0])]),
            ("other", [number(&own[1]), number(&foreign[1])]),
            ("partner", partners.map(|partner| partner.0.to_string())),
            ("offer", offers),
            ("device", devices),
            ("staff", [staff.clone(), staff]),
            ("review", [review.clone(), review]),
            ("check", [check.clone(), check]),
        ]);
        console.app.wait(console.app.federation.recount_if_due()).unwrap();
        let mut world = Self { console, objects, sender: String::new() };
        world.fill();
        world
    }

    /// Makes what the rooms keep, in each of the two units, through their pages.
    fn fill(&mut self) {
        let mut made: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        for whose in [Whose::Own, Whose::Foreign] {
            let client = self.of_unit(whose);
            let number = self.key("number", whose).to_owned();
            let mut keep = |name, key: String| made.entry(name).or_default().push(key);
            keep("form", self.form(&client, whose));
            for name in ["form/approve", "form/archive"] {
                let form = self.form(&client, whose);
                client.post(&format!("/forms/{form}/submit"), &[("revision", "1")]).location();
                if name == "form/archive" {
                    let approval = [("revision", "2"), ("reason", "同意注册。")];
                    let approver = match whose {
                        Whose::Own => self.console.sign_in(Role::County, Scope::County(21)),
                        Whose::Foreign => self.console.admin(),
                    };
                    approver.post(&format!("/forms/{form}/approve"), &approval).location();
                }
                keep(name, form);
            }
            keep("draft", self.draft(&client, whose));
            let unit = self.key("unit", whose).to_owned();
            keep("roster", key(&client.post(&format!("/units/{unit}/deliver"), &[]), "/rosters/delivered/"));
            let record = self.record_of(&number);
            let objection = [("objection", "时间不对"), ("reason", "时间不对"), ("text", "时间不对")];
            client.post(&format!("/hours/records/{record}/dispute"), &objection).location();
            keep("record", record.to_string());
            keep("dispute", linked(&client.get("/hours/disputes"), "/hours/disputes/"));
            keep("entry", key(&self.activity(&client, whose, "save", 20), "/hours/entries/"));
            keep("activity", self.pending(&client, whose, 19));
            // Of somebody whose card stays good all along.
            let card = self.card_of(self.key("other", whose));
            self.hand_out(&client, card);
            keep("card", card.to_string());
            let photo = format!("/cards/of/{number}/photo/set");
            client.upload(&photo, &[], "照片.jpg", &picture(300, 400)).location();
            let clerk = self.console.sign_in(Role::FederationClerk, Scope::All);
            keep("list", self.list(&clerk, whose));
            if whose == Whose::Foreign {
                made.insert("sheet", vec![String::new(), self.sheet(&client, whose)]);
                made.insert("upload", vec![String::new(), self.photos(&client, whose)]);
                made.insert("job", vec![String::new(), self.job(&clerk, whose)]);
                self.sender = client.cookie().to_owned();
            }
        }
        self.objects.extend(made.into_iter().map(|(name, keys)| (name, keys.try_into().unwrap())));
        let clerk = self.console.sign_in(Role::FederationClerk, Scope::All);
        let batch = key(&clerk.post("/stars", &[("year", "2026")]), "/stars/");
        let days = [("revision", "1"), ("from", "2026-11-23"), ("to", "2026-11-30")];
        clerk.post(&format!("/stars/{batch}/announce"), &days).location();
        let row = |whose| {
            let number = CertificateNumber::parse(self.key("number", whose)).unwrap();
            let row = clerk.desk.batch_row_of(batch.parse().unwrap(), number);
            self.console.app.wait(row).unwrap().id.to_string()
        };
        let rows = [row(Whose::Own), row(Whose::Foreign)];
        self.objects.extend([("batch", [batch.clone(), batch]), ("row/stars", rows)]);
    }

    fn key(&self, name: &str, whose: Whose) -> &str {
        &self.objects[name][usize::from(whose == Whose::Foreign)]
    }

    /// What nobody out of reach may be told: the foreign unit, its people and their numbers.
    pub fn secrets(&self) -> Vec<String> {
        let number = CertificateNumber::parse(self.key("number", Whose::Foreign)).unwrap();
        let names = (0..2).map(|at| sheets::person(at).name);
        names.chain(["思茅区样例单位".into(), number.as_str().to_owned(), number.grouped()]).collect()
    }

    /// Somebody of the own or the foreign unit.
    pub fn of_unit(&self, whose: Whose) -> Client<'_> {
        let county = if whose == Whose::Own { 21 } else { 2 };
        self.console.sign_in(Role::Unit, Scope::Unit { unit: self.key("unit", whose).parse().unwrap(), county })
    }

    /// A complete form, not handed in. Each call is about somebody else.
    fn form(&self, client: &Client<'_>, whose: Whose) -> String {
        static PEOPLE: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);
        let fields = complete(PEOPLE.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        let county = self.key("county", whose);
        let unit = if whose == Whose::Own { "宁洱县样例单位" } else { "思茅区样例单位" };
        let place = [("unit_county", county), ("unit_name", unit), ("step", "save")];
        key(&client.post("/forms/new", &with(&fields, &place)), "/forms/")
    }

    /// A roster that waits to be confirmed.
    fn draft(&self, client: &Client<'_>, whose: Whose) -> String {
        let file = self.console.app.path("draft.xlsx");
        sheets::roster(&file, &[sheets::person(260 + usize::from(whose == Whose::Foreign))]);
        let bytes = std::fs::read(&file).unwrap();
        key(
            &client.upload("/rosters/drafts", &[("unit", self.key("unit", whose))], "名册.xlsx", &bytes),
            "/rosters/drafts/",
        )
    }

    /// A sheet of hours that waits to be confirmed.
    fn sheet(&self, client: &Client<'_>, whose: Whose) -> String {
        let file = self.console.app.path("sheet.xlsx");
        sheets::services(&file, &sheets::hours_of(self.key("number", whose), 2025, 8));
        let bytes = std::fs::read(&file).unwrap();
        key(&client.upload("/hours/import/file", &[], "时长.xlsx", &bytes), "/hours/import/")
    }

    /// Photos that wait to be confirmed.
    fn photos(&self, client: &Client<'_>, whose: Whose) -> String {
        let name = format!("{}.jpg", self.key("number", whose));
        key(&client.upload("/cards/photos/send", &[], &name, &picture(300, 400)), "/cards/photos/")
    }

    /// A frozen list of who has a card.
    fn list(&self, client: &Client<'_>, whose: Whose) -> String {
        let choice = [("kind", "valid"), ("unit", self.key("unit", whose))];
        key(&client.post("/cards/choose/freeze", &choice), "/cards/lists/")
    }

    /// A job that has printed cards.
    fn job(&self, client: &Client<'_>, whose: Whose) -> String {
        let list = self.list(client, whose);
        let asked = client.post(&format!("/cards/lists/{list}/print"), &[("layout", "a4-8up")]);
        let app = &self.console.app;
        assert!(app.wait(app.federation.run_jobs_once()).unwrap() >= 1);
        key(&asked, "/cards/jobs/")
    }

    /// Enters an activity; `note` keeps it for later.
    fn activity(&self, client: &Client<'_>, whose: Whose, step: &str, day: u8) -> Answer {
        let date = format!("2026-11-{day:02}");
        let fields = [
            ("unit", self.key("unit", whose)),
            ("step", step),
            ("name", "周五环境集中整治日"),
            ("date", &date),
            ("start", "08:30"),
            ("end", "11:30"),
            ("content", "清扫步道"),
            ("place", "洗马湖公园"),
            ("item", "3"),
            ("organiser", "样例单位"),
            ("in_charge", "岩温扁"),
            ("chosen", self.key("number", whose)),
        ];
        client.post("/hours/enter", &fields)
    }

    /// An activity that waits for its people.
    fn pending(&self, client: &Client<'_>, whose: Whose, day: u8) -> String {
        self.activity(client, whose, "note", day).location();
        linked(&client.get("/hours/pending"), "/hours/pending/")
    }

    /// Notes that a card was handed out.
    fn hand_out(&self, client: &Client<'_>, card: i64) {
        let draft = HandoutDraft { cards: vec![card], handed_on: "2026-11-20".into(), received_by: "本人".into() };
        self.console.app.wait(client.desk.hand_out(&draft)).unwrap();
    }

    /// A record of service of this person, who gets enough hours for a star.
    fn record_of(&self, number: &str) -> i64 {
        let app = &self.console.app;
        let file = app.path("hours.xlsx");
        sheets::services(&file, &sheets::hours_of(number, 2026, 104));
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

    /// Key and holder of the object that a parameter of this address names; none for a name that is not known here.
    fn object(&self, pattern: &str, name: &str, whose: Whose, seat: Option<&Seat<'_>>) -> Option<(String, Holder)> {
        use Holder::{Anybody, Asker, City, Place, Sender};
        let of = |name: &str, holder| {
            let own = seat.filter(|_| whose == Whose::Own).and_then(|seat| seat.own.get(name).cloned());
            // Who may send nothing in can have nothing of their own.
            let made = || self.key(name, whose).to_owned();
            let key = own.unwrap_or_else(made);
            (if key.is_empty() { self.key(name, Whose::Foreign).to_owned() } else { key }, holder)
        };
        Some(match name {
            "form" => match pattern.rsplit('/').next() {
                Some("approve" | "return" | "reject") => of("form/approve", Place),
                Some("archive") => of("form/archive", Place),
                _ => of("form", Place),
            },
            "row" if pattern.starts_with("/stars/") => of("row/stars", Place),
            // Its place in the sheet, below title and headings.
            "row" if pattern.starts_with("/rosters/") => ("3".into(), Anybody),
            "county" => of(name, Holder::County),
            "number" | "other" | "unit" | "partner" | "offer" | "device" | "draft" | "roster" | "record"
            | "dispute" | "card" | "entry" | "activity" => of(name, Place),
            "list" => of(name, City),
            "job" => of(name, Asker),
            "sheet" | "upload" => of(name, Sender),
            "staff" | "review" | "batch" | "check" => of(name, Anybody),
            "row" | "seq" | "page" | "file" => ("1".into(), Anybody),
            "year" => ("2026".into(), Anybody),
            "side" => ("front".into(), Anybody),
            "asset" => ("console.css".into(), Anybody),
            "invitation" => ("AAAAAAAAAAAAAAAAAAAAAA".into(), Anybody),
            _ => return None,
        })
    }

    /// An address of this pattern with objects of these, as this person has them, and whether they reach all of them.
    pub fn address(&self, pattern: &str, whose: Whose, seat: Option<&Seat<'_>>) -> (String, bool) {
        let (mut path, mut reached) = (pattern.to_owned(), true);
        while let Some((before, rest)) = path.clone().split_once('{') {
            let (name, after) = rest.split_once('}').expect("a parameter ends");
            let (key, holder) = self.object(pattern, name, whose, seat).unwrap_or_else(|| {
                panic!("{pattern}: no object for {{{name}}}: make one in tests/console/matrix/world.rs")
            });
            reached &= seat.is_none_or(|seat| seat.reaches(holder, whose));
            path = format!("{before}{key}{after}");
        }
        (path, reached)
    }

    /// Somebody of this role, of the own county, unit or partner.
    pub fn somebody(&self, role: Role) -> Client<'_> {
        let scope = match role {
            Role::FederationAdmin | Role::FederationClerk | Role::Oversight => Scope::All,
            Role::County => Scope::County(21),
            Role::Unit => return self.of_unit(Whose::Own),
            Role::Partner => Scope::Partner(self.key("partner", Whose::Own).parse().unwrap()),
        };
        self.console.sign_in(role, scope)
    }

    /// The same, who has nothing of their own.
    pub fn newcomer(&self, role: Role) -> Seat<'_> {
        Seat { role, client: self.somebody(role), own: BTreeMap::new() }
    }

    /// The same with what they sent in and asked for.
    pub fn seat(&self, role: Role) -> Seat<'_> {
        let mut seat = self.newcomer(role);
        for name in ["sheet", "upload", "job"] {
            self.renew(&mut seat, name);
        }
        seat
    }

    /// Everybody at work.
    pub fn seats(&self) -> Vec<Seat<'_>> {
        Role::ALL.map(|role| self.seat(role)).into()
    }

    /// Makes somebody an object of their own anew, where a step before used it up. Nothing for what they may not make.
    pub fn renew(&self, seat: &mut Seat<'_>, name: &'static str) {
        let (client, whose) = (&seat.client, Whose::Own);
        let unit = self.of_unit(whose);
        let made = match name {
            "sheet" if seat.role.may(Permission::WriteHours) => self.sheet(client, whose),
            "upload" if seat.role.may(Permission::EditPeople) => self.photos(client, whose),
            "job" if seat.role.may(Permission::PrintCards) => self.job(client, whose),
            "draft" => self.draft(&unit, whose),
            "form" => self.form(&unit, whose),
            "activity" => self.pending(&unit, whose, 18),
            "card" => return self.hand_out(&unit, self.key("card", whose).parse().unwrap()),
            _ => return,
        };
        seat.own.insert(name, made);
    }

    /// What whoever may see it is shown of the foreign objects at these addresses: nothing of it may change by refused steps.
    pub fn shown(&self, watcher: &Client<'_>, paths: &[String]) -> Vec<(String, u16, Vec<u8>)> {
        let mut sender = self.console.browser(&self.sender);
        let own = |path: &str| {
            ["sheet", "upload"]
                .map(|name| self.key(name, Whose::Foreign))
                .map(|key| {
                    path.starts_with(&format!("/hours/import/{key}"))
                        || path.starts_with(&format!("/cards/photos/{key}"))
                })
                .contains(&true)
        };
        let page = |path: &String| {
            let answer = if own(path) { sender.get(path) } else { watcher.get(path) };
            (path.clone(), answer.status.as_u16(), answer.body)
        };
        paths.iter().map(page).collect()
    }
}

impl Seat<'_> {
    /// Whether nothing is beyond their reach.
    pub fn reaches_everything(&self) -> bool {
        matches!(self.client.desk.staff().scope, Scope::All)
    }

    fn reaches(&self, holder: Holder, whose: Whose) -> bool {
        let everything = self.reaches_everything();
        match holder {
            Holder::Anybody => true,
            Holder::Place => everything || whose == Whose::Own,
            Holder::County => everything || (whose == Whose::Own && self.role == Role::County),
            Holder::City => everything,
            Holder::Asker => {
                self.role == Role::FederationAdmin || (whose == Whose::Own && self.own.contains_key("job"))
            }
            Holder::Sender => whose == Whose::Own,
        }
    }
}

/// The key after `within` in the address that an answer leads to.
#[track_caller]
fn key(answer: &Answer, within: &str) -> String {
    digits(answer.location(), within).unwrap_or_else(|| panic!("{within} in {}", answer.location()))
}

/// The first key that a page links to below `within`.
#[track_caller]
fn linked(answer: &Answer, within: &str) -> String {
    digits(&answer.text(), within).unwrap_or_else(|| panic!("no {within} in {}", answer.text()))
}

fn digits(text: &str, within: &str) -> Option<String> {
    let digits = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>();
    text.split(within).skip(1).map(digits).find(|digits| !digits.is_empty())
}

/// People of 宁洱县, other ones than the sample's.
fn import_elsewhere(console: &ConsoleApp) {
    let app = &console.app;
    let file = app.path("elsewhere.xlsx");
    let people: Vec<_> = (150..152).map(sheets::person).collect();
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
