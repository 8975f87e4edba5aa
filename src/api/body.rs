//! Reads what a caller sends: whole but bounded, and then member by member, so that everything that is wrong is
//! said at once and with its JSON pointer. Unknown members are left alone.

use axum::body::{Body, to_bytes};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use bytes::Bytes;
use serde_json::{Map, Value};

use super::Problem;
use crate::finding::Finding;
use crate::units::Timestamp;

/// Largest body of a request that is no order and no design: a few words and recorded values.
pub(super) const SMALL_BODY_BYTES_MAX: u64 = 64 << 10;

/// The whole body, if it is no longer than `limit_bytes`.
pub(super) async fn collect(headers: &HeaderMap, body: Body, limit_bytes: u64) -> Result<Bytes, Problem> {
    if declared_bytes(headers)?.is_some_and(|bytes| bytes > limit_bytes) {
        return Err(Problem::too_large("the body", limit_bytes));
    }
    let limit = usize::try_from(limit_bytes).unwrap_or(usize::MAX);
    to_bytes(body, limit).await.map_err(|failure| {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&failure);
        while let Some(error) = cause {
            if error.is::<http_body_util::LengthLimitError>() {
                return Problem::too_large("the body", limit_bytes);
            }
            cause = error.source();
        }
        Problem::bad_request("UPLOAD_BROKEN", "the body broke off; send it again")
    })
}

/// What `Content-Length` says.
pub(super) fn declared_bytes(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(CONTENT_LENGTH) else { return Ok(None) };
    let bytes = value.to_str().ok().and_then(|text| text.parse().ok());
    bytes.map(Some).ok_or_else(|| Problem::bad_request("LENGTH_UNREADABLE", "Content-Length is no number"))
}

/// The body as a JSON object.
pub(super) fn parse(headers: &HeaderMap, bytes: &[u8]) -> Result<Value, Problem> {
    check_is_json(headers)?;
    let value: Value = serde_json::from_slice(bytes).map_err(|failure| {
        let detail = format!("the body is no JSON: {failure}");
        Problem::bad_request("JSON_UNREADABLE", detail)
    })?;
    if value.is_object() {
        return Ok(value);
    }
    Err(Problem::invalid(vec![Finding::error("TYPE_WRONG", "", "the body must be a JSON object")]))
}

/// A small JSON object; an empty body counts as an empty one.
pub(super) async fn small(headers: &HeaderMap, body: Body) -> Result<Value, Problem> {
    let bytes = collect(headers, body, SMALL_BODY_BYTES_MAX).await?;
    if bytes.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    parse(headers, &bytes)
}

fn check_is_json(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let kind = value.to_str().unwrap_or("").split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if kind == "application/json" || kind.ends_with("+json") {
        return Ok(());
    }
    let status = http::StatusCode::UNSUPPORTED_MEDIA_TYPE;
    Err(Problem::new(status, "MEDIA_TYPE", "send JSON with `Content-Type: application/json`"))
}

/// One JSON object while it is read, with the pointer to it.
pub(super) struct Members<'v> {
    map: &'v Map<String, Value>,
    pointer: String,
}

/// What is wrong with a body so far.
#[derive(Debug, Default)]
pub(super) struct Report(pub(super) Vec<Finding>);

impl Report {
    /// The problem, if anything is wrong.
    pub(super) fn done(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::invalid(self.0)) }
    }

    pub(super) fn wrong_type(&mut self, place: String, wanted: &str) {
        self.0.push(Finding::error("TYPE_WRONG", place, format!("this must be {wanted}")));
    }

    fn missing(&mut self, place: String, wanted: &str) {
        self.0.push(Finding::error("MEMBER_MISSING", place, format!("this is missing; add {wanted}")));
    }
}

impl<'v> Members<'v> {
    /// The members of the body itself.
    pub(super) fn of_body(value: &'v Value) -> Option<Self> {
        value.as_object().map(|map| Self { map, pointer: String::new() })
    }

