//! The OpenAPI document, made from the handlers' own descriptions. Who may call, and the problems that any route can answer
//! with, are added from the table of routes, so that the document cannot say otherwise.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr};
use utoipa::{Modify, OpenApi};
use zyz_http::problem::Problem;

use super::router::{Access, ROUTES};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Volunteer card federation",
        description = "Published trust data, verification, enrolment and redemption reports of the volunteer service card."
    ),
    servers((url = "./", description = "This server")),
    paths(
        super::federation::about,
        super::federation::trust_list,
        super::bundle::public,
        super::bundle::partner,
        super::enrolment::partner,
        super::status_list::token,
        super::verify::verify,
        super::lookup::lookup,
        super::enrolment::enrol,
        super::redemption::redeem,
        super::health::alive,
        super::health::ready,
        super::health::metrics,
        document,
    ),
    components(schemas(Problem)),
    tags(
        (name = "published", description = "Signed trust data for anybody"),
        (name = "checking", description = "Judging codes and numbers online"),
        (name = "partners", description = "Enrolment and redemptions of partners' devices"),
        (name = "operation", description = "Running the server"),
    ),
    modifiers(&FromTable)
)]
struct Document;

static JSON: LazyLock<String> = LazyLock::new(|| Document::openapi().to_pretty_json().unwrap_or_default());

/// This document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "openapi",
    summary = "This document",
    tag = "operation",
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value))
)]
pub(super) async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], JSON.as_str()).into_response()
}

/// Adds what the table of routes says.
struct FromTable;

impl Modify for FromTable {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let scheme = |what: &str| {
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(what)).build())
        };
        components.add_security_scheme("device", scheme("Token of a partner's device, from its enrolment: `zyzp_…`"));
        components.add_security_scheme("operator", scheme("The token in `--metrics-token-file`"));
        for route in ROUTES {
            let Some(item) = document.paths.paths.get_mut(route.path) else { continue };
            if let Some(operation) = operation(item, route.method) {
                describe(operation, route.method, route.access);
            }
        }
    }
}

fn describe(operation: &mut Operation, method: &str, access: Access) {
    let mut problem = |status: &str, words: &str| {
        let content = ContentBuilder::new().schema(Some(RefOr::Ref(Ref::from_schema_name("Problem")))).build();
        let response = ResponseBuilder::new().description(words).content("application/problem+json", content).build();
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(response));
    };
    problem("400", "`incomplete_body`, and for JSON `not_json`, `too_deep`");
    problem("413", "`too_large`");
    problem("500", "`internal`: nothing more is told, the log has it under the `X-Request-Id`");
    problem("503", "`overloaded`, `timeout`, `database_away`: again after `Retry-After` seconds");
    if access != Access::Probe && access != Access::Operator {
        problem("429", "`rate_limited`: again after `Retry-After` seconds");
    }
    if method == "POST" {
        problem("408", "`request_timeout`: the body came too slowly");
        problem("415", "`unsupported_media_type`: the body must be JSON");
        problem(
            "422",
            "`unknown_field`, `missing_field`, `duplicate_field`, `wrong_value`, `too_long`, or a value that cannot be",
        );
    }
    let bearer = |name: &str| SecurityRequirement::new::<_, [&str; 0], &str>(name, []);
    let tokens = "`token_missing`, `token_malformed`, `token_unknown`, `token_revoked`";
    let security = match access {
        Access::Probe | Access::Anybody | Access::OneTimeCode => None,
        Access::AnybodyOrPartner => {
            problem("401", tokens);
            problem("403", "`agreement_ended`");
            Some(vec![SecurityRequirement::default(), bearer("device")])
        }
        Access::Partner => {
            problem("401", tokens);
            problem("403", "`agreement_ended`");
            Some(vec![bearer("device")])
        }
        Access::PartnerEvenEnded => {
            problem("401", tokens);
            Some(vec![bearer("device")])
        }
        Access::Operator => {
            problem("401", "`token_missing`, `token_malformed`, `token_unknown`");
            problem("403", "`local_only`");
            Some(vec![SecurityRequirement::default(), bearer("operator")])
        }
    };
    operation.security = security;
}

fn operation<'a>(item: &'a mut PathItem, method: &str) -> Option<&'a mut Operation> {
    match method {
        "GET" => item.get.as_mut(),
        "POST" => item.post.as_mut(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_document_and_the_table_name_the_same_routes() {
        let document = Document::openapi();
        let described: BTreeSet<_> = document
            .paths
            .paths
            .iter()
            .flat_map(|(path, item)| {
                let methods = [("GET", item.get.is_some()), ("POST", item.post.is_some())];
                methods.into_iter().filter(|(_, there)| *there).map(move |(method, _)| (method, path.as_str()))
            })
            .collect();
        let table: BTreeSet<_> = ROUTES.iter().map(|route| (route.method, route.path)).collect();
        assert_eq!(described, table);
    }
}
