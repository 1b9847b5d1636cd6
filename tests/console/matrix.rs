//! Every role × every route × own and foreign objects.
//!
//! The routes are the console's own table, so a new one is tested as soon as it stands there. Parameters of addresses are
//! filled in by name: a name that [`world`] does not know fails the test. **A room with a new kind of object makes one of its
//! own and a foreign one there**, beside the others.
//!
//! First everybody looks at everything, then everybody tries to change what they must not, then everything must still be as
//! it was, and only then everybody changes what they may.

pub(crate) mod world;

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::Method;
use zyz::domain::staff::{Permission, Role};
use zyz::web::console::routes::{self, Body as Takes, Need, Route};

use crate::console::Client;
use crate::html::{self, Form};
use crate::on_both;
use crate::server::Answer;
use crate::support::Database;
use world::{Seat, Whose, World};

on_both!(every_role_on_every_route);

/// Pages of one's own objects that do not come, and why: they are about a state that the sample's object is not in.
const NOT_NOW: &[(&str, u16)] = &[
    ("/account/sessions/end", 404),        // no session has the key that the form names
    ("/forms/{form}/approve", 422),        // the county's 文明办 decides on its units' forms, not the federation
    ("/forms/{form}/return", 422),         // likewise
    ("/forms/{form}/reject", 422),         // likewise
    ("/people/{number}/resume", 422),      // the card is not suspended
    ("/people/{number}/readmit", 422),     // nobody has left
    ("/people/{number}/receipt.pdf", 422), // nobody has left
];

/// What is asked for behind the address: instead of the address alone, if that asks for nothing, or beside it. Objects stand
/// there too.
const ASKED: &[(&str, &str)] = &[
    ("/settings/keys/change", "!step=renew"),
    ("/cards/calibration", "!layout=a4-8up"),
    ("/hours/book.pdf", "!unit={unit}&from=2026-01-01&to=2026-11-23"),
    ("/hours/book", "unit={unit}"),
    ("/hours/enter", "unit={unit}"),
    ("/hours/enter", "activity={activity}"),
    ("/cards/choose", "kind=valid&unit={unit}"),
    ("/cards/choose/export", "kind=valid&unit={unit}"),
    ("/cards/handout", "unit={unit}"),
    ("/cards/handout/done", "unit={unit}"),
    ("/cards/handout/export", "unit={unit}"),
    ("/people", "unit={unit}"),
    ("/people", "county={county}"),
    ("/units", "county={county}"),
    ("/units/export", "county={county}"),
    ("/rosters/new", "unit={unit}"),
    ("/rosters/window", "county={county}"),
    ("/rosters/window/export", "county={county}"),
    ("/stars/{batch}", "county={county}"),
    ("/stars/{batch}/export", "county={county}"),
    ("/statistics/export", "unit={unit}"),
    ("/statistics/export", "county={county}"),
    ("/statistics/report", "unit={unit}"),
    ("/statistics/report", "county={county}"),
    ("/statistics/report/pdf", "unit={unit}"),
];

/// What forms say that name an object in a field, and what they need to be understood. Read as addresses are.
const SENT: &[(&str, &str)] = &[
    ("/rosters/drafts", "unit={unit}"),
    ("/forms/new", "unit_county={county}&step=save"),
    ("/forms/check", "form={form}"),
    ("/forms/approve", "form={form}"),
    ("/forms/approved", "form={form}"),
    ("/units/new", "county={county}"),
    ("/people/search", "q={number}"),
    ("/people/export", "unit={unit}"),
    ("/people/{number}/merge", "other={other}&keep={number}&stays_revision=1&ends_revision=1"),
    ("/hours/find", "text={number}"),
    ("/hours/enter", "unit={unit}&chosen={number}&step=note&date=2026-11-17&start=08:30&end=11:30&content=x"),
    ("/hours/enter", "unit={unit}&chosen={number}&step=save&date=2026-11-17&start=08:30&end=11:30&content=x"),
    ("/hours/disputes/{dispute}", "decision=reject"),
    ("/stars/{batch}/find", "number={number}"),
    ("/cards/find", "text={number}"),
    ("/cards/choose/freeze", "kind=valid&unit={unit}"),
    ("/cards/handout/record", "card={card}&handed_on=2026-11-20&received_by=x"),
];

