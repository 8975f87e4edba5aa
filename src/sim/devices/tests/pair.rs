//! A session and a simulated device, joined by a wire without threads: a clock that jumps to the next deadline
//! and a bounded number of steps.

use std::sync::Arc;
use std::time::Duration;

use crate::devices::session::{Command, Fact, Input, JobName, Output, Session};
use crate::sim::devices::{Device, Speed};
use crate::units::Tick;

/// More steps than the longest test takes; a pair that talks for ever fails.
const STEPS_MAX: u32 = 2_000_000;
/// One way over the wire.
const LATENCY: Duration = Duration::from_millis(1);

pub(super) struct Pair<S, D> {
    pub(super) now: Tick,
    pub(super) session: S,
    pub(super) device: D,
    pub(super) facts: Vec<Fact>,
    pub(super) transmitted: Vec<u8>,
    plugged: bool,
    replug_at: Option<Tick>,
    deadline: Option<Tick>,
    steps: u32,
}

pub(super) fn speed(times: u32) -> Speed {
    Arc::new(move || times)
}

pub(super) fn job(name: &str) -> JobName {
    JobName(name.to_owned())
}

impl<S: Session, D: Device> Pair<S, D> {
    pub(super) fn new(session: S, device: D) -> Self {
        let mut pair = Self {
            now: Tick(0),
            session,
            device,
            facts: Vec::new(),
            transmitted: Vec::new(),
            plugged: false,
            replug_at: None,
            deadline: None,
            steps: 0,
        };
        pair.plug_in();
        pair
    }

    pub(super) fn plug_in(&mut self) {
        self.plugged = true;
        self.session.handle(self.now, Input::Opened);
    }

    pub(super) fn unplug(&mut self) {
        self.plugged = false;
        self.session.handle(self.now, Input::Lost("line usb-1: the device is gone"));
    }

    pub(super) fn command(&mut self, command: Command) {
        self.session.handle(self.now, Input::Command(command));
    }

    /// Runs until the facts satisfy `is_done`; panics after `limit` of virtual time.
    pub(super) fn until(&mut self, limit: Duration, mut is_done: impl FnMut(&[Fact]) -> bool) {
        let end = self.now.after(limit);
        while !is_done(&self.facts) {
            assert!(self.now <= end, "not done after {limit:?}; facts: {:#?}", tail(&self.facts));
            self.step(end.after(Duration::from_millis(1)));
        }
    }

    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now.after(time);
        while self.now < end {
            self.step(end);
        }
    }

    /// No jump goes beyond `end`.
    fn step(&mut self, end: Tick) {
        self.steps += 1;
        assert!(self.steps < STEPS_MAX, "session and device never come to rest");
        let heard = self.listen();
        self.device.advance(self.now);
        let said = self.device.take_output();
        if self.plugged && !said.is_empty() {
            self.now = self.now.after(LATENCY);
            self.session.handle(self.now, Input::Received(&said));
        } else if !heard {
            self.jump(end);
        }
        if let Some(away) = self.device.take_unplugged() {
            self.unplug();
            self.replug_at = Some(self.now.after(away));
        }
    }

    fn listen(&mut self) -> bool {
        let mut heard = false;
        loop {
            match self.session.poll() {
                Output::Transmit(bytes) if self.plugged => {
                    heard = true;
                    self.now = self.now.after(LATENCY);
                    self.transmitted.extend(&bytes);
                    self.device.receive(self.now, &bytes);
                }
                Output::Transmit(_) => {}
                Output::Fact(fact) => {
                    // Whoever waits for it sees it before time goes on.
                    heard = true;
                    self.facts.push(fact);
                }
                Output::Wait(deadline) => {
                    self.deadline = deadline;
                    return heard;
                }
            }
        }
    }

    fn jump(&mut self, end: Tick) {
        let next = [self.deadline, self.device.wake_at(), self.replug_at].into_iter().flatten().min();
        self.now = next.unwrap_or(end).clamp(self.now, end.max(self.now));
        if self.replug_at.is_some_and(|at| at <= self.now) {
            self.replug_at = None;
            self.plug_in();
        }
        if self.plugged && self.deadline.is_some_and(|deadline| deadline <= self.now) {
            self.session.handle(self.now, Input::Timeout);
        }
    }
}

fn tail(facts: &[Fact]) -> &[Fact] {
    &facts[facts.len().saturating_sub(20)..]
}
