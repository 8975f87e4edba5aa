//! One table of the shop file while it is read: hands out checked values with their place, remembers which keys
//! were asked for, and calls every other key a typo.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::place::Report;

/// A value and the byte where it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) at: usize,
}

pub(super) struct Section<'a> {
    table: &'a DeTable<'a>,
    /// Where the table starts.
    pub(super) at: usize,
    name: String,
    asked: Vec<&'static str>,
}

impl<'a> Section<'a> {
    pub(super) fn new(table: &'a DeTable<'a>, at: usize, name: impl Into<String>) -> Self {
        Self { table, at, name: name.into(), asked: Vec::new() }
    }

    /// The byte where the value of a key starts; the table's, if the key is absent.
    pub(super) fn place_of(&self, key: &str) -> usize {
        self.find(key).map_or(self.at, |value| value.span().start)
    }

    pub(super) fn text(&mut self, key: &'static str, report: &mut Report<'_>) -> Option<At<String>> {
        let value = self.get(key)?;
        let at = value.span().start;
        match value.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() => Some(At { value: text.to_owned(), at }),
            Some(_) => {
                report.add(at, format!("{key} must not be empty"));
                None
            }
            None => wrong_kind(report, at, key, "a text in quotes", value),
        }
    }

    pub(super) fn needed_text(&mut self, key: &'static str, report: &mut Report<'_>) -> Option<At<String>> {
        self.need(key, report);
        self.text(key, report)
    }

    /// A text, or a bare TOML date and time.
    pub(super) fn time(&mut self, key: &'static str, report: &mut Report<'_>) -> Option<At<String>> {
        self.need(key, report);
        let value = self.get(key)?;
        let at = value.span().start;
        let bare = value.get_ref().as_datetime().map(ToString::to_string);
        let text = bare.or_else(|| value.get_ref().as_str().map(str::to_owned));
        text.map(|value| At { value, at })
            .or_else(|| wrong_kind(report, at, key, "a time like 2026-12-18T17:00:00Z", value))
    }

    pub(super) fn whole(
        &mut self,
        key: &'static str,
        (min, max): (i64, i64),
        report: &mut Report<'_>,
    ) -> Option<At<i64>> {
        let value = self.get(key)?;
        let at = value.span().start;
        let number =
            value.get_ref().as_integer().and_then(|n| i64::from_str_radix(n.as_str(), n.radix()).ok());
        match number {
            Some(number) if (min..=max).contains(&number) => Some(At { value: number, at }),
            Some(number) => {
                report
                    .add(at, format!("{key} = {number} is out of range; write a number from {min} to {max}"));
                None
            }
            None => wrong_kind(report, at, key, "a whole number", value),
        }
    }

    pub(super) fn needed_whole(
        &mut self,
        key: &'static str,
        range: (i64, i64),
        report: &mut Report<'_>,
    ) -> Option<At<i64>> {
        self.need(key, report);
        self.whole(key, range, report)
    }

    pub(super) fn needed_number(&mut self, key: &'static str, report: &mut Report<'_>) -> Option<At<f64>> {
        self.need(key, report);
        self.number(key, report)
    }

    pub(super) fn number(&mut self, key: &'static str, report: &mut Report<'_>) -> Option<At<f64>> {
        let value = self.get(key)?;
        let at = value.span().start;
        let whole = value.get_ref().as_integer().map(|n| n.as_str().to_owned());
        let text = whole.or_else(|| value.get_ref().as_float().map(|n| n.as_str().to_owned()));
        match text.and_then(|text| text.parse::<f64>().ok()) {
            Some(number) => Some(At { value: number, at }),
            None => wrong_kind(report, at, key, "a number", value),
        }
    }

    pub(super) fn flag(&mut self, key: &'static str, report: &mut Report<'_>) -> Option<bool> {
        let value = self.get(key)?;
        let flag = value.get_ref().as_bool();
        flag.or_else(|| wrong_kind(report, value.span().start, key, "true or false", value))
    }

    /// The texts of an array; `None` if the key is absent.
    pub(super) fn texts(&mut self, key: &'static str, report: &mut Report<'_>) -> Option<Vec<At<String>>> {
        let value = self.get(key)?;
        let Some(items) = value.get_ref().as_array() else {
            return wrong_kind(report, value.span().start, key, "a list of texts like [\"a\", \"b\"]", value);
        };
        let mut texts = Vec::new();
        for item in items.iter() {
            let at = item.span().start;
            match item.get_ref().as_str() {
                Some(text) => texts.push(At { value: text.to_owned(), at }),
                None => report.add(at, format!("{key} must hold texts in quotes")),
            }
        }
        Some(texts)
    }

    pub(super) fn table(&mut self, key: &'static str, report: &mut Report<'_>) -> Option<Section<'a>> {
        let value = self.get(key)?;
        let at = value.span().start;
        match value.get_ref().as_table() {
            Some(table) => Some(Section::new(table, at, format!("[{key}]"))),
            None => wrong_kind(report, at, key, &format!("a table, [{key}]"), value),
        }
    }

    pub(super) fn tables(&mut self, key: &'static str, report: &mut Report<'_>) -> Vec<Section<'a>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let items = value.get_ref().as_array().map(|array| array.iter().collect::<Vec<_>>());
        let wanted = format!("tables, each opened by [[{key}]]");
        let Some(items) = items else {
            let _: Option<()> = wrong_kind(report, value.span().start, key, &wanted, value);
            return Vec::new();
        };
        let mut sections = Vec::new();
        for item in items {
            let at = item.span().start;
            match item.get_ref().as_table() {
                Some(table) => sections.push(Section::new(table, at, format!("[[{key}]]"))),
                None => report.add(at, format!("{key} must be {wanted}")),
            }
        }
        sections
    }

    /// Calls every key that nobody asked for a typo. Last call on a section.
    pub(super) fn finish(self, report: &mut Report<'_>) {
        for (key, _) in self.table.iter() {
            if !self.asked.iter().any(|asked| *asked == key.get_ref().as_ref()) {
                let expected = self.asked.join(", ");
                let text = format!("unknown key \"{}\" in {}; expected {expected}", key.get_ref(), self.name);
                report.add(key.span().start, text);
            }
        }
    }

    fn need(&mut self, key: &'static str, report: &mut Report<'_>) {
        if self.find(key).is_none() {
            report.add(self.at, format!("{} needs the key \"{key}\"", self.name));
        }
    }

    fn get(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        self.find(key)
    }

    fn find(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.table.iter().find(|(name, _)| name.get_ref().as_ref() == key).map(|(_, value)| value)
    }
}

fn wrong_kind<T>(
    report: &mut Report<'_>,
    at: usize,
    key: &str,
    wanted: &str,
    value: &Spanned<DeValue<'_>>,
) -> Option<T> {
    report.add(at, format!("{key} must be {wanted}, this is {}", value.get_ref().type_str()));
    None
}