/// Steps after which their object is gone: each is given one of its own.
const USES_UP: &[(&str, &str)] = &[
    ("/rosters/drafts/{draft}/abandon", "draft"),
    ("/hours/pending/{activity}/drop", "activity"),
    ("/hours/import/{sheet}/drop", "sheet"),
    ("/cards/handout/{card}/undo", "card"),
    ("/cards/photos/{upload}/confirm", "upload"),
    ("/cards/photos/{upload}/drop", "upload"),
];

/// What a form is given where its page says nothing else, so that a refusal is about who asks and not about a missing field.
const FIELDS: &[(&str, &str)] = &[
    ("revision", "1"),
    ("id", "1"),
    ("reason", "测试"),
    ("note", "测试"),
    ("step", "renew"),
    ("name", "岩温扁"),
    ("issue_over", "50"),
    ("expected", "1"),
    ("copy", "unit"),
];

fn call(client: &Client<'_>, route: &Route, path: &str, fields: &[(&str, &str)]) -> Answer {
    match (route.method, route.body) {
        ("GET", _) => client.get(path),
        ("POST", Takes::Form) => client.post(path, fields),
        ("POST", Takes::File) => client.upload(path, fields, "空.xlsx", b"PK\x03\x04"),
        (method, _) => client.send(Method::from_bytes(method.as_bytes()).unwrap(), path, &[], Body::empty()),
    }
}

/// Whether an answer sends the caller out of the console.
fn out(answer: &Answer) -> bool {
    answer.status == 303 && answer.header("location").contains("/sign-in")
}

/// What did not come out as it must.
#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    fn note(&mut self, seat: &Seat<'_>, route: &Route, path: &str, whose: Whose, answer: &Answer) {
        let (role, method, status) = (seat.role, route.method, answer.status.as_u16());
        let text = answer.text();
        let title = text.split("<h1>").nth(1).and_then(|rest| rest.split("</h1>").next()).unwrap_or_default();
        let detail = text.split("class=\"error\"").nth(1).unwrap_or_default();
        let detail: String = detail.chars().take(120).collect();
        let lines = detail.lines().collect::<Vec<_>>().join(" ");
        self.0.push(format!(
            "{role} {method} {path} ({whose:?}): {status} {} {title} {lines}",
            answer.header("location")
        ));
    }

    #[track_caller]
    fn none(&self, about: &str) {
        assert!(self.0.is_empty(), "{} {about}:\n{}", self.0.len(), self.0.join("\n"));
    }
}

fn every_role_on_every_route(database: Database) {
    let world = World::new(database);
    let mut seats = world.seats();
    everybody_looks(&world, &seats);
    strangers_reach_nothing(&world);

    let watcher = world.somebody(Role::FederationAdmin);
    let foreign: Vec<String> = guarded("GET")
        .filter(|(route, _)| route.path.contains('{'))
        .map(|(route, _)| world.address(route.path, Whose::Foreign, None).0)
        .collect();
    let pages = world.shown(&watcher, &foreign);
    let end = head(&watcher, &world);
    nobody_changes_what_is_not_theirs(&world, &seats, &pages);
    assert_eq!(end, head(&watcher, &world), "a refused step stands in the audit trail: it did something");
    for (was, is) in pages.iter().zip(world.shown(&watcher, &foreign)) {
        assert!(*was == is, "{} changed by a refused step: {} became {}", was.0, was.1, is.1);
    }

    everybody_changes_their_own(&world, &mut seats);
}

/// The guarded routes of a method with what they need.
fn guarded(method: &str) -> impl Iterator<Item = (&'static Route, Permission)> {
    routes::all().filter(move |route| route.method == method).filter_map(|route| match route.need {
        Need::May(permission) => Some((route, permission)),
        Need::Nothing => None,
    })
}

