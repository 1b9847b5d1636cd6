//! The console's table of routes, room by room.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, any, get};
use zyz_http::layers::{Settings, wrap};

use super::{accounts, assets, cards, forms, guard, hours, oversight, page, people, rosters, stars};
use crate::domain::staff::Permission;
use crate::web::Shared;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Anybody: signing in and what its page loads.
    Nothing,
    /// Whoever may do this.
    May(Permission),
}

/// One route of the console.
pub struct Route {
    /// The method, in capitals.
    pub method: &'static str,
    /// The address below the console's own; parameters in braces are named after what they are the key of.
    pub path: &'static str,
    /// Who may call it.
    pub need: Need,
    /// Longest body it takes.
    pub body: Body,
    handler: fn() -> MethodRouter<Shared>,
}

/// How long a body may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// A form: 1 MB.
    Form,
    /// A file, as large as `limits.file_mb` of the configuration allows.
    File,
}

/// Every room's routes.
pub const ROOMS: &[&[Route]] = &[
    assets::ROUTES,
    accounts::ROUTES,
    forms::ROUTES,
    rosters::ROUTES,
    people::ROUTES,
    hours::ROUTES,
    stars::ROUTES,
    cards::ROUTES,
    oversight::ROUTES,
];

/// Every route of the console.
pub fn all() -> impl Iterator<Item = &'static Route> {
    ROOMS.iter().copied().flatten()
}

/// A row of a room's table.
pub(super) const fn row(
    method: &'static str,
    path: &'static str,
    need: Need,
    handler: fn() -> MethodRouter<Shared>,
) -> Route {
    Route { method, path, need, body: Body::Form, handler }
}

/// A row for what takes a file.
pub(super) const fn file_row(path: &'static str, need: Need, handler: fn() -> MethodRouter<Shared>) -> Route {
    Route { method: "POST", path, need, body: Body::File, handler }
}

/// Bytes of a form.
const FORM: usize = 1 << 20;

/// The console's routes with everything around them. `settings` are the server's; bodies are bounded here.
pub fn router(web: &Shared, settings: &Settings) -> Router {
    let about = [("/console", get(page::to_start)), ("/console/", get(page::to_start))];
    let mut forms = Router::new();
    for (path, handler) in about {
        forms = forms.route(path, handler.layer(from_fn_with_state((web.clone(), Need::Nothing), guard::admit)));
    }
    let mut files = Router::new();
    for (at, route) in all().enumerate() {
        let handler = (route.handler)();
        // Methods of one address are merged, of which one alone may say what becomes of the others.
        let first = all().take(at).all(|earlier| earlier.path != route.path);
        let handler = if first { handler.fallback(guard::wrong_method) } else { handler };
        let guarded = handler.layer(from_fn_with_state((web.clone(), route.need), guard::admit));
        let path = format!("/console{}", route.path);
        // An address that takes files by one method is theirs by every method: it can stand in one router only.
        let body = if all().any(|other| other.path == route.path && other.body == Body::File) {
            Body::File
        } else {
            route.body
        };
        match body {
            Body::Form => forms = forms.route(&path, guarded),
            Body::File => files = files.route(&path, guarded),
        }
    }
    forms = forms.route("/console/{*rest}", any(guard::unmatched));
    let forms = wrap(forms.with_state(web.clone()), Settings { body: FORM, ..settings.clone() })
        .layer(from_fn_with_state((web.clone(), FORM), guard::in_words));
    let bounds = Settings {
        body: web.upload_bytes(),
        body_patience: std::time::Duration::from_secs(300),
        patience: std::time::Duration::from_secs(120),
        ..settings.clone()
    };
    // What bounds a body is around them; axum's own 2 MB would end every larger upload.
    let files = files.layer(axum::extract::DefaultBodyLimit::disable());
    // Whoever may not send a file gets no megabyte into memory.
    let longest = bounds.body;
    let files = wrap(files.with_state(web.clone()), bounds)
        .layer(from_fn_with_state(web.clone(), guard::empty_strangers))
        .layer(from_fn_with_state((web.clone(), longest), guard::in_words));
    // Both have fallbacks of their own; one of them speaks for the addresses below the console.
    Router::new().merge(strip(forms)).merge(strip(files))
}

/// Without its fallback, so that routers can be merged.
fn strip(router: Router) -> Router {
    router.reset_fallback()
}
