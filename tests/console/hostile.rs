//! Everything that every form takes, filled with what nobody should send. The forms are those that the pages show: a new
//! one is attacked as soon as a link leads to it.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Method;
use zyz::domain::staff::{Role, Scope};
use zyz::web::console::routes::{self, Need};

use crate::console::{Client, ConsoleApp};
use crate::html::{self, Field, Form, Got, Walk};
use crate::matrix::world::{Seat, Whose, World};
use crate::on_both;
use crate::server::Answer;
use crate::support::Database;

on_both!(no_form_breaks_and_no_page_says_it_back_raw, addresses_and_searches_take_anything);

/// What is typed, by what it tries. The word zz9 marks what must come back escaped or not at all.
const NASTY: &[(&str, &str)] = &[
    ("markup", "<zz9><img src=x onerror=alert(1)>"),
    ("script", "</title></textarea></script><script>zz9()</script>"),
    ("attribute", "x\" onzz9=\"alert(1)\" x=\""),
    ("attribute in single quotes", "x' onzz9='alert(1)' x='"),
    ("template", "{{zz9}}{%zz9%}${zz9}"),
    ("address", "javascript:zz9()"),
    ("formula", "=zz9(\"a\")"),
    ("formula by plus", "+zz9|' /C calc'!A0"),
    ("formula by at", "@SUM(zz9)"),
    ("formula by minus", "-zz9+1"),
    ("formula by tab", "\t=zz9()"),
    ("query language", "zz9'; DROP TABLE volunteer; --"),
    ("pattern", "%zz9_\\%"),
    ("NUL", "zz9\0zz9"),
    ("control characters", "zz9\u{1}\u{8}\u{1b}[2J\u{7f}\u{85}"),
    ("line ends", "zz9\r\nSet-Cookie: zz9=1\r\n\r\n<zz9>"),
    ("right to left", "zz9\u{202e}fdp.\u{2066}exe\u{200f}"),
    ("zero width", "zz\u{200b}9\u{200d}\u{feff}\u{2060}"),
    ("beyond the first plane", "zz9𬭎𠅤\u{10ffff}\u{1f468}\u{200d}\u{1f469}"),
    ("a non-character", "zz9\u{fffe}\u{ffff}"),
    ("digits of other scripts", "٣३３zz9"),
    ("a number beyond bounds", "99999999999999999999999999"),
    ("a number below bounds", "-9223372036854775809"),
    ("not a number", "NaN"),
    ("a date that is none", "2026-02-30"),
    ("a date beyond bounds", "+262143-12-31"),
    ("nothing", ""),
    ("blanks", " \u{3000}\u{a0} "),
];

/// Those that each field is given alone too, the others as the page has them.
const ALONE: &[&str] = &["markup", "attribute", "NUL", "a number beyond bounds", "nothing"];

/// Raw, these would be code.
const RAW: &[&str] =
    &["<zz9", "zz9()</script", "\" onzz9=", "' onzz9=", "href=\"javascript:", "href=javascript:", "src=\"javascript:"];

/// Steps to which no page of the sample leads, with their fields: their page comes only after another step.
const UNLINKED: &[(&str, &[&str])] = &[
    ("/sign-in", &["login", "password", "next"]),
    ("/sign-in/code", &["code", "next"]),
    ("/invitation/{invitation}", &["new", "again"]),
    ("/account/sessions/end", &["id"]),
    ("/account/second-factor/confirm", &["code"]),
    ("/account/second-factor/drop", &["password"]),
    ("/account/recovery-codes", &["password"]),
    ("/staff/{staff}/enable", &["revision"]),
    ("/reviews/{review}/withdraw", &[]),
    ("/forms/check", &["form", "name", "identity", "mobile", "birth_date"]),
    ("/forms/approved", &["form", "reason"]),
    ("/units/{unit}/receipt/print", &["reason", "as"]),
    ("/units/receipts/{county}/own/print", &["reason", "as"]),
    ("/hours/disputes/export", &["text", "state"]),
    ("/rosters/drafts/{draft}/rows/{row}/restore", &["revision"]),
    ("/rosters/counties/{county}/{year}/hand-on", &[]),
    ("/rosters/counties/{county}/{year}/archive", &["id"]),
    ("/people/{number}/resume", &["reason"]),
    ("/people/{number}/readmit", &["reason"]),
    ("/stars/{batch}/confirm", &["revision"]),
    ("/cards/lists/{list}/issue", &["count"]),
    ("/cards/lists/{list}/again", &["keep"]),
    ("/cards/jobs/{job}/cancel", &[]),
    ("/cards/jobs/{job}/retry", &[]),
    ("/audit/checks/{check}/step", &[]),
];

