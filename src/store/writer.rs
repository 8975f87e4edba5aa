//! The one thread that writes. It takes whatever waits, runs each use case behind a savepoint, commits the
//! group with one sync, and only then answers.

use std::sync::Arc;

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot, watch};

use super::{Error, Rows, journal, project};
use crate::clock::Clock;
use crate::ids::{DeliveryId, IdSource};
use crate::shop::event::Event;
use crate::shop::notice::Notice;
use crate::shop::webhook::Webhook;
use crate::units::Timestamp;

/// Use cases in one commit at most: bounds how long the first of a group waits for the last.
const GROUP_MAX: usize = 128;
/// Use cases that may wait; beyond it callers are slowed down.
const QUEUE_MAX: usize = 4096;

/// One use case in its transaction.
pub struct Tx<'c> {
    rows: Rows<'c>,
    state: &'c mut State,
    actor: String,
    at: Timestamp,
}

impl<'c> std::ops::Deref for Tx<'c> {
    type Target = Rows<'c>;

    fn deref(&self) -> &Rows<'c> {
        &self.rows
    }
}

impl Tx<'_> {
    /// The moment of this use case; never before that of an earlier one.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Where new ids come from.
    pub fn ids(&mut self) -> &mut IdSource {
        &mut self.state.ids
    }

    /// Who does this.
    #[must_use]
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// Appends an event to the journal, applies it to the tables and fills the outbox.
    ///
    /// # Errors
    /// `Error::Dangling` or `Error::Apply` if the event doesn't fit the tables; then the whole use case fails.
    pub fn record(&mut self, event: &Event) -> Result<(), Error> {
        let head = &mut self.state.head;
        journal::append(&self.rows, head, self.at, &self.actor, event)?;
        let notices = project::apply(&self.rows, &self.actor, self.at, event)?;
        if matches!(event, Event::WebhookAdded { .. } | Event::WebhookDisabled { .. }) {
            self.state.webhooks = self.rows.webhooks()?.into();
        }
        for notice in notices {
            self.publish(notice)?;
        }
        Ok(())
    }

    fn publish(&mut self, mut notice: Notice) -> Result<(), Error> {
        self.state.head.last_notice += 1;
        notice.data.seq = self.state.head.last_notice;
        self.rows.insert_notice(self.state.head.seq, &notice)?;
        let webhooks = self.state.webhooks.clone();
        for webhook in webhooks.iter().filter(|webhook| webhook.wants(&notice.event_type)) {
            let id = DeliveryId::next(&mut self.state.ids, self.at);
            self.rows.insert_delivery(&id, &webhook.id, &notice, Clock::system_time())?;
        }
        Ok(())
    }
}

/// A use case on its way to the writer.
pub(super) struct Work {
    actor: String,
    run: Box<dyn FnOnce(&mut Tx<'_>) -> Ran + Send>,
}

/// A use case that ran, and how to answer once its group is committed.
struct Ran {
    keep: bool,
    answer: Box<dyn FnOnce(Result<(), Error>) + Send>,
}

impl Work {
    pub(super) fn new<T, E, F>(actor: String, use_case: F, reply: oneshot::Sender<Result<T, E>>) -> Self
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let run = move |tx: &mut Tx<'_>| {
            let result = use_case(tx);
            let keep = result.is_ok();
            let answer = move |committed: Result<(), Error>| {
                // Nobody may be waiting any more; then the answer is dropped, the commit stands.
                let _ = reply.send(committed.map_err(E::from).and(result));
            };
            Ran { keep, answer: Box::new(answer) }
        };
        Self { actor, run: Box::new(run) }
    }
}

/// What the writer keeps between commits.
struct State {
    head: journal::Head,
    last_at: Timestamp,
    ids: IdSource,
    webhooks: Arc<[Webhook]>,
}

pub(super) fn spawn(
    connection: Connection,
    clock: Clock,
    ids: IdSource,
    notices: watch::Sender<i64>,
) -> Result<mpsc::Sender<Work>, Error> {
    let rows = Rows(&connection);
    let head = journal::Head::load(&rows)?;
    let state = State { last_at: head.last_at, head, ids, webhooks: rows.webhooks()?.into() };
    let (sender, receiver) = mpsc::channel(QUEUE_MAX);
    std::thread::Builder::new()
        .name("store".to_owned())
        .spawn(move || run(connection, &clock, state, receiver, &notices))
        .map_err(|source| Error::WriteBlob { path: "store thread".into(), source })?;
    Ok(sender)
}

fn run(
    mut connection: Connection,
    clock: &Clock,
    mut state: State,
    mut receiver: mpsc::Receiver<Work>,
    notices: &watch::Sender<i64>,
) {
    while let Some(first) = receiver.blocking_recv() {
        let before = (state.head.clone(), state.webhooks.clone());
        match run_group(&mut connection, clock, &mut state, first, &mut receiver) {
            Ok(answers) => {
                answers.into_iter().for_each(|answer| answer(Ok(())));
                if state.head.last_notice > before.0.last_notice {
                    notices.send_replace(state.head.last_notice);
                }
            }
            Err((failure, answers)) => {
                (state.head, state.webhooks) = before;
                tracing::error!(error = %failure, "the journal could not be written; is the disk full?");
                let failure = Arc::new(failure);
                answers.into_iter().for_each(|answer| answer(Err(Error::Commit(failure.clone()))));
            }
        }
    }
}

type Answers = Vec<Box<dyn FnOnce(Result<(), Error>) + Send>>;

fn run_group(
    connection: &mut Connection,
    clock: &Clock,
    state: &mut State,
    first: Work,
    receiver: &mut mpsc::Receiver<Work>,
) -> Result<Answers, (rusqlite::Error, Answers)> {
    let mut answers: Answers = Vec::new();
    let tx = match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(tx) => tx,
        Err(failure) => {
            answers.push(refuse(first));
            return Err((failure, answers));
        }
    };
    let mut next = Some(first);
    while let Some(work) = next {
        match run_one(&tx, clock, state, work) {
            Ok(answer) => answers.push(answer),
            Err((failure, answer)) => {
                answers.push(answer);
                return Err((failure, answers));
            }
        }
        next = if answers.len() < GROUP_MAX { receiver.try_recv().ok() } else { None };
    }
    match tx.commit() {
        Ok(()) => Ok(answers),
        Err(failure) => Err((failure, answers)),
    }
}

type Answer = Box<dyn FnOnce(Result<(), Error>) + Send>;

fn run_one(
    connection: &Connection,
    clock: &Clock,
    state: &mut State,
    work: Work,
) -> Result<Answer, (rusqlite::Error, Answer)> {
    if let Err(failure) = savepoint(connection, "SAVEPOINT use_case") {
        return Err((failure, refuse(work)));
    }
    let at = clock.at().max(state.last_at);
    state.last_at = at;
    let (head, webhooks) = (state.head.clone(), state.webhooks.clone());
    let mut tx = Tx { rows: Rows(connection), state, actor: work.actor, at };
    let ran = (work.run)(&mut tx);
    if !ran.keep {
        (state.head, state.webhooks) = (head, webhooks);
        if let Err(failure) = savepoint(connection, "ROLLBACK TO use_case") {
            return Err((failure, ran.answer));
        }
    }
    match savepoint(connection, "RELEASE use_case") {
        Ok(()) => Ok(ran.answer),
        Err(failure) => Err((failure, ran.answer)),
    }
}

fn savepoint(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(drop)
}

/// The answer of a use case that never ran, because the database can't begin.
fn refuse(work: Work) -> Answer {
    drop(work.run);
    Box::new(|_| {})
}
