//! What a caller hears when something can't be done: RFC 9457 `application/problem+json`.

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::finding::Finding;
use crate::services::{Error, with_causes};

/// A refusal or failure, as it is sent.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// Stable name of the kind: `urn:sprue:problem:` and `code` in lower case.
    #[serde(rename = "type")]
    #[schema(example = "urn:sprue:problem:invalid")]
    pub problem_type: String,
    /// The kind in words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong with this request, and what to do.
    pub detail: String,
    /// Stable code of the kind, for programs.
    pub code: &'static str,
    /// Everything that is wrong with what was sent, each with its place.
    #[schema(value_type = Vec<super::views::FindingView>)]
    pub findings: Vec<Finding>,
    /// Seconds after which a repeat makes sense.
    #[serde(skip)]
    pub retry_after_s: Option<u32>,
}

impl Problem {
    /// A problem of a kind; the title is the status in words.
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            problem_type: format!("urn:sprue:problem:{}", code.to_ascii_lowercase().replace('_', "-")),
            title: status.canonical_reason().unwrap_or("Problem"),
            status: status.as_u16(),
            detail: detail.into(),
            code,
            findings: Vec::new(),
            retry_after_s: None,
        }
    }

    /// The request can't be read at all.
    pub(super) fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// There is no such thing, or the caller may not know that there is.
    pub(super) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", format!("there is no {what}"))
    }

    /// The request was read and can't be followed.
    pub(super) fn invalid(findings: Vec<Finding>) -> Self {
        let texts: Vec<&str> = findings.iter().map(|finding| finding.text.as_str()).collect();
        let detail = texts.join("; ");
        Self { findings, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "INVALID", detail) }
    }

    /// More was sent than is taken in.
    pub(super) fn too_large(what: &str, limit_bytes: u64) -> Self {
        let detail = format!("{what} is larger than {limit_bytes} bytes; GET /api/v1/limits says what fits");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "TOO_LARGE", detail)
    }

    /// No key, or one that isn't known.
    pub(super) fn unauthorized(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", detail)
    }

    /// A known key that may not do this.
    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", detail)
    }

    /// Something broke; what, stands in the log alone.
    pub(super) fn internal() -> Self {
        let detail = "something broke in sprue; nothing was changed, the log says more";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", detail)
    }

    fn in_a_moment(self) -> Self {
        Self { retry_after_s: Some(1), ..self }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::NotFound { .. } => Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", detail),
            Error::Invalid(findings) => Self::invalid(findings),
            Error::Conflict { .. } => Self::new(StatusCode::CONFLICT, "CONFLICT", detail),
            Error::TooLarge { what, limit_bytes } => Self::too_large(what, limit_bytes),
            Error::NoSpace { .. } => Self::new(StatusCode::INSUFFICIENT_STORAGE, "NO_SPACE", detail),
            Error::KeyReused => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "KEY_REUSED", detail),
            Error::InProgress => Self::new(StatusCode::CONFLICT, "IN_PROGRESS", detail).in_a_moment(),
            Error::UploadBroken => Self::bad_request("UPLOAD_BROKEN", detail),
            error @ (Error::Store(_) | Error::Keys(_) | Error::Compute { .. }) => {
                tracing::error!(error = with_causes(&error), "a request failed");
                Self::internal()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after_s;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"sprue\""));
        }
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