/// What an empty field of this name is given where another one is attacked.
const BELIEVABLE: &[(&str, &str)] = &[
    ("name", "岩温扁"),
    ("login", "yanwenbian"),
    ("number", "普志联9号"),
    ("from", "2026-11-24"),
    ("to", "2027-12-31"),
    ("title", "九折"),
    ("reason", "本人书面申请"),
    ("days", "7"),
    ("date", "2026-11-20"),
    ("start", "08:30"),
    ("end", "11:30"),
    ("content", "清扫步道"),
    ("place", "洗马湖公园"),
    ("handed_on", "2026-11-20"),
    ("archived_on", "2026-11-20"),
    ("received_by", "本人"),
];

/// Pages on which what was typed must turn up, as text: a page of each kind of thing that is kept.
const SHOWN: &[&str] = &[
    "/audit",
    "/cards/handout/done",
    "/cards/of/{number}",
    "/forms",
    "/forms/{form}",
    "/forms/{form}/edit",
    "/hours/disputes/{dispute}",
    "/hours/entries/{entry}",
    "/hours/pending",
    "/hours/records/{record}",
    "/partners",
    "/people",
    "/people/{number}",
    "/people/{number}/edit",
    "/reviews/{review}",
    "/rosters",
    "/rosters/delivered/{roster}",
    "/rosters/drafts/{draft}/rows/{row}",
    "/staff",
    "/stars/{batch}",
    "/units",
    "/units/{unit}",
    "/units/{unit}/edit",
    "/units/{unit}/receipt",
];

/// Ends of addresses of steps that end something.
const ENDS: &[&str] = &[
    "/void",
    "/drop",
    "/abandon",
    "/withdraw",
    "/exit",
    "/remove",
    "/erase",
    "/disable",
    "/revoke",
    "/end",
    "/reject",
    "/return",
    "/approve",
    "/confirm",
    "/submit",
    "/merge",
    "/misuse",
    "/archive",
    "/undo",
    "/reset",
    "/end-all",
    "/sign-out",
];

fn no_form_breaks_and_no_page_says_it_back_raw(database: Database) {
    let world = World::new(database);
    let mut attacked = BTreeSet::new();
    for mut seat in world.seats() {
        let mut forms: Vec<(String, Form)> = forms_of(&seat.client, "post");
        for (address, page) in pages_of(&world, &seat) {
            let found = html::forms(&page.text(), &address).into_iter().filter(|form| form.method == "post");
            forms.extend(found.map(|form| (address.clone(), form)));
        }
        forms.extend(unlinked(&world, &seat).into_iter().map(|form| (String::new(), form)));
        forms.retain(|(_, form)| html::below(&form.action).is_some() && fresh(&mut attacked, form));
        // What ends something comes after what writes on it.
        forms.sort_by_key(|(_, form)| ENDS.iter().any(|end| form.action.ends_with(end)));
        for (address, form) in forms {
            attack(&world, &mut seat, &address, form);
        }
    }
    let missed: Vec<&str> = routes::all()
        .filter(|route| route.method == "POST")
        .map(|route| route.path)
        .filter(|path| !attacked.iter().any(|name| name.split(' ').next() == Some(path)))
        .collect();
    assert!(missed.is_empty(), "no page of the sample shows a form for, nor is there one in UNLINKED: {missed:?}");
    what_was_kept_is_shown_as_text(&world);
}

/// Everything nasty into one form of the page at this address.
fn attack<'a>(world: &'a World, seat: &mut Seat<'a>, address: &str, mut form: Form) {
    for at in 0..form.fields.len() {
        // As the page is now: what was kept meanwhile counts revisions on.
        let now = if address.is_empty() { Vec::new() } else { html::forms(&seat.client.get(address).text(), address) };
        let same = |one: &Form| one.action == form.action && one.fields.len() == form.fields.len();
        form = now.into_iter().find(same).unwrap_or(form);
        for (what, text) in NASTY.iter().filter(|(what, _)| ALONE.contains(what)) {
            let mut bad: Vec<Field> = form.fields.iter().map(believable).collect();
            bad[at].value = (*text).to_owned();
            hit(world, seat, &form, &bad, &format!("{what} in {}", bad[at].name));
        }
    }
    for (what, text) in NASTY {
        let bad: Vec<Field> = form.fields.iter().map(|field| filled(field, text)).collect();
        hit(world, seat, &form, &bad, what);
    }
    strange_bodies(&seat.client, &form);
}

