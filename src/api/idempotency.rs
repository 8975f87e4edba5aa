//! The `Idempotency-Key` of a request, and which requests are being worked on.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderMap;

use super::Problem;
use crate::services::Error;

/// Characters in a key (draft-ietf-httpapi-idempotency-key-header-07 sets none; a UUID has 36).
const KEY_CHARS_MAX: usize = 255;

/// Reads the key: a structured-field string in quotes, or the bare text.
pub(super) fn key(headers: &HeaderMap) -> Result<String, Problem> {
    let mut values = headers.get_all("idempotency-key").iter();
    let advice =
        "send one `Idempotency-Key` of 1 to 255 printable characters, a fresh UUID for each new request";
    let bad = || Problem::bad_request("IDEMPOTENCY_KEY", advice);
    let (Some(value), None) = (values.next(), values.next()) else { return Err(bad()) };
    let text = value.to_str().map_err(|_| bad())?.trim();
    let key = if text.starts_with('"') { unquote(text).ok_or_else(bad)? } else { text.to_owned() };
    let fits = (1..=KEY_CHARS_MAX).contains(&key.len()) && key.bytes().all(|b| (0x20..0x7f).contains(&b));
    if fits { Ok(key) } else { Err(bad()) }
}

/// The content of a structured-field string (RFC 8941, 3.3.3).
fn unquote(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"').filter(|_| text.len() >= 2)?;
    let mut key = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => key.push(chars.next().filter(|next| matches!(next, '"' | '\\'))?),
            '"' => return None,
            other => key.push(other),
        }
    }
    Some(key)
}

/// Marks a request as being worked on until it is dropped.
#[derive(Debug)]
pub(super) struct InFlight {
    all: Arc<Mutex<BTreeSet<(String, String)>>>,
    this: (String, String),
}

impl InFlight {
    /// Enters a request, or says that the same one is under way.
    pub(super) fn enter(
        all: &Arc<Mutex<BTreeSet<(String, String)>>>,
        principal: &str,
        key: &str,
    ) -> Result<Self, Error> {
        let this = (principal.to_owned(), key.to_owned());
        if !all.lock().unwrap_or_else(PoisonError::into_inner).insert(this.clone()) {
            return Err(Error::InProgress);
        }
        Ok(Self { all: all.clone(), this })
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.this);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("idempotency-key", value.parse().unwrap());
        }
        key(&headers).ok()
    }

    #[test]
    fn a_key_is_the_same_in_quotes_and_bare() {
        assert_eq!(read(&["abc-1"]).as_deref(), Some("abc-1"));
        assert_eq!(read(&["\"abc-1\""]).as_deref(), Some("abc-1"));
        assert_eq!(read(&[r#""a\"b\\""#]).as_deref(), Some(r#"a"b\"#));
    }

    #[test]
    fn none_two_empty_long_and_broken_keys_are_refused() {
        let long = "x".repeat(256);
        for values in
            [&[][..], &["a", "b"], &[""], &["\"\""], &["\""], &["\"a"], &["\"a\"b\""], &[long.as_str()]]
        {
            assert_eq!(read(values), None, "{values:?}");
        }
    }
}
