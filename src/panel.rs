//! The page on the wall: orders, stations, pieces, as they are now. It only shows; nothing can be done from it.
//!
//! The server writes all HTML. A small script of ours listens to `/panel/live` and puts in what changed; without
//! it the page is the same, as it was when it was loaded.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, HOST, LOCATION, REFERRER_POLICY,
    SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream::{self, Stream};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::services::Shop;
use crate::services::access::{KeyRing, Role};

mod html;
mod parts;

use parts::Parts;

/// Screens that are kept alive at once.
const SCREENS_MAX: usize = 64;
/// How often a screen is looked after. The page calls itself stale after five seconds of silence.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After this many looks without a change something is sent all the same.
const QUIET_LOOKS_MAX: u32 = 2;
/// How long a browser keeps its key: a screen on a wall is set up once.
const COOKIE_SECONDS: u32 = 400 * 24 * 3600;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// What the page is made from. Cheap to clone.
#[derive(Clone)]
pub struct PanelState {
    shop: Shop,
    keys: KeyRing,
    open: bool,
    shutdown: CancellationToken,
    screens: Arc<Semaphore>,
}

impl PanelState {
    /// Ready to serve. `open`: whether it needs no key; only for a listener on the loopback interface. The token
    /// ends the live streams when the daemon stops.
    #[must_use]
    pub fn new(shop: Shop, keys: KeyRing, open: bool, shutdown: CancellationToken) -> Self {
        Self { shop, keys, open, shutdown, screens: Arc::new(Semaphore::new(SCREENS_MAX)) }
    }
}

/// `/`, its assets and its live stream. Merge it with `api::router`, which brings the answer for unknown
/// addresses.
pub fn router(state: PanelState) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/panel/live", get(live))
        .route("/assets/page.css", get(css))
        .route("/assets/page.js", get(js))
        .route("/assets/icon.svg", get(icon))
        .layer(middleware::from_fn(harden))
        .with_state(state)
}

/// What every answer says to the browser.
async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[derive(Deserialize)]
struct PageQuery {
    key: Option<String>,
}

async fn page(
    State(state): State<PanelState>,
    query: Result<Query<PageQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    if let Some(key) = query.ok().and_then(|Query(query)| query.key) {
        return admit(&state, &key);
    }
    if !may_look(&state, &headers) {
        return html(StatusCode::UNAUTHORIZED, parts::refusal());
    }
    match parts::read(&state).await {
        Ok(parts) => html(StatusCode::OK, parts::page(&state, &parts)),
        Err(failure) => {
            tracing::error!(error = %failure, "the panel can't be shown");
            html(StatusCode::INTERNAL_SERVER_ERROR, parts::refusal())
        }
    }
}

/// Gives a browser its cookie and takes the key out of its address line.
fn admit(state: &PanelState, key: &str) -> Response {
    let cookie = format!("{COOKIE_NAME}={key}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Strict");
    match HeaderValue::try_from(cookie) {
        Ok(cookie) if is_good(state, key) => {
            let to_page = HeaderValue::from_static("/");
            (StatusCode::SEE_OTHER, [(SET_COOKIE, cookie), (LOCATION, to_page)]).into_response()
        }
        _ => html(StatusCode::UNAUTHORIZED, parts::refusal()),
    }
}

const COOKIE_NAME: &str = "sprue_key";

fn may_look(state: &PanelState, headers: &HeaderMap) -> bool {
    if state.open && is_addressed_directly(headers) {
        return true;
    }
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().strip_prefix(COOKIE_NAME)?.strip_prefix('='))
        .any(|key| is_good(state, key))
}

fn is_good(state: &PanelState, key: &str) -> bool {
    state.keys.check(key).is_some_and(|principal| match principal.role {
        Role::Technician | Role::Manager | Role::Admin | Role::Display => true,
        Role::OrderSystem => false,
    })
}

/// Whether the address line holds `localhost` or an IP address. A page of the web that points a name of its own
/// at this machine (DNS rebinding) doesn't get past this.
fn is_addressed_directly(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else { return false };
    let Ok(authority) = host.parse::<http::uri::Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

async fn css() -> Response {
    asset("text/css; charset=utf-8", include_str!("panel/page.css"))
}

async fn js() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("panel/page.js"))
}

async fn icon() -> Response {
    asset("image/svg+xml", include_str!("panel/icon.svg"))
}

fn asset(content_type: &'static str, text: &'static str) -> Response {
    // Asked for again after an update of sprue; there is nothing to gain on a local network.
    ([(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-cache")], text).into_response()
}

fn html(status: StatusCode, text: String) -> Response {
    (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
}

async fn live(State(state): State<PanelState>, headers: HeaderMap) -> Response {
    if !may_look(&state, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(permit) = state.screens.clone().try_acquire_owned() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let screen = Screen { state, headers, shown: Parts::new(), is_first: true, _permit: permit };
    let unbuffered = (HeaderName::from_static("x-accel-buffering"), "no");
    ([(CACHE_CONTROL, "no-store"), unbuffered], Sse::new(stream_of(screen))).into_response()
}

/// One browser that shows the page.
struct Screen {
    state: PanelState,
    headers: HeaderMap,
    shown: Parts,
    is_first: bool,
    _permit: OwnedSemaphorePermit,
}

fn stream_of(screen: Screen) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(screen, |mut screen| async move { screen.next().await.map(|event| (Ok(event), screen)) })
}

impl Screen {
    /// The parts that changed; none, now and then, as a sign of life. `None` ends the stream.
    async fn next(&mut self) -> Option<Event> {
        let mut quiet_looks = 0;
        loop {
            if !std::mem::take(&mut self.is_first) && !self.wait().await {
                return None;
            }
            // A key that was revoked meanwhile shows nothing more.
            if !may_look(&self.state, &self.headers) {
                return None;
            }
            let parts = parts::read(&self.state).await.ok()?;
            let is_new = |(name, part): &(&&'static str, &String)| self.shown.get(*name) != Some(*part);
            let changed: Parts =
                parts.iter().filter(is_new).map(|(name, part)| (*name, part.clone())).collect();
            quiet_looks += 1;
            if !changed.is_empty() || quiet_looks >= QUIET_LOOKS_MAX {
                self.shown = parts;
                return Some(Event::default().event("parts").data(serde_json::to_string(&changed).ok()?));
            }
        }
    }

    async fn wait(&self) -> bool {
        tokio::select! {
            () = self.state.shutdown.cancelled() => false,
            () = tokio::time::sleep(LOOK_EVERY) => true,
        }
    }
}