/// The field with something in it, so that another one alone decides whether the form is taken.
fn believable(field: &Field) -> Field {
    let usual = BELIEVABLE.iter().find(|(name, _)| *name == field.name).map_or("", |(_, value)| value);
    let value = if field.value.is_empty() { usual } else { &field.value };
    Field { value: value.to_owned(), ..field.clone() }
}

/// The pages of the sample's objects that come to this person, by their addresses.
fn pages_of(world: &World, seat: &Seat<'_>) -> Vec<(String, Answer)> {
    let mut pages = Vec::new();
    for route in routes::all().filter(|route| route.method == "GET") {
        if !matches!(route.need, Need::May(permission) if seat.role.may(permission)) || !route.path.contains('{') {
            continue;
        }
        for whose in [Whose::Own, Whose::Foreign] {
            let (path, reached) = world.address(route.path, whose, Some(seat));
            if reached {
                let answer = seat.client.get(&path);
                pages.push((path, answer));
            }
        }
    }
    pages
}

/// The forms of [`UNLINKED`] as this person would send them.
fn unlinked(world: &World, seat: &Seat<'_>) -> Vec<Form> {
    let field = |name: &&str| Field { name: (*name).to_owned(), value: "1".into(), kind: "text".into() };
    let form = |(path, names): &(&str, &[&str])| Form {
        method: "post".into(),
        action: format!("/console{}", world.address(path, Whose::Own, Some(seat)).0),
        multipart: false,
        fields: names.iter().map(field).collect(),
    };
    let may = |path: &str| {
        let route = routes::all().find(|route| route.method == "POST" && route.path == path).expect("a route");
        matches!(route.need, Need::May(permission) if seat.role.may(permission)) || route.need == Need::Nothing
    };
    UNLINKED.iter().filter(|(path, _)| may(path)).map(form).collect()
}

/// What was kept is shown to everybody who may see it.
fn what_was_kept_is_shown_as_text(world: &World) {
    let mut shown = BTreeSet::new();
    for role in Role::ALL {
        let seat = world.newcomer(role);
        let walk = walk(&seat.client);
        let pages = pages_of(world, &seat);
        let html = |page: &Answer| page.header("content-type").starts_with("text/html");
        let found = pages.iter().filter(|(_, page)| html(page)).map(|(address, page)| (address, page.text()));
        for (address, page) in found.chain(walk.pages.iter().map(|(address, page)| (address, page.clone()))) {
            escaped(&page, &format!("{role} at {address}"));
            let path = address.split('?').next().unwrap_or_default();
            if page.contains("zz9") {
                let route = routes::all().find(|route| route.method == "GET" && html::matches(route.path, path));
                shown.extend(route.map(|route| route.path));
            }
        }
        for (address, (kind, bytes)) in &walk.files {
            if kind.contains("spreadsheetml") {
                no_formulas(bytes, &format!("{role} at {address}"));
            }
        }
        for (address, page) in &pages {
            assert!(page.status.as_u16() < 500, "{role}: {address}: {}", page.status);
            if page.header("content-type").contains("spreadsheetml") {
                no_formulas(&page.body, &format!("{role} at {address}"));
            }
        }
        let failed: Vec<_> = walk.broken.iter().filter(|(_, status)| *status >= 500).collect();
        assert!(failed.is_empty(), "{role}: {failed:?}");
    }
    let missing: Vec<_> = SHOWN.iter().filter(|path| !shown.contains(**path)).collect();
    assert!(missing.is_empty(), "nothing of what was typed is there: {missing:?}");
}

fn addresses_and_searches_take_anything(database: Database) {
    let console = ConsoleApp::with_cards(database, 3);
    let client = console.admin();
    let long = "9".repeat(7000);
    let parts =
        ["0", "-1", "99999999999999999999", "%00", "%2e%2e%2f", "%ff%fe", "a%27b", "%3Czz9%3E", "%E2%80%AE", &long];
    for route in routes::all().filter(|route| route.method == "GET" && route.path.contains('{')) {
        for part in parts {
            let path: Vec<&str> =
                route.path.split('/').map(|piece| if piece.starts_with('{') { part } else { piece }).collect();
            sound(&client.get(&path.join("/")), &format!("{} with {part}", route.path));
        }
    }
    for (_, form) in forms_of(&client, "get") {
        let path = html::below(&form.action).unwrap();
        let path = path.split('?').next().unwrap_or_default();
        for (what, text) in NASTY {
            let fields: Vec<(String, &str)> = form.fields.iter().map(|field| (field.name.clone(), *text)).collect();
            let query = serde_html_form::to_string(&fields).unwrap();
            sound(&client.get(&format!("{path}?{query}")), &format!("{path} with {what}"));
        }
        let names: Vec<String> = form.fields.iter().map(|field| format!("{}=%c0%bczz9%ff%00", field.name)).collect();
        sound(&client.get(&format!("{path}?{}", names.join("&"))), &format!("{path} with bytes that are no text"));
    }
}

