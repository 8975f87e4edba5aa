//! All routes with their description.
//!
//! What holds for every route is said here once: refusals are `application/problem+json`, a body that can't be
//! read is refused, and operations have names of their own.

use axum::Router;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, Response};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{
    ApiState, designs, events, lots, metal, metrics, orders, pieces, plan, stations, system, tasks, webhooks,
};

/// What stands above the routes.
#[derive(OpenApi)]
#[openapi(
    info(title = "sprue", description = "Manufacturing controller of a bespoke jewellery workshop."),
    modifiers(&Keys),
    security(("api_key" = []))
)]
struct Head;

struct Keys;

impl Modify for Keys {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let key = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key, made with `sprue key create`"))
            .build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("api_key", SecurityScheme::Http(key));
    }
}

const PROBLEM: &str = "application/problem+json";

/// What any call with a part of its address to fill in may answer.
const OF_ADDRESSES: [(&str, &str); 1] =
    [("400", "ADDRESS or QUERY: the address or what is asked for can't be read")];
/// What any call that takes a JSON body may answer.
const OF_BODIES: [(&str, &str); 4] = [
    (
        "400",
        "JSON_UNREADABLE, LENGTH_UNREADABLE or UPLOAD_BROKEN: the body, or ADDRESS: the address can't be read",
    ),
    ("413", "TOO_LARGE: the body is too long"),
    ("415", "MEDIA_TYPE: the body says that it is no JSON"),
    ("422", "INVALID: a member is missing or of the wrong type"),
];

/// The router without its state, and the document that describes it.
pub(super) fn routes() -> (Router<ApiState>, utoipa::openapi::OpenApi) {
    let (router, mut openapi) = OpenApiRouter::with_openapi(Head::openapi())
        .routes(routes!(designs::put))
        .routes(routes!(orders::create, orders::list))
        .routes(routes!(orders::read))
        .routes(routes!(orders::cancel))
        .routes(routes!(orders::hold))
        .routes(routes!(orders::release))
        .routes(routes!(pieces::read))
        .routes(routes!(pieces::timeline))
        .routes(routes!(pieces::passport))
        .routes(routes!(pieces::trace))
        .routes(routes!(tasks::list))
        .routes(routes!(tasks::start))
        .routes(routes!(tasks::complete))
        .routes(routes!(tasks::fail))
        .routes(routes!(lots::receive, lots::list))
        .routes(routes!(lots::close))
        .routes(routes!(metal::read))
        .routes(routes!(metal::entries))
        .routes(routes!(metal::book))
        .routes(routes!(metal::count))
        .routes(routes!(stations::list))
        .routes(routes!(stations::read))
        .routes(routes!(stations::ready))
        .routes(routes!(stations::load))
        .routes(routes!(stations::pause))
        .routes(routes!(stations::resume))
        .routes(routes!(stations::cancel))
        .routes(routes!(stations::stop))
        .routes(routes!(plan::read))
        .routes(routes!(plan::why))
        .routes(routes!(events::events))
        .routes(routes!(webhooks::create, webhooks::list))
        .routes(routes!(webhooks::deliveries))
        .routes(routes!(webhooks::disable))
        .routes(routes!(webhooks::replay))
        .routes(routes!(system::limits))
        .routes(routes!(metrics::metrics))
        .routes(routes!(system::healthz))
        .routes(routes!(system::readyz))
        .routes(routes!(system::openapi))
        .routes(routes!(system::openapi_of_version))
        .split_for_parts();
    openapi.paths.paths.values_mut().flat_map(operations).for_each(complete);
    (router, openapi)
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post].into_iter().flatten()
}

/// Says what holds for every operation.
fn complete(operation: &mut Operation) {
    // The names of the handlers repeat: every kind of thing can be listed and read.
    let tag = operation.tags.iter().flatten().next();
    operation.operation_id = tag.zip(operation.operation_id.as_ref()).map(|(tag, id)| format!("{tag}_{id}"));
    let takes_json = match &operation.request_body {
        Some(RefOr::T(body)) => body.content.contains_key("application/json"),
        Some(RefOr::Ref(_)) | None => false,
    };
    let refusals = if takes_json {
        &OF_BODIES[..]
    } else if operation.parameters.is_some() {
        &OF_ADDRESSES[..]
    } else {
        &[]
    };
    let responses = &mut operation.responses.responses;
    for (status, description) in refusals {
        let known = responses.entry((*status).to_owned());
        known.or_insert_with(|| RefOr::T(Response::new(*description)));
    }
    for (status, response) in responses {
        if let (true, RefOr::T(response)) = (status.as_str() >= "400", response) {
            let problem = Content::new(Some(Ref::from_schema_name("Problem")));
            response.content.clear();
            response.content.insert(PROBLEM.to_owned(), RefOr::T(problem));
        }
    }
}
