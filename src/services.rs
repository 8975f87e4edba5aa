//! Use cases: each public function decides and records in one transaction; effects on the world come only
//! after the commit.
//!
//! Four reconcilers (`prepare`, `plan`, `run`, `deliver`) are woken by a notify and by a timer, take no
//! arguments and do the same work either way, also after a restart.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::devices::fleet::Fleet;
use crate::finding::Finding;
use crate::shop::profile::Profiles;
use crate::shop::workshop::Workshop;
use crate::store::signing::Signer;
use crate::store::{self, Store};

pub mod access;
pub mod board;
pub mod compose;
pub mod events;
pub mod intake;
pub mod lots;
pub mod metal;
pub mod notify;
pub mod orders;
pub mod passport;
pub mod plan;
pub mod prepare;
pub mod query;
pub mod run;
pub mod slicing;
pub mod stations;
pub mod tasks;

/// What the use cases work with. Cheap to clone.
#[derive(Clone)]
pub struct Shop {
    /// The record.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// What is known of the outside world.
    pub profiles: Arc<Profiles>,
    /// What stands in this workshop.
    pub workshop: Arc<Workshop>,
    /// The devices.
    pub fleet: Arc<Fleet>,
    /// What wakes the reconcilers.
    pub wake: Arc<Wake>,
    /// The plan in force, with its place in the record.
    pub plan: Arc<plan::Current>,
    /// What the workshop signs with.
    pub signer: Arc<Signer>,
    /// At most one mesh is checked and one plate sliced at a time: both use every core they get.
    pub compute: Arc<tokio::sync::Semaphore>,
}

/// What wakes the reconcilers.
#[derive(Debug, Default)]
pub struct Wake {
    /// Pieces were received or sent back.
    pub prepare: Notify,
    /// Something changed that a plan depends on.
    pub plan: Notify,
    /// A plan was adopted, a station became free, a device said something.
    pub run: Notify,
    /// The outbox was filled.
    pub deliver: Notify,
}

impl Wake {
    /// Wakes whatever may have something to do after a change of the shop.
    pub fn all(&self) {
        self.prepare.notify_one();
        self.plan.notify_one();
        self.run.notify_one();
        self.deliver.notify_one();
    }
}

/// Why a use case was not done. Nothing of it is stored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing.
    #[error("there is no {what}")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// The request can't be followed; everything that is wrong with it, at once.
    #[error("{}", summary(.0))]
    Invalid(Vec<Finding>),
    /// The shop is in a state that forbids it.
    #[error("{reason}")]
    Conflict {
        /// Why, and what to do.
        reason: String,
    },
    /// More than this workshop takes in.
    #[error("{what} is larger than {limit_bytes} bytes")]
    TooLarge {
        /// What.
        what: &'static str,
        /// The limit.
        limit_bytes: u64,
    },
    /// The disk is nearly full.
    #[error("the disk reserve is reached ({free_bytes} bytes free); make room, running work goes on")]
    NoSpace {
        /// What is left.
        free_bytes: u64,
    },
    /// The same key came with another body.
    #[error("this Idempotency-Key was used with another body; use a new key for a new request")]
    KeyReused,
    /// The same request is being worked on.
    #[error("the first request with this Idempotency-Key is still in progress; repeat it in a moment")]
    InProgress,
    /// The sender broke off.
    #[error("the upload broke off; send it again")]
    UploadBroken,
    /// The record can't be read or written.
    #[error("the record can't be used now")]
    Store(#[from] store::Error),
    /// Keys and secrets can't be read or written.
    #[error("the keys can't be used now")]
    Keys(#[from] store::keys::Error),
    /// A computation ended without an answer: a bug, reported in the log.
    #[error("a computation failed")]
    Compute {
        /// What.
        what: &'static str,
    },
}

fn summary(findings: &[Finding]) -> String {
    let texts: Vec<String> = findings.iter().map(|finding| finding.text.clone()).collect();
    texts.join("; ")
}

/// An error with its causes, in one line.
#[must_use]
pub fn with_causes(failure: &dyn std::error::Error) -> String {
    let mut text = failure.to_string();
    let mut cause = failure.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

impl Error {
    /// Nothing by this id or name.
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into() }
    }

    /// Forbidden as things stand.
    pub fn conflict(reason: impl Into<String>) -> Self {
        Self::Conflict { reason: reason.into() }
    }
}

impl Shop {
    /// Refuses new work when the disk is nearly full, before anything is written.
    ///
    /// # Errors
    /// `Error::NoSpace`.
    pub fn check_space(&self) -> Result<(), Error> {
        let free_bytes = self.store.free_bytes()?;
        if free_bytes < self.workshop.limits.disk_reserve_bytes {
            return Err(Error::NoSpace { free_bytes });
        }
        Ok(())
    }
}
