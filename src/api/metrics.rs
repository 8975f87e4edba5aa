//! Figures for a monitoring system, in OpenMetrics text. Labels are few and never name a piece or a customer.

use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::{ApiState, Problem};
use crate::services::query::{self, Counts, StationView};

/// How many requests were answered, by route and status.
#[derive(Debug, Clone, Default)]
pub(super) struct Requests(Family<RequestLabels, Counter>);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeviceLabel {
    device: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StationLabels {
    station: String,
    state: String,
}

/// What is known of a request before it is answered.
pub(super) struct Seen {
    method: String,
    route: String,
}

impl Seen {
    pub(super) fn of(request: &Request) -> Self {
        // The pattern, not the path: a path holds ids. Whoever invents methods or addresses makes one row.
        let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
        let method = match request.method().as_str() {
            known @ ("GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "OPTIONS" | "PATCH") => known,
            _ => "other",
        };
        Self { method: method.to_owned(), route: route.to_owned() }
    }
}

impl Requests {
    pub(super) fn count(&self, seen: Seen, status: StatusCode) {
        let labels = RequestLabels { method: seen.method, route: seen.route, status: status.as_u16() };
        self.0.get_or_create(&labels).inc();
    }
}

/// Figures for a monitoring system.
#[utoipa::path(get, path = "/metrics", tag = "system", responses(
    (status = 200, description = "OpenMetrics 1.0 text", body = String,
     content_type = "application/openmetrics-text"),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem)))]
pub(super) async fn metrics(State(state): State<ApiState>) -> Result<Response, Problem> {
    let counts = query::counts(&state.shop).await?;
    let stations = query::stations(&state.shop).await?;
    let free_bytes = state.shop.store.free_bytes().map_err(crate::services::Error::from)?;
    let mut registry = Registry::default();
    register_counts(&mut registry, counts);
    register_stations(&mut registry, &stations);
    let disk: Gauge = Gauge::default();
    disk.set(i64::try_from(free_bytes).unwrap_or(i64::MAX));
    registry.register_with_unit("sprue_disk_free", "Free where the data lies", Unit::Bytes, disk);
    let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("sprue_build", "The running program", build);
    registry.register("sprue_http_requests", "Answered requests", state.requests.0.clone());
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|_| Problem::internal())?;
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, content_type)], text).into_response())
}

fn register_counts(registry: &mut Registry, counts: Counts) {
    registry.register("sprue_orders", "Orders by state", by_state(counts.orders));
    registry.register("sprue_pieces", "Pieces by state", by_state(counts.pieces));
    let deliveries = by_state(counts.deliveries);
    registry.register("sprue_webhook_deliveries", "Webhook deliveries by state", deliveries);
    let lines: Gauge = Gauge::default();
    lines.set(counts.journal_lines);
    registry.register("sprue_journal_lines", "Lines in the journal", lines);
}

fn register_stations(registry: &mut Registry, stations: &[StationView]) {
    let (up, state): (Family<DeviceLabel, Gauge>, Family<StationLabels, Gauge>) = Default::default();
    for view in stations {
        let name = &view.station.name;
        if let Some(online) = view.is_online() {
            up.get_or_create(&DeviceLabel { device: name.clone() }).set(i64::from(online));
        }
        let labels = StationLabels { station: name.clone(), state: view.state_word().to_owned() };
        state.get_or_create(&labels).set(1);
    }
    registry.register("sprue_device_up", "Whether the device answers", up);
    registry.register("sprue_station_state", "The state of each station, as 1", state);
}

fn by_state(counts: Vec<(String, i64)>) -> Family<StateLabel, Gauge> {
    let family = Family::<StateLabel, Gauge>::default();
    for (state, count) in counts {
        family.get_or_create(&StateLabel { state }).set(count);
    }
    family
}
