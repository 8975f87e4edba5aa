//! Remembers: the journal, the state tables, the outbox and the blobs. The only module that knows SQL and the
//! data directory.
//!
//! One writer thread owns the writing connection and commits in groups: what waits is written in one
//! transaction and synced once, each piece of work behind a savepoint of its own. Readers have their own
//! read-only connections. Every write goes through `Store::transact`, and every change of a state table
//! follows from an event that the same transaction appends to the journal.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{mpsc, oneshot, watch};

use crate::clock::Clock;
use crate::ids::IdSource;

pub mod blobs;
mod deliveries;
pub mod fold;
mod idempotency;
mod journal;
pub mod keys;
mod lots;
mod project;
mod rows;
mod schema;
pub mod signing;
mod trace;
mod writer;

pub use blobs::Blobs;
pub use deliveries::{Attempt, Delivery, DeliveryRow, Outcome};
pub use idempotency::Answer;
pub use rows::{OrderFilter, Rows};
pub use trace::HistoryLine;
pub use writer::Tx;

/// What went wrong in the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database can't be opened.
    #[error("can't open the journal {path}; check that the disk is mounted and may be written")]
    Open {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The database was written by a newer version.
    #[error("the journal has schema {found}, this program knows {known}; use the newer program")]
    Newer {
        /// What was found.
        found: u32,
        /// What is known here.
        known: u32,
    },
    /// A statement failed.
    #[error("the journal database refused a statement")]
    Statement(#[from] rusqlite::Error),
    /// A row can't be read back.
    #[error("a stored row of {table} can't be read")]
    ReadRow {
        /// Its table.
        table: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// A value can't be stored.
    #[error("a value for {table} can't be written")]
    WriteRow {
        /// Its table.
        table: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// An event names something that isn't there: a bug in the caller.
    #[error("an event names {subject}, which does not exist")]
    Dangling {
        /// What it names.
        subject: String,
    },
    /// An event asks an operation for what it can't do: a bug in the caller.
    #[error("an event can't be applied")]
    Apply(#[from] crate::shop::operation::Refusal),
    /// The group could not be committed; nothing of it is stored.
    #[error("the journal could not be written; nothing was stored")]
    Commit(#[source] Arc<rusqlite::Error>),
    /// A blob can't be written.
    #[error("can't write {path}; check the disk")]
    WriteBlob {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A blob can't be read.
    #[error("can't read {path}; the data directory is damaged, restore a backup")]
    ReadBlob {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The writer thread has ended.
    #[error("the store is shut down")]
    Closed,
    /// The operating system gives no randomness for ids.
    #[error("the operating system gives no random numbers")]
    Random(#[from] getrandom::Error),
}

/// The store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    work: mpsc::Sender<writer::Work>,
    readers: Arc<Readers>,
    blobs: Blobs,
    notices: watch::Receiver<i64>,
    data_dir: Arc<PathBuf>,
}

struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Store {
    /// Opens the data directory, creating what is missing, and starts the writer thread.
    ///
    /// # Errors
    /// `Error::Open`, `Error::Newer`, `Error::WriteBlob`.
    pub fn open(data_dir: &Path, clock: Clock, ids: IdSource) -> Result<Self, Error> {
        let blobs = Blobs::open(data_dir)?;
        let path = journal_path(data_dir);
        let mut connection =
            Connection::open(&path).map_err(|source| Error::Open { path: path.clone(), source })?;
        schema::prepare(&mut connection)?;
        let last_notice = Rows(&connection).last_notice()?;
        let (notices_sender, notices) = watch::channel(last_notice);
        let work = writer::spawn(connection, clock, ids, notices_sender)?;
        let readers = Arc::new(Readers { path, idle: Mutex::new(Vec::new()) });
        Ok(Self { work, readers, blobs, notices, data_dir: Arc::new(data_dir.to_owned()) })
    }

    /// Runs one use case in one transaction. What it records is durable when this returns `Ok`; if it returns
    /// an error, nothing of it is stored.
    ///
    /// # Errors
    /// What the use case returns, or why the store can't.
    pub async fn transact<T, E, F>(&self, actor: &str, use_case: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let work = writer::Work::new(actor.to_owned(), use_case, reply);
        self.work.send(work).await.map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// Reads a consistent picture of the tables, off the async threads.
    ///
    /// # Errors
    /// What the query returns, or why the store can't.
    pub async fn read<T, E, F>(&self, query: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&Rows<'_>) -> Result<T, E> + Send + 'static,
    {
        let readers = self.readers.clone();
        let run = move || readers.with(query);
        tokio::task::spawn_blocking(run).await.map_err(|_| Error::Closed)?
    }

    /// The files.
    #[must_use]
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Where everything lies.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The number of the newest public notice; wakes its readers at each commit that adds one.
    #[must_use]
    pub fn newest_notice(&self) -> watch::Receiver<i64> {
        self.notices.clone()
    }

    /// Bytes that an ordinary user may still write where the data lies.
    ///
    /// # Errors
    /// `Error::ReadBlob` if the file system doesn't answer.
    pub fn free_bytes(&self) -> Result<u64, Error> {
        let stat = rustix::fs::statvfs(self.data_dir.as_path())
            .map_err(|errno| Error::ReadBlob { path: self.data_dir.to_path_buf(), source: errno.into() })?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

/// Where the database of a data directory lies.
#[must_use]
pub fn journal_path(data_dir: &Path) -> PathBuf {
    data_dir.join("journal.sqlite")
}

impl Readers {
    fn with<T, E: From<Error>>(&self, query: impl FnOnce(&Rows<'_>) -> Result<T, E>) -> Result<T, E> {
        let mut connection = self.take()?;
        let result = {
            let snapshot = connection.transaction().map_err(Error::from)?;
            query(&Rows(&snapshot))
        };
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        result
    }

    fn take(&self) -> Result<Connection, Error> {
        if let Some(connection) = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            return Ok(connection);
        }
        open_reader(&self.path)
    }
}

/// The shop time of the last thing recorded in a data directory; `None` where nothing was recorded yet.
///
/// # Errors
/// `Error::Open`, `Error::Statement`.
pub fn last_recorded(data_dir: &Path) -> Result<Option<crate::units::Timestamp>, Error> {
    let path = journal_path(data_dir);
    if !path.is_file() {
        return Ok(None);
    }
    Rows(&open_reader(&path)?).last_at()
}

/// A connection that can't write.
fn open_reader(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)
        .map_err(|source| Error::Open { path: path.to_owned(), source })?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}
