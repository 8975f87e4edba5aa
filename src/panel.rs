//! The page on the wall: orders, stations, pieces, as they are now.

use axum::Router;
use tokio_util::sync::CancellationToken;

use crate::services::Shop;
use crate::services::access::KeyRing;

/// What the page is made from. Cheap to clone.
#[derive(Clone)]
pub struct PanelState {
    /// The use cases' world.
    pub shop: Shop,
    /// Who may look.
    pub keys: KeyRing,
    /// Whether it needs no key. Only for a listener on the loopback interface.
    pub open: bool,
    /// Ends the live streams when the daemon stops.
    pub shutdown: CancellationToken,
}

/// `/`, its assets and its live stream. Merge it with `api::router`, which brings the answer for unknown
/// addresses.
pub fn router(state: PanelState) -> Router {
    Router::new().with_state(state)
}
