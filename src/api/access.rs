//! Which role may do what: one table for all routes. What isn't in it is refused.

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::header::{ALLOW, AUTHORIZATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{ApiState, Problem};
use crate::services::access::{Principal, Role};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without a key.
    Open,
    /// Keys with one of these roles.
    Roles(&'static [Role]),
}

use Access::{Open, Roles};
use Role::{Admin, Display, Manager, OrderSystem, Technician};

const EVERYBODY: Access = Roles(&[OrderSystem, Technician, Manager, Admin, Display]);
const ORDERING: Access = Roles(&[OrderSystem, Admin]);
const ORDER_ACTIONS: Access = Roles(&[OrderSystem, Manager, Admin]);
const PASSPORT: Access = Roles(&[OrderSystem, Technician, Manager, Admin]);
const WORKSHOP: Access = Roles(&[Technician, Manager, Admin]);
const WORKSHOP_AND_BOARD: Access = Roles(&[Technician, Manager, Admin, Display]);
const ADMIN: Access = Roles(&[Admin]);
const METRICS: Access = Roles(&[Manager, Admin, Display]);

/// Every route with who may use it. An order system sees its own orders, pieces and events only; a display sees
/// no engraving.
pub const TABLE: &[(&str, &str, Access)] = &[
    ("PUT", "/api/v1/designs/{sha256}", ORDERING),
    ("POST", "/api/v1/orders", ORDERING),
    ("GET", "/api/v1/orders", EVERYBODY),
    ("GET", "/api/v1/orders/{id}", EVERYBODY),
    ("POST", "/api/v1/orders/{id}/cancel", ORDER_ACTIONS),
    ("POST", "/api/v1/orders/{id}/hold", ORDER_ACTIONS),
    ("POST", "/api/v1/orders/{id}/release", ORDER_ACTIONS),
    ("GET", "/api/v1/pieces/{id}", EVERYBODY),
    ("GET", "/api/v1/pieces/{id}/timeline", EVERYBODY),
    ("GET", "/api/v1/pieces/{id}/passport", PASSPORT),
    ("GET", "/api/v1/trace", WORKSHOP),
    ("GET", "/api/v1/tasks", WORKSHOP),
    ("POST", "/api/v1/tasks/{id}/start", WORKSHOP),
    ("POST", "/api/v1/tasks/{id}/complete", WORKSHOP),
    ("POST", "/api/v1/tasks/{id}/fail", WORKSHOP),
    ("GET", "/api/v1/lots", WORKSHOP),
    ("POST", "/api/v1/lots", WORKSHOP),
    ("POST", "/api/v1/lots/{id}/close", WORKSHOP),
    ("GET", "/api/v1/metal", WORKSHOP),
    ("GET", "/api/v1/metal/entries", WORKSHOP),
    ("POST", "/api/v1/metal/moves", WORKSHOP),
    ("POST", "/api/v1/metal/counts", WORKSHOP),
    ("GET", "/api/v1/stations", WORKSHOP_AND_BOARD),
    ("GET", "/api/v1/stations/{name}", WORKSHOP_AND_BOARD),
    ("POST", "/api/v1/stations/{name}/ready", WORKSHOP),
    ("POST", "/api/v1/stations/{name}/load", WORKSHOP),
    ("POST", "/api/v1/stations/{name}/pause", WORKSHOP),
    ("POST", "/api/v1/stations/{name}/resume", WORKSHOP),
    ("POST", "/api/v1/stations/{name}/cancel", WORKSHOP),
    ("POST", "/api/v1/stations/{name}/stop", WORKSHOP),
    ("GET", "/api/v1/plan", WORKSHOP),
    ("GET", "/api/v1/operations/{id}/why", WORKSHOP),
    ("GET", "/api/v1/events", EVERYBODY),
    ("POST", "/api/v1/webhooks", ADMIN),
    ("GET", "/api/v1/webhooks", ADMIN),
    ("GET", "/api/v1/webhooks/{id}/deliveries", ADMIN),
    ("POST", "/api/v1/webhooks/{id}/disable", ADMIN),
    ("POST", "/api/v1/deliveries/{id}/replay", ADMIN),
    ("GET", "/api/v1/limits", EVERYBODY),
    ("GET", "/metrics", METRICS),
    ("GET", "/healthz", Open),
    ("GET", "/readyz", Open),
    ("GET", "/openapi.json", Open),
    ("GET", "/api/v1/openapi.json", Open),
];

/// Whoever sent this request, after the table let it pass.
#[derive(Debug, Clone)]
pub(super) struct Caller(pub(super) Principal);

impl Caller {
    /// Whose orders the caller may see; `None` is everybody's.
    pub(super) fn sees_only(&self) -> Option<&str> {
        (self.0.role == OrderSystem).then_some(self.0.name.as_str())
    }

    /// Whether it sees what customers had engraved.
    pub(super) fn sees_customers(&self) -> bool {
        self.0.role != Display
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Only an open route has no caller, and no open route asks for one.
        parts.extensions.get::<Caller>().cloned().ok_or_else(Problem::internal)
    }
}

/// Lets a request pass if the table does.
pub(super) async fn guard(State(state): State<ApiState>, mut request: Request, next: Next) -> Response {
    let Some(path) = request.extensions().get::<MatchedPath>().cloned() else {
        // No route: what comes is the 404.
        return next.run(request).await;
    };
    let access = match rule(request.method(), path.as_str()) {
        Ok(access) => access,
        Err(refusal) => return *refusal,
    };
    let Roles(roles) = access else { return next.run(request).await };
    match identify(&state, request.headers()) {
        Err(problem) => problem.into_response(),
        Ok(principal) if !roles.contains(&principal.role) => {
            let detail = format!("a key with the role {} may not do this", principal.role.word());
            Problem::forbidden(detail).into_response()
        }
        Ok(principal) => {
            request.extensions_mut().insert(Caller(principal));
            next.run(request).await
        }
    }
}

fn rule(method: &Method, path: &str) -> Result<Access, Box<Response>> {
    // A GET route answers HEAD too.
    let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
    let of_path = || TABLE.iter().filter(|(_, known, _)| *known == path);
    if let Some((_, _, access)) = of_path().find(|(known, _, _)| *known == method) {
        return Ok(*access);
    }
    let methods: Vec<&str> = of_path().map(|(method, _, _)| *method).collect();
    if methods.is_empty() {
        return Err(Box::new(Problem::forbidden("nobody may do this").into_response()));
    }
    let methods = methods.join(", ");
    let detail = format!("this address takes {methods}");
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", detail);
    let mut response = problem.into_response();
    if let Ok(methods) = HeaderValue::from_str(&methods) {
        response.headers_mut().insert(ALLOW, methods);
    }
    Err(Box::new(response))
}

fn identify(state: &ApiState, headers: &HeaderMap) -> Result<Principal, Problem> {
    let text = bearer(headers).or_else(|| headers.get("x-api-key")?.to_str().ok());
    let text = text.ok_or_else(|| {
        Problem::unauthorized(
            "send an API key as `Authorization: Bearer spk_...`; `sprue key create` makes one",
        )
    })?;
    let unknown = "this API key is not known, or was revoked; `sprue key list` shows the keys";
    state.keys.check(text).ok_or_else(|| Problem::unauthorized(unknown))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
}