    /// The members of a value at a place.
    pub(super) fn of(value: &'v Value, pointer: String, report: &mut Report) -> Option<Self> {
        let Some(map) = value.as_object() else {
            report.wrong_type(pointer, "an object");
            return None;
        };
        Some(Self { map, pointer })
    }

    /// The pointer to a member.
    pub(super) fn place(&self, name: &str) -> String {
        format!("{}/{name}", self.pointer)
    }

    /// A member that is there and not null.
    pub(super) fn get(&self, name: &str) -> Option<&'v Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// A text that must be there; empty if it isn't.
    pub(super) fn text(&self, name: &str, report: &mut Report) -> String {
        if self.get(name).is_none() {
            report.missing(self.place(name), "a text");
        }
        self.text_if_any(name, report).unwrap_or_default()
    }

    /// A text that may be missing.
    pub(super) fn text_if_any(&self, name: &str, report: &mut Report) -> Option<String> {
        let value = self.get(name)?;
        let text = value.as_str().map(str::to_owned);
        if text.is_none() {
            report.wrong_type(self.place(name), "a text");
        }
        text
    }

    /// A text, or a number written as one.
    pub(super) fn text_or_number(&self, name: &str, report: &mut Report) -> String {
        match self.get(name) {
            Some(Value::Number(number)) => number.to_string(),
            Some(_) | None => self.text(name, report),
        }
    }

    /// A time that must be there, with the text it was written as.
    pub(super) fn time(&self, name: &str, report: &mut Report) -> Option<(Timestamp, String)> {
        let before = report.0.len();
        let text = self.text(name, report);
        match Timestamp::parse(&text) {
            Ok(at) => Some((at, text)),
            Err(advice) => {
                if report.0.len() == before {
                    report.0.push(Finding::error("TIME_MALFORMED", self.place(name), advice));
                }
                None
            }
        }
    }

    /// A whole number of at least zero that may be missing.
    pub(super) fn whole(&self, name: &str, report: &mut Report) -> Option<u32> {
        let value = self.get(name)?;
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        if number.is_none() {
            report.wrong_type(self.place(name), "a whole number from 0 up");
        }
        number
    }

    /// A number that must be there.
    pub(super) fn number(&self, name: &str, report: &mut Report) -> Option<f64> {
        match self.get(name) {
            None => report.missing(self.place(name), "a number"),
            Some(value) => match value.as_f64() {
                Some(number) => return Some(number),
                None => report.wrong_type(self.place(name), "a number"),
            },
        }
        None
    }

    /// Yes or no; no if it is missing.
    pub(super) fn flag(&self, name: &str, report: &mut Report) -> bool {
        let Some(value) = self.get(name) else { return false };
        value.as_bool().unwrap_or_else(|| {
            report.wrong_type(self.place(name), "true or false");
            false
        })
    }

    /// A list that may be missing: then it is empty.
    pub(super) fn list(&self, name: &str, report: &mut Report) -> &'v [Value] {
        match self.get(name) {
            None => &[],
            Some(Value::Array(items)) => items,
            Some(_) => {
                report.wrong_type(self.place(name), "a list");
                &[]
            }
        }
    }

    /// A list that must be there.
    pub(super) fn list_required(&self, name: &str, report: &mut Report) -> &'v [Value] {
        if self.get(name).is_none() {
            report.missing(self.place(name), "a list");
        }
        self.list(name, report)
    }

    /// A list of texts that must be there; what isn't a text is left out.
    pub(super) fn texts(&self, name: &str, report: &mut Report) -> Vec<String> {
        let mut texts = Vec::new();
        for (index, item) in self.list_required(name, report).iter().enumerate() {
            match item.as_str() {
                Some(text) => texts.push(text.to_owned()),
                None => report.wrong_type(format!("{}/{index}", self.place(name)), "a text"),
            }
        }
        texts
    }
}