/// The end of the audit trail: every step that changes anything stands there.
fn head(client: &Client<'_>, world: &World) -> (i64, String) {
    let trail = world.console.app.wait(client.desk.audit_trail(&Default::default())).unwrap();
    (trail.head_seq, trail.head_hash)
}

fn everybody_looks(world: &World, seats: &[Seat<'_>]) {
    let (mut wrong, mut excused) = (Wrong::default(), BTreeSet::new());
    let secrets = world.secrets();
    for (route, permission, pattern) in
        guarded("GET").flat_map(|(route, need)| asked(route).map(move |at| (route, need, at)))
    {
        let queried = pattern.contains('?');
        for (seat, whose) in seats.iter().flat_map(|seat| [(seat, Whose::Own), (seat, Whose::Foreign)]) {
            let (path, reached) = world.address(&pattern, whose, Some(seat));
            let answer = call(&seat.client, route, &path, &[]);
            let status = answer.status.as_u16();
            // The list for public notice is the whole city's.
            let public = route.path.contains("/notice");
            let told = status == 200 && !public && !seat.reaches_everything() && {
                let said = said(&answer);
                secrets.iter().any(|secret| said.contains(secret))
            };
            let fits = match (seat.role.may(permission), reached) {
                (false, _) => status == 403,
                // A list of what there is in a foreign place may come, if it is empty.
                (true, false) if queried && status == 200 => !told,
                (true, false) => status == 404,
                (true, true) if NOT_NOW.contains(&(route.path, status)) => {
                    excused.insert(route.path);
                    true
                }
                (true, true) => matches!(status, 200 | 303) && !out(&answer) && !told,
            };
            if !fits {
                wrong.note(seat, route, &path, whose, &answer);
            }
        }
    }
    wrong.none("of the pages");
    let stale: Vec<_> =
        NOT_NOW.iter().filter(|(path, _)| *path != "/account/sessions/end" && !excused.contains(path)).collect();
    assert!(stale.is_empty(), "excused for nothing: {stale:?}");
}

/// What a route is asked for: its address, and with everything of [`ASKED`].
fn asked(route: &'static Route) -> impl Iterator<Item = String> {
    let queries = || ASKED.iter().filter(|(path, _)| *path == route.path).map(|(_, query)| *query);
    let alone = (!queries().any(|query| query.starts_with('!'))).then(|| route.path.to_owned());
    alone.into_iter().chain(queries().map(|query| format!("{}?{}", route.path, query.trim_start_matches('!'))))
}

/// The words of an answer; a workbook's too.
fn said(answer: &Answer) -> String {
    let Ok(mut archive) = zip::ZipArchive::new(std::io::Cursor::new(&answer.body)) else { return answer.text() };
    let mut words = String::new();
    for at in 0..archive.len() {
        // Pictures and the like say nothing.
        let _ = std::io::Read::read_to_string(&mut archive.by_index(at).unwrap(), &mut words);
    }
    words
}

/// Sends what the object's own page would send, to those who must not.
fn nobody_changes_what_is_not_theirs(world: &World, seats: &[Seat<'_>], pages: &[(String, u16, Vec<u8>)]) {
    let mut wrong = Wrong::default();
    let forms: BTreeMap<String, Form> = pages
        .iter()
        .flat_map(|(path, _, body)| html::forms(&String::from_utf8_lossy(body), path))
        .filter_map(|form| Some((html::below(&form.action)?, form)))
        .collect();
    let secrets = world.secrets();
    for (route, permission, sent) in
        guarded("POST").flat_map(|(route, need)| sent(route).map(move |sent| (route, need, sent)))
    {
        for (seat, whose) in seats.iter().flat_map(|seat| [(seat, Whose::Own), (seat, Whose::Foreign)]) {
            let (path, reached) = world.address(route.path, whose, Some(seat));
            let (sent, named) = world.address(sent, whose, Some(seat));
            let may = seat.role.may(permission);
            // A unit writes forms of its own, whatever its form says.
            let fixed = seat.role == Role::Unit && route.path == "/forms/new";
            if may && reached && (named || fixed) {
                continue;
            }
            let mut fields: Vec<(&str, &str)> = sent.split('&').filter_map(|pair| pair.split_once('=')).collect();
            let page = forms.get(&path).map(filled).unwrap_or_default();
            let page = page.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            for (name, value) in page.chain(FIELDS.iter().copied()) {
                if fields.iter().all(|(known, _)| *known != name) {
                    fields.push((name, value));
                }
            }
            let answer = call(&seat.client, route, &path, &fields);
            let status = answer.status.as_u16();
            let fits = match (may, reached) {
                (false, _) => status == 403,
                (true, false) => status == 404,
                // The form itself may come again, and a search find nothing; none says anything of what was named.
                (true, true) if route.path.starts_with("/forms/approve") => {
                    answer.header("location").contains("/forms?")
                }
                (true, true) => matches!(status, 404 | 422) || (status == 200 && !tells(&answer, &path, &secrets)),
            };
            if !fits {
                wrong.note(seat, route, &path, whose, &answer);
            }
        }
    }
    wrong.none("steps that must be refused");
}

/// Whether an answer says something of what is foreign, other than what was typed.
fn tells(answer: &Answer, path: &str, secrets: &[String]) -> bool {
    let said = said(answer);
    // A search says again what it looked for: the number.
    let searches = path.ends_with("find") || path.ends_with("search");
    let typed = |secret: &str| searches && secret.bytes().all(|byte| byte.is_ascii_digit() || byte == b' ');
    secrets.iter().any(|secret| !typed(secret) && said.contains(secret))
}

/// What a route is sent beside [`FIELDS`]: all of [`SENT`], or nothing more.
fn sent(route: &'static Route) -> impl Iterator<Item = &'static str> {
    let named = || SENT.iter().filter(|(path, _)| *path == route.path).map(|(_, sent)| *sent);
    let nothing = named().next().is_none().then_some("");
    named().chain(nothing)
}

/// The fields of a page's form, each name once, with something in each.
fn filled(form: &Form) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for field in form.fields.iter().filter(|field| field.kind != "file") {
        if fields.iter().all(|(name, _)| *name != field.name) {
            let usual = FIELDS.iter().find(|(name, _)| *name == field.name).map_or("", |(_, value)| value);
            let value = if field.value.is_empty() { usual } else { &field.value };
            fields.push((field.name.clone(), value.to_owned()));
        }
    }
    fields
}

fn everybody_changes_their_own(world: &World, seats: &mut [Seat<'_>]) {
    let mut wrong = Wrong::default();
    for (route, permission, sent) in
        guarded("POST").flat_map(|(route, need)| sent(route).map(move |sent| (route, need, sent)))
    {
        for seat in seats.iter_mut().filter(|seat| seat.role.may(permission)) {
            if let Some((_, name)) = USES_UP.iter().find(|(path, _)| *path == route.path) {
                world.renew(seat, name);
            }
            let (path, reached) = world.address(route.path, Whose::Own, Some(seat));
            let (sent, named) = world.address(sent, Whose::Own, Some(seat));
            if !(reached && named) {
                continue;
            }
            let mut fields: Vec<(&str, &str)> = sent.split('&').filter_map(|pair| pair.split_once('=')).collect();
            fields.extend(
                FIELDS
                    .iter()
                    .filter(|(name, _)| fields.iter().all(|(known, _)| known != name))
                    .copied()
                    .collect::<Vec<_>>(),
            );
            // One's own account's steps may end its sessions.
            let other = route.path.starts_with("/account").then(|| world.somebody(seat.role));
            let answer = call(other.as_ref().unwrap_or(&seat.client), route, &path, &fields);
            let status = answer.status.as_u16();
            let ends = route.path.ends_with("end-all");
            let excused = NOT_NOW.contains(&(route.path, status));
            let refused = matches!(status, 400 | 403 | 404 | 405) || status >= 500 || (out(&answer) && !ends);
            if refused && !excused {
                wrong.note(seat, route, &path, Whose::Own, &answer);
            }
        }
    }
    wrong.none("of one's own steps");
}

fn strangers_reach_nothing(world: &World) {
    for route in routes::all() {
        let (path, _) = world.address(route.path, Whose::Foreign, None);
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
