//! Brings a database to the schema this program knows.

use rusqlite::Connection;

use super::Error;

/// Applied in order, each in one transaction; `user_version` counts them. A released step is never changed.
const STEPS: &[&str] = &[
    include_str!("schema/0001_create_tables.sql"),
    include_str!("schema/0002_create_lots_and_metal.sql"),
    include_str!("schema/0003_create_traces.sql"),
    // The next step goes here: schema/0004_verb_noun.sql
];

/// Sets the durability that a workshop's record needs, then applies the missing steps.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), Error> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    // FULL: a commit is on the disk before anybody is told. Without it a power cut may take acknowledged orders.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "cache_size", -16_000)?;
    // 32 MB of log before it is folded into the database: the pause of that falls on one order in thousands.
    connection.pragma_update(None, "wal_autocheckpoint", 8_000)?;
    connection.set_prepared_statement_cache_capacity(64);
    apply_steps(connection)
}

/// Creates the tables in an empty in-memory database, to fold into.
pub(super) fn prepare_scratch(connection: &mut Connection) -> Result<(), Error> {
    connection.set_prepared_statement_cache_capacity(64);
    apply_steps(connection)
}

fn apply_steps(connection: &mut Connection) -> Result<(), Error> {
    let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = u32::try_from(STEPS.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(Error::Newer { found, known });
    }
    for (version, step) in (found + 1..).zip(STEPS.iter().skip(found as usize)) {
        let tx = connection.transaction()?;
        tx.execute_batch(step)?;
        tx.pragma_update(None, "user_version", version)?;
        tx.commit()?;
    }
    Ok(())
}
