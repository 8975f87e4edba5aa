//! Folds the journal from zero and compares the result with the tables: proof that every change of the
//! present came from a recorded event, and that nobody touched either.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use serde::Serialize;

use super::{Error, Rows, journal, journal_path, open_reader, project, schema};
use crate::shop::event::Event;
use crate::units::Timestamp;

/// The tables that follow from events, with the column that names a row.
const FOLDED: &[(&str, &str)] = &[
    ("designs", "id"),
    ("orders", "id"),
    ("pieces", "id"),
    ("plates", "id"),
    ("operations", "id"),
    ("operation_pieces", "piece, operation"),
    ("operation_lots", "label, operation"),
    ("plans", "id"),
    ("stations", "id"),
    ("webhooks", "id"),
    ("lots", "id"),
    ("metal_entries", "id"),
    ("metal_balances", "id"),
    ("notices", "seq"),
];

/// What the comparison found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Journal lines that were folded.
    pub events: i64,
    /// What doesn't agree, in words; empty if all is well.
    pub differences: Vec<String>,
}

/// Reads a data directory and compares. Changes nothing; works while the daemon runs.
///
/// # Errors
/// `Error::Open` if there is no journal; otherwise differences are reported, not raised.
pub fn verify(data_dir: &Path) -> Result<Report, Error> {
    let mut live = open_reader(&journal_path(data_dir))?;
    let live = live.transaction()?;
    let mut scratch = Connection::open_in_memory()?;
    schema::prepare_scratch(&mut scratch)?;
    let scratch = scratch.transaction()?;

    let mut report = Report { events: 0, differences: Vec::new() };
    fold(&live, &scratch, &mut report)?;
    if report.differences.is_empty() {
        for (table, key) in FOLDED {
            compare(&live, &scratch, table, key, &mut report)?;
        }
    }
    Ok(report)
}

fn fold(live: &Connection, scratch: &Connection, report: &mut Report) -> Result<(), Error> {
    let rows = Rows(scratch);
    let (mut chain, mut notice_seq) = ([0_u8; 32], 0_i64);
    let mut statement = live.prepare("SELECT seq, at, actor, body, chain FROM journal ORDER BY seq")?;
    let mut lines = statement.query([])?;
    while let Some(line) = lines.next()? {
        let seq: i64 = line.get(0)?;
        let (at, actor, body) =
            (Timestamp(line.get(1)?), line.get::<_, String>(2)?, line.get::<_, String>(3)?);
        report.events += 1;
        chain = journal::link(&chain, seq, at, &actor, &body);
        if seq != report.events || chain != line.get::<_, [u8; 32]>(4)? {
            report
                .differences
                .push(format!("journal line {seq} was altered, or a line before it is missing"));
            return Ok(());
        }
        match fold_line(&rows, seq, at, &actor, &body, &mut notice_seq) {
            Ok(()) => {}
            Err(failure) => {
                report.differences.push(format!("journal line {seq} can't be applied: {failure}"));
                return Ok(());
            }
        }
    }
    Ok(())
}

fn fold_line(
    rows: &Rows<'_>,
    seq: i64,
    at: Timestamp,
    actor: &str,
    body: &str,
    notice_seq: &mut i64,
) -> Result<(), Error> {
    let event: Event =
        serde_json::from_str(body).map_err(|source| Error::ReadRow { table: "journal", source })?;
    for mut notice in project::apply(rows, actor, at, &event)? {
        *notice_seq += 1;
        notice.data.seq = *notice_seq;
        rows.insert_notice(seq, &notice)?;
    }
    Ok(())
}

fn compare(
    live: &Connection,
    scratch: &Connection,
    table: &str,
    key: &str,
    report: &mut Report,
) -> Result<(), Error> {
    let query = format!("SELECT * FROM {table} ORDER BY {key}");
    let (mut left, mut right) = (live.prepare(&query)?, scratch.prepare(&query)?);
    let (mut left, mut right) = (left.query([])?, right.query([])?);
    loop {
        match (left.next()?, right.next()?) {
            (None, None) => return Ok(()),
            (Some(row), None) => {
                report.differences.push(format!("{table}: row {} has no event", name(row)?));
                return Ok(());
            }
            (None, Some(row)) => {
                report.differences.push(format!("{table}: row {} is missing", name(row)?));
                return Ok(());
            }
            (Some(a), Some(b)) => {
                if !same(a, b)? {
                    let text = format!("{table}: row {} differs from what its events say", name(a)?);
                    report.differences.push(text);
                    return Ok(());
                }
            }
        }
    }
}

fn same(a: &Row<'_>, b: &Row<'_>) -> Result<bool, Error> {
    for column in 0..a.as_ref().column_count() {
        if a.get_ref(column)? != b.get_ref(column)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn name(row: &Row<'_>) -> Result<String, Error> {
    Ok(match row.get_ref(0)? {
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => "?".to_owned(),
    })
}