#[test]
fn a_form_that_is_too_long_is_refused_in_words() {
    let console = ConsoleApp::with_cards(Database::sqlite(), 1);
    for (role, scope) in everybody(&console) {
        let client = console.sign_in(role, scope);
        let mut seen = BTreeSet::new();
        let forms = forms_of(&client, "post").into_iter().map(|(_, form)| form);
        for form in forms.filter(|form| !form.multipart).filter(|form| fresh(&mut seen, form)) {
            let Some(field) = form.fields.first() else { continue };
            let path = html::below(&form.action).unwrap();
            let text = "长".repeat(10 * 1024 * 1024 / 3);
            let answer = client.post(&path, &[(field.name.as_str(), &text)]);
            assert_eq!(answer.status, 413, "{path}: {}", &answer.text().chars().take(300).collect::<String>());
            answer.says(&["1 MB"]);
        }
    }
}

/// Every role, with a scope that the sample has.
fn everybody(console: &ConsoleApp) -> [(Role, Scope); 6] {
    let unit = console.first_unit();
    [
        (Role::FederationAdmin, Scope::All),
        (Role::FederationClerk, Scope::All),
        (Role::County, Scope::County(21)),
        (Role::Unit, unit),
        (Role::Oversight, Scope::All),
        (Role::Partner, Scope::Partner(console.first_partner())),
    ]
}

/// A route with these fields that was not attacked yet.
fn fresh(attacked: &mut BTreeSet<String>, form: &Form) -> bool {
    let Some(path) = html::below(&form.action) else { return false };
    let path = path.split('?').next().unwrap_or_default();
    let route = routes::all().find(|route| route.method == "POST" && html::matches(route.path, path));
    let names: BTreeSet<&str> = form.fields.iter().map(|field| field.name.as_str()).collect();
    attacked.insert(format!("{} {names:?}", route.map_or(path, |route| route.path)))
}

/// The forms that links lead to, with the addresses of their pages.
fn forms_of(client: &Client<'_>, method: &str) -> Vec<(String, Form)> {
    let walk = walk(client);
    let forms = |(address, page): (&String, &String)| {
        html::forms(page, address).into_iter().map(|form| (address.clone(), form)).collect::<Vec<_>>()
    };
    let all = walk.pages.iter().flat_map(forms);
    all.filter(|(_, form)| form.method == method && html::below(&form.action).is_some()).collect()
}

fn walk(client: &Client<'_>) -> Walk {
    let patterns: Vec<&str> = routes::all().filter(|route| route.method == "GET").map(|route| route.path).collect();
    html::walk(&patterns, |address| {
        let answer = client.get(address);
        Got {
            status: answer.status.as_u16(),
            kind: answer.header("content-type").to_owned(),
            location: answer.header("location").to_owned(),
            body: answer.body,
        }
    })
}

/// Hidden fields name things and are left alone here; each is attacked on its own.
fn filled(field: &Field, text: &str) -> Field {
    let value = if field.kind == "hidden" { field.value.clone() } else { text.to_owned() };
    Field { value, ..field.clone() }
}

/// Sends a form; whoever was thereby signed out signs in again.
fn hit<'a>(world: &'a World, seat: &mut Seat<'a>, form: &Form, fields: &[Field], what: &str) {
    let path = html::below(&form.action).unwrap();
    let about = format!("{} sends {what} to {path}", seat.role);
    let pairs: Vec<(&str, &str)> = fields
        .iter()
        .filter(|field| field.kind != "file")
        .map(|field| (field.name.as_str(), field.value.as_str()))
        .collect();
    let answer = if form.multipart {
        seat.client.upload(&path, &pairs, "名册 <zz9>.xlsx", b"name,zz9\n=zz9(),<zz9>\n")
    } else {
        seat.client.post(&path, &pairs)
    };
    sound(&answer, &about);
    if ["/account", "/staff", "/sign"].iter().any(|part| path.starts_with(part)) {
        let gone = seat.client.get("/home");
        if gone.status.as_u16() == 303 && gone.header("location").contains("sign-in") {
            seat.client = world.somebody(seat.role);
        }
    }
}

