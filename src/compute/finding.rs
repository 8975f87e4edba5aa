//! What a check noticed about a mesh, a plate, a plan or an order. Findings are results, not errors.

use serde::{Deserialize, Serialize};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know; nothing to do.
    Note,
    /// The work can go on; a person should look.
    Warning,
    /// The work can't go on as it is.
    Error,
}

impl Severity {
    /// The word that is printed and sent.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// One thing that a check noticed.
///
/// `code` is stable (`UPPER_SNAKE`) and may be matched by programs; `text` is a sentence for a person that
/// says what is wrong **and what to do**; `place` says where: a JSON pointer, a triangle, a point in mm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Stable code.
    pub code: String,
    /// What is wrong, and what to do.
    pub text: String,
    /// Where.
    pub place: String,
}

impl Finding {
    /// A finding that stops the work.
    pub fn error(code: &str, place: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, place, text)
    }

    /// A finding that a person should look at.
    pub fn warning(code: &str, place: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, place, text)
    }

    /// A finding that is good to know.
    pub fn note(code: &str, place: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, place, text)
    }

    fn new(severity: Severity, code: &str, place: impl Into<String>, text: impl Into<String>) -> Self {
        Self { severity, code: code.to_owned(), text: text.into(), place: place.into() }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}: {}", self.severity.word(), self.code, self.place, self.text)
    }
}

/// Whether any finding stops the work.
#[must_use]
pub fn any_error(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Error)
}
