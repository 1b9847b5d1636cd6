//! Every page of every role: reached by links, readable in light and dark, at a computer and on a telephone, without a
//! word from the browser about scripts or styles.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use zyz::domain::staff::{Role, Scope};
use zyz::web::console::routes;

use crate::desk::{Office, TOWN_UNIT, run, walk};

/// What a page is made of: its elements and their kinds, without what they say. Three rows of a table look like thirty.
const STRUCTURE: &str = "(() => { const seen = new Set(); const walk = (e, path) => { \
    const here = path + '>' + e.tagName + '.' + e.className + '#' + (e.type ?? '') + (e.hidden ? 'h' : ''); \
    seen.add(here); for (const child of e.children) walk(child, here); }; \
    walk(document.querySelector('main'), ''); return [...seen].join('\\n'); })()";

/// Whether a structure was not looked at before, by whatever role: accessibility and widths are its own, not its words'.
fn is_new(structure: &str) -> bool {
    static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert(structure.to_owned())
}

/// Pages that a role must come to: they show work under way, and their rooms' own tests alone would let them be forgotten.
fn expected(role: Role) -> &'static [&'static str] {
    match role {
        // A job is its asker's and the administrators'.
        Role::FederationAdmin => &["/cards/jobs/{job}", "/stars/{batch}", "/reviews/{review}"],
        Role::FederationClerk => &[
            "/forms/{form}",
            "/forms/{form}/approve",
            "/rosters/drafts/{draft}",
            "/rosters/drafts/{draft}/report",
            "/rosters/delivered/{roster}",
            "/stars/{batch}",
            "/stars/{batch}/notice",
            "/stars/{batch}/announce",
            "/hours/disputes/{dispute}",
            "/reviews/{review}",
        ],
        Role::County => &["/forms/{form}/return", "/rosters/delivered/{roster}", "/hours/disputes/{dispute}"],
        Role::Unit => &["/forms/{form}/edit", "/forms/{form}/withdraw", "/rosters/drafts/{draft}/rows/{row}"],
        Role::Oversight => &["/stars/{batch}", "/stars/{batch}/notice", "/rosters/delivered/{roster}"],
        Role::Partner => &[],
    }
}

/// Walks the console as one role and looks at every page in the browser. Returns everything that is wrong with any of
/// them, so that one finding does not hide the next.
async fn look_at_everything(office: &Office, role: Role, scope: Scope) -> Vec<String> {
    let (page, cookie) = office.browser_with_cookie(role, scope).await;
    let address = format!("http://127.0.0.1:{}", office.port);
    let walked = walk::follow(&address, &cookie);
    let mut wrong = Vec::new();
    let mut say = |path: &str, what: String| wrong.push(format!("{role} {path}: {what}"));
    for (path, status) in &walked.broken {
        say(path, format!("a link leads here, and gets {status}"));
    }
    for pattern in expected(role) {
        assert!(routes::all().any(|route| route.path == *pattern), "there is no page {pattern}");
        if walked.unreached.contains(*pattern) {
            say(pattern, "no link leads here: the sample lacks such work, or the link is missing".into());
        }
    }
    let own = walked.pages.keys().filter(|path| !path.starts_with("/sign-in"));
    let mut looked = 0;
    for path in own {
        page.goto(path).await;
        if page.value("document.contentType").await != "text/html" || page.value("!document.body").await == true {
            continue;
        }
        // A part of a page that htmx fetches is looked at where it stands.
        if page.value("!document.querySelector('main')").await == true {
            continue;
        }
        let title = page.value("document.title").await;
        if !title.as_str().is_some_and(|title| title.contains(" · ") && !title.starts_with(" ·")) {
            say(path, format!("the title is {title}"));
        }
        let headlines = page.value("document.querySelectorAll('h1').length").await;
        if headlines != 1 {
            say(path, format!("{headlines} headlines of a page"));
        }
        if page.value(STRUCTURE).await.as_str().is_some_and(is_new) {
            for what in page.axe_findings().await.into_iter().chain(page.too_wide().await) {
                say(path, what);
            }
        }
        for what in page.complaints() {
            say(path, format!("the browser complains: {what}"));
        }
        looked += 1;
    }
    assert!(looked > 0, "{role} has seen no page");
    wrong
}

/// Looks at everything as each of these, and fails with all that was found.
fn all_is_well(roles: &[Role]) {
    run(async {
        let office = Office::at_work().await;
        let mut wrong = Vec::new();
        for role in roles {
            let scope = match role {
                Role::County => Scope::County(21),
                Role::Unit => office.scope_of(TOWN_UNIT).await,
                Role::Partner => Scope::Partner(office.federation.partners(true).await.unwrap().remove(0).id),
                _ => Scope::All,
            };
            wrong.extend(look_at_everything(&office, *role, scope).await);
        }
        assert!(wrong.is_empty(), "{} findings:\n{}", wrong.len(), wrong.join("\n"));
    });
}

#[test]
fn every_page_of_the_administrator() {
    all_is_well(&[Role::FederationAdmin]);
}

#[test]
fn every_page_of_the_clerk() {
    all_is_well(&[Role::FederationClerk]);
}

#[test]
fn every_page_of_a_county_and_a_unit() {
    all_is_well(&[Role::County, Role::Unit]);
}

#[test]
fn every_page_of_the_oversight_and_a_partner() {
    all_is_well(&[Role::Oversight, Role::Partner]);
}

#[test]
fn the_table_of_routes_names_each_once() {
    let mut seen = BTreeSet::new();
    for route in routes::all() {
        assert!(seen.insert((route.method, route.path)), "{} {}", route.method, route.path);
    }
}
