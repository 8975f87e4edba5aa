//! All routes with their description.

use axum::Router;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{ApiState, designs, events, metrics, orders, pieces, plan, stations, system, tasks, webhooks};

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

/// The router without its state, and the document that describes it.
pub(super) fn routes() -> (Router<ApiState>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Head::openapi())
        .routes(routes!(designs::put))
        .routes(routes!(orders::create, orders::list))
        .routes(routes!(orders::read))
        .routes(routes!(orders::cancel))
        .routes(routes!(orders::hold))
        .routes(routes!(orders::release))
        .routes(routes!(pieces::read))
        .routes(routes!(pieces::timeline))
        .routes(routes!(tasks::list))
        .routes(routes!(tasks::start))
        .routes(routes!(tasks::complete))
        .routes(routes!(tasks::fail))
        .routes(routes!(stations::list))
        .routes(routes!(stations::read))
        .routes(routes!(stations::ready))
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
        .split_for_parts()
}
