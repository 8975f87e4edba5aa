//! The bytes of designs, streamed to the disk.

use std::time::Duration;

use axum::Json;
use axum::body::{Body, BodyDataStream};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use futures_util::StreamExt;

use super::access::Caller;
use super::body::declared_bytes;
use super::views::DesignView;
use super::{ApiState, Problem};
use crate::finding::Finding;
use crate::services::intake::{self, Stored};
use crate::shop::design::Sha256Hex;

/// Sends the bytes of a design.
///
/// The body is the file itself; what it is, is recognised from its bytes.
#[utoipa::path(put, path = "/api/v1/designs/{sha256}", tag = "designs",
    params(("sha256" = String, Path, description = "SHA-256 of the body, 64 hex digits")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream",
        description = "`model/stl`, `model/3mf` or `model/obj`"),
    responses(
        (status = 201, description = "Stored", body = DesignView),
        (status = 200, description = "Known already", body = DesignView),
        (status = 400, description = "UPLOAD_BROKEN", body = Problem),
        (status = 401, description = "UNAUTHORIZED", body = Problem),
        (status = 403, description = "FORBIDDEN", body = Problem),
        (status = 413, description = "TOO_LARGE", body = Problem),
        (status = 422, description = "INVALID: another hash, or no readable design", body = Problem),
        (status = 507, description = "NO_SPACE: the disk reserve is reached", body = Problem)))]
pub(super) async fn put(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(sha256): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<DesignView>), Problem> {
    let sha256 = Sha256Hex::parse(&sha256).ok_or_else(|| {
        let text = "the address names no SHA-256; write 64 hex digits";
        Problem::invalid(vec![Finding::error("HASH_MALFORMED", "/", text)])
    })?;
    let declared = declared_bytes(&headers)?;
    let limit = state.shop.workshop.limits.design_max_bytes;
    let mut stream = body.into_data_stream();
    if declared.is_some_and(|bytes| bytes > limit) {
        linger(stream, LINGER_BYTES_MAX).await;
        return Err(Problem::too_large("the design", limit));
    }
    match intake::put_design(&state.shop, &principal.name, sha256, declared, &mut stream).await {
        Ok(Stored::New(design)) => Ok((StatusCode::CREATED, Json(DesignView::of(design)))),
        Ok(Stored::Known(design)) => {
            linger(stream, design.bytes).await;
            Ok((StatusCode::OK, Json(DesignView::of(design))))
        }
        Err(refusal) => {
            linger(stream, LINGER_BYTES_MAX).await;
            Err(refusal.into())
        }
    }
}

/// What is still read of a design that is refused before its end.
const LINGER_BYTES_MAX: u64 = 16 << 20;
/// How long a sender may take for it.
const LINGER_TIME: Duration = Duration::from_secs(2);

/// Reads what a sender still sends, so that it hears the answer: a connection that is closed with unread bytes
/// is reset, and the answer is lost on the way. Bounded in bytes and time.
async fn linger(mut stream: BodyDataStream, bytes_max: u64) {
    let read = async {
        let mut left = bytes_max;
        while let Some(Ok(chunk)) = stream.next().await {
            let Some(less) = left.checked_sub(chunk.len() as u64) else { return };
            left = less;
        }
    };
    // Whoever is slower is closed on.
    let _ = tokio::time::timeout(LINGER_TIME, read).await;
}