/// Bodies that no form makes.
fn strange_bodies(client: &Client<'_>, form: &Form) {
    let path = html::below(&form.action).unwrap();
    let name = form.fields.first().map_or("x", |field| field.name.as_str());
    let form_kind = "application/x-www-form-urlencoded";
    let parts = "multipart/form-data; boundary=b";
    let part = |head: &str, body: &[u8]| [format!("--b\r\n{head}\r\n\r\n").as_bytes(), body, b"\r\n--b--\r\n"].concat();
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        (form_kind, Vec::new()),
        (form_kind, format!("{name}=%c0%bc%ff%fe&{name}=%00").into_bytes()),
        (form_kind, format!("{name}=\u{0}\u{1}&=&&=%zz").into_bytes()),
        (form_kind, b"\xff\xfe\x00zz9=1".to_vec()),
        (form_kind, format!("{name}=1&").repeat(5000).into_bytes()),
        ("application/json", b"{\"zz9\":1}".to_vec()),
        ("text/plain", b"zz9=1".to_vec()),
        ("multipart/form-data", b"zz9".to_vec()),
        (parts, Vec::new()),
        (parts, b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.xlsx\"\r\n\r\ncut".to_vec()),
        (parts, part("Content-Disposition: form-data; name=\"file\"; filename=\"../../../zz9\r\n <zz9>.xlsx\"", b"")),
        (parts, part("Content-Disposition: form-data; name=\"file\"; filename=\"a\0b.xlsx\"", b"PK\x03\x04zz9")),
        (parts, part("Content-Disposition: form-data; filename=\"noname.csv\"", b"\xff\xfe\x00\x00")),
        (parts, part("Content-Disposition: attachment", b"zz9")),
        (parts, part("no header at all", b"zz9")),
        (parts, part(&format!("Content-Disposition: form-data; name=\"{name}\""), b"\xc0\xbc\xff")),
        (parts, part(&format!("X-Long: {}", "y".repeat(20_000)), b"zz9")),
        (
            parts,
            part(
                "Content-Disposition: form-data; name=\"file\"; filename=\"a.csv\"",
                "姓名,<zz9>\n".repeat(500).as_bytes(),
            ),
        ),
        (
            parts,
            part("Content-Disposition: form-data; name=\"file\"; filename=\"a.xls\"", &[0xD0, 0xCF, 0x11, 0xE0, 0xA1]),
        ),
    ];
    for (at, (kind, body)) in bodies.into_iter().enumerate() {
        let answer = client.send(Method::POST, &path, &[("content-type", kind)], Body::from(body));
        sound(&answer, &format!("body {at} ({kind}) to {path}"));
    }
}

/// An answer that is one: nothing failed inside, nothing came back as code.
#[track_caller]
fn sound(answer: &Answer, about: &str) {
    assert!(answer.status.as_u16() < 500, "{about}: {} {}", answer.status, answer.text());
    assert!(answer.headers.get("zz9").is_none(), "{about}");
    let cookies = answer.headers.get_all("set-cookie").iter();
    assert!(!cookies.into_iter().any(|cookie| cookie.as_bytes().starts_with(b"zz9")), "{about}");
    if answer.header("content-type").starts_with("text/html") {
        assert!(answer.headers.contains_key("content-security-policy"), "{about}");
        escaped(&answer.text(), about);
    }
}

#[track_caller]
fn escaped(page: &str, about: &str) {
    for raw in RAW {
        if let Some(at) = page.find(raw) {
            let near: String = page[..at].chars().rev().take(120).collect::<Vec<_>>().into_iter().rev().collect();
            panic!("{about}: “{raw}” stands raw in the page after: {near}");
        }
    }
    assert!(!page.contains('\0'), "{about}: NUL in the page");
}

#[track_caller]
fn no_formulas(bytes: &[u8], about: &str) {
    use std::io::Read;
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap_or_else(|e| panic!("{about}: {e}"));
    for at in 0..archive.len() {
        let mut part = archive.by_index(at).unwrap();
        let name = part.name().unwrap().into_owned();
        if name.starts_with("xl/worksheets/") {
            let mut text = String::new();
            part.read_to_string(&mut text).unwrap();
            assert!(!text.contains("<f>") && !text.contains("<f "), "{about}: a formula in {name}");
        }
    }
}
