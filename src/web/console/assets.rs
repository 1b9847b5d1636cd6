//! What pages load: one stylesheet, our few lines of script, htmx. Embedded; an address carries the content's hash, so that
//! browsers keep it for good.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

use super::routes::{Need, Route, row};

/// Routes of this room.
pub(super) const ROUTES: &[Route] = &[row("GET", "/assets/{asset}", Need::Nothing, || get(asset))];

/// Stylesheets, in the order in which they are joined. A room's own comes after the common one.
const STYLES: &[&str] = &[
    include_str!("assets/console.css"),
    include_str!("assets/accounts.css"),
    include_str!("assets/forms.css"),
    include_str!("assets/rosters.css"),
    include_str!("assets/people.css"),
    include_str!("assets/hours.css"),
    include_str!("assets/stars.css"),
    include_str!("assets/cards.css"),
    include_str!("assets/oversight.css"),
];

const SCRIPT: &str = include_str!("assets/console.js");
/// htmx 2, Zero-Clause BSD: see htmx.LICENSE beside it.
const HTMX: &str = include_str!("assets/htmx.min.js");

struct Asset {
    name: String,
    kind: &'static str,
    body: String,
}

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    let asset = |stem: &str, ending: &str, kind, body: String| {
        let digest = hex::encode(&Sha256::digest(&body)[..6]);
        Asset { name: format!("{stem}-{digest}.{ending}"), kind, body }
    };
    [
        asset("console", "css", "text/css; charset=utf-8", STYLES.concat()),
        asset("console", "js", "text/javascript; charset=utf-8", SCRIPT.into()),
        asset("htmx", "js", "text/javascript; charset=utf-8", HTMX.into()),
    ]
});

/// Names of stylesheet, script and htmx, below `assets/`.
pub(super) fn names() -> [&'static str; 3] {
    let [style, script, htmx] = &*ASSETS;
    [&style.name, &script.name, &htmx.name]
}

async fn asset(Path(name): Path<String>) -> Response {
    match ASSETS.iter().find(|asset| asset.name == name) {
        Some(asset) => {
            let headers =
                [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
            (headers, asset.body.as_str()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
