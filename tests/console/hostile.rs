//! Everything that every form takes, filled with what nobody should send. The forms are those that the pages show: a new
//! one is attacked as soon as a link leads to it.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Method;
use zyz::domain::staff::{Role, Scope};
use zyz::web::console::routes;

use crate::console::{Client, ConsoleApp};
use crate::html::{self, Field, Form, Got, Walk};
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

fn no_form_breaks_and_no_page_says_it_back_raw(database: Database) {
    let console = ConsoleApp::with_cards(database, 3);
    let mut attacked = BTreeSet::new();
    for (role, scope) in everybody(&console) {
        let mut client = console.sign_in(role, scope);
        let forms: Vec<Form> =
            forms_of(&client, "post").into_iter().filter(|form| fresh(&mut attacked, form)).collect();
        for form in &forms {
            for (what, text) in NASTY {
                let bad: Vec<Field> = form.fields.iter().map(|field| filled(field, text)).collect();
                hit(&console, &mut client, (role, scope), form, &bad, what);
            }
            for at in 0..form.fields.len() {
                for (what, text) in NASTY.iter().filter(|(what, _)| ALONE.contains(what)) {
                    let mut bad = form.fields.clone();
                    bad[at].value = (*text).to_owned();
                    hit(&console, &mut client, (role, scope), form, &bad, &format!("{what} in {}", bad[at].name));
                }
            }
            strange_bodies(&client, form);
        }
    }
    // What was kept is shown to everybody who may see it.
    for (role, scope) in everybody(&console) {
        let client = console.sign_in(role, scope);
        let walk = walk(&client);
        for (address, page) in &walk.pages {
            escaped(page, &format!("{role} at {address}"));
        }
        for (address, (kind, bytes)) in &walk.files {
            if kind.contains("spreadsheetml") {
                no_formulas(bytes, &format!("{role} at {address}"));
            }
        }
        let failed: Vec<_> = walk.broken.iter().filter(|(_, status)| *status >= 500).collect();
        assert!(failed.is_empty(), "{role}: {failed:?}");
    }
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
    for form in forms_of(&client, "get") {
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
        for form in forms_of(&client, "post").into_iter().filter(|form| !form.multipart && fresh(&mut seen, form)) {
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

fn forms_of(client: &Client<'_>, method: &str) -> Vec<Form> {
    let walk = walk(client);
    let forms = walk.pages.iter().flat_map(|(address, page)| html::forms(page, address));
    forms.filter(|form| form.method == method && html::below(&form.action).is_some()).collect()
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
fn hit<'a>(
    console: &'a ConsoleApp,
    client: &mut Client<'a>,
    who: (Role, Scope),
    form: &Form,
    fields: &[Field],
    what: &str,
) {
    let path = html::below(&form.action).unwrap();
    let about = format!("{} sends {what} to {path}", who.0);
    let pairs: Vec<(&str, &str)> = fields
        .iter()
        .filter(|field| field.kind != "file")
        .map(|field| (field.name.as_str(), field.value.as_str()))
        .collect();
    let answer = if form.multipart {
        client.upload(&path, &pairs, "名册 <zz9>.xlsx", b"name,zz9\n=zz9(),<zz9>\n")
    } else {
        client.post(&path, &pairs)
    };
    sound(&answer, &about);
    let gone = client.get("/home");
    if gone.status.as_u16() == 303 && gone.header("location").contains("sign-in") {
        *client = console.sign_in(who.0, who.1);
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
