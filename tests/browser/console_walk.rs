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

/// Walks the console as one role and looks at every page in the browser.
async fn look_at_everything(office: &Office, role: Role, scope: Scope) {
    let (page, cookie) = office.browser_with_cookie(role, scope).await;
    let address = format!("http://127.0.0.1:{}", office.port);
    let walked = walk::follow(&address, &cookie);
    assert!(walked.broken.is_empty(), "{role}: links lead nowhere: {:?}", walked.broken);
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
        assert!(
            title.as_str().is_some_and(|title| title.contains(" · ") && !title.starts_with(" ·")),
            "{path}: {title}"
        );
        assert_eq!(page.value("document.querySelectorAll('h1').length").await, 1, "{role} {path}: one headline a page");
        if page.value(STRUCTURE).await.as_str().is_some_and(is_new) {
            page.axe(&format!("{role} {path}")).await;
            page.fits(path).await;
        }
        page.no_complaints();
        looked += 1;
    }
    assert!(looked > 0, "{role} has seen no page");
}

#[test]
fn every_page_of_the_administrator() {
    run(async {
        let office = Office::new().await;
        look_at_everything(&office, Role::FederationAdmin, Scope::All).await;
    });
}

#[test]
fn every_page_of_the_clerk() {
    run(async {
        let office = Office::new().await;
        look_at_everything(&office, Role::FederationClerk, Scope::All).await;
    });
}

#[test]
fn every_page_of_a_county_and_a_unit() {
    run(async {
        let office = Office::new().await;
        look_at_everything(&office, Role::County, Scope::County(21)).await;
        let unit = office.scope_of(TOWN_UNIT).await;
        look_at_everything(&office, Role::Unit, unit).await;
    });
}

#[test]
fn every_page_of_the_oversight_and_a_partner() {
    run(async {
        let office = Office::new().await;
        look_at_everything(&office, Role::Oversight, Scope::All).await;
        let partner = office.federation.partners(true).await.unwrap().remove(0).id;
        look_at_everything(&office, Role::Partner, Scope::Partner(partner)).await;
    });
}

#[test]
fn the_table_of_routes_names_each_once() {
    let mut seen = std::collections::BTreeSet::new();
    for route in routes::all() {
        assert!(seen.insert((route.method, route.path)), "{} {}", route.method, route.path);
    }
}
