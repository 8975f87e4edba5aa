//! Where in a file something is wrong.

use std::fmt;

/// Something in a file that can't be used: `file:line:column: text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it was named.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong, and what to write instead.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.text)
    }
}

/// The problems of one file, while it is read.
pub(super) struct Report<'a> {
    file: String,
    text: &'a str,
    /// In the order in which they were found.
    pub(super) problems: Vec<Problem>,
}

impl<'a> Report<'a> {
    pub(super) fn new(file: String, text: &'a str) -> Self {
        Self { file, text, problems: Vec::new() }
    }

    /// Notes a problem at a byte of the text.
    pub(super) fn add(&mut self, at: usize, text: impl Into<String>) {
        let (line, column) = line_and_column(self.text, at);
        self.problems.push(Problem { file: self.file.clone(), line, column, text: text.into() });
    }

    /// Notes what the TOML reader says.
    pub(super) fn add_toml(&mut self, error: &toml::de::Error) {
        let at = error.span().map_or(0, |span| span.start);
        self.add(at, error.message().replace('\n', ", "));
    }
}

/// A problem with a file that can't be read at all.
pub(super) fn unreadable(file: String, reason: &std::io::Error) -> Problem {
    let text = format!("this file can't be read ({reason}); check the path and the permissions");
    Problem { file, line: 1, column: 1, text }
}

fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line, column)
}
