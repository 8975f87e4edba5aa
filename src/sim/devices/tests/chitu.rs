//! The ChiTu session against a simulated board: the file arrives byte for byte, a print is started once, and its
//! end is told as far as it is known.

use std::time::Duration;

use proptest::prelude::*;

use super::pair::{Pair, job, speed};
use crate::devices::drivers::chitu::{ChituSession, Settings, Verify};
use crate::devices::session::{Command, Doing, Fact, Input, JobName, Output, Session};
use crate::sim::devices::record::Entry;
use crate::sim::devices::{ChituSim, Device, Faults, Record};
use crate::units::Tick;

type ChituPair = Pair<ChituSession, ChituSim>;

const LONG: Duration = Duration::from_secs(3600);
const LAYERS: u32 = 120;
const PRINT_S: u32 = 3600;

/// A `.goo` header with layers and time, and a body without meaning.
fn goo(bytes: usize) -> Vec<u8> {
    let mut state = 7_u32;
    let mut file: Vec<u8> = (0..bytes)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        })
        .collect();
    file[..12].copy_from_slice(b"V3.0\x07\0\0\0DLP\0");
    file[195_310..195_314].copy_from_slice(&LAYERS.to_be_bytes());
    file[195_446..195_450].copy_from_slice(&PRINT_S.to_be_bytes());
    file
}

fn pair(faults: &str, seed: u64) -> ChituPair {
    let sim = ChituSim::new(Faults::parse(faults).unwrap().seeded(seed), Record::default(), speed(1), None);
    Pair::new(ChituSession::new(Settings::new("goo")), sim)
}

fn reports(facts: &[Fact]) -> Vec<&Doing> {
    facts.iter().filter_map(|fact| if let Fact::Report(doing) = fact { Some(doing) } else { None }).collect()
}

fn is_ready(facts: &[Fact]) -> bool {
    !reports(facts).is_empty()
}

fn is_load_over(facts: &[Fact]) -> bool {
    facts.iter().any(|fact| matches!(fact, Fact::Loaded { .. } | Fact::LoadFailed { .. }))
}

fn is_started(facts: &[Fact]) -> bool {
    facts.iter().any(|fact| matches!(fact, Fact::Started { .. }))
}

fn ends(facts: &[Fact]) -> Vec<&Fact> {
    let is_end =
        |fact: &&Fact| matches!(fact, Fact::Finished { .. } | Fact::Stopped { .. } | Fact::Unclear { .. });
    facts.iter().filter(is_end).collect()
}

fn load(pair: &mut ChituPair, file: &[u8]) {
    pair.until(LONG, is_ready);
    pair.command(Command::Load { job: job("ring-1"), file: file.into() });
    pair.until(LONG, is_load_over);
}

fn start(pair: &mut ChituPair) {
    load(pair, &goo(200_000));
    pair.command(Command::Start { job: job("ring-1"), expected: Duration::from_secs(u64::from(PRINT_S)) });
    pair.until(LONG, |facts| is_started(facts) || !ends(facts).is_empty());
}

fn print_starts(pair: &ChituPair) -> usize {
    pair.device.record().entries().iter().filter(|entry| matches!(entry, Entry::PrintStarted { .. })).count()
}

#[test]
fn a_file_is_loaded_started_once_and_its_end_is_told() {
    let mut pair = pair("", 1);
    start(&mut pair);
    pair.until(LONG * 2, |facts| !ends(facts).is_empty());

    assert_eq!(ends(&pair.facts), [&Fact::Finished { job: job("ring-1") }]);
    assert_eq!(pair.device.file("ring-1.goo"), Some(goo(200_000).as_slice()));
    let [Entry::UploadCompleted { bytes: 200_000, .. }, started, finished] = pair.device.record().entries()
    else {
        panic!("{:?}", pair.device.record().entries())
    };
    let name = "ring-1.goo".to_owned();
    assert_eq!(*started, Entry::PrintStarted { name: name.clone(), layers: LAYERS });
    assert_eq!(*finished, Entry::PrintFinished { name, layers: LAYERS });
    let progress =
        pair.facts.iter().filter(|fact| matches!(fact, Fact::Progress { total: 200_000, .. })).count();
    assert!(progress > 1000, "{progress}");
}

#[test]
fn the_file_arrives_whole_over_a_bad_line() {
    let file = goo(200_000);
    for seed in 0..10 {
        let mut pair = pair("corrupt=0.01,lose-line=0.01,lose-ok=0.01,mangle-ok=0.01,double-ok=0.01", seed);
        load(&mut pair, &file);
        assert!(
            pair.facts.contains(&Fact::Loaded { job: job("ring-1") }),
            "seed {seed}: {:?}",
            pair.facts.last()
        );
        assert_eq!(pair.device.file("ring-1.goo"), Some(file.as_slice()), "seed {seed}");
    }
}

#[test]
fn one_percent_of_trouble_costs_few_packets() {
    let file = goo(400_000);
    let mut sent = [0, 0];
    for (faults, sent) in ["", "corrupt=0.005,lose-line=0.005"].into_iter().zip(&mut sent) {
        let mut pair = pair(faults, 3);
        load(&mut pair, &file);
        *sent = pair.transmitted.len();
    }
    assert!(sent[1] * 100 < sent[0] * 105, "{sent:?} bytes");
}

#[test]
fn a_file_that_reads_back_wrong_is_never_called_loaded() {
    struct Worn(ChituSim);
    impl Device for Worn {
        fn receive(&mut self, now: Tick, bytes: &[u8]) {
            if bytes.starts_with(b"M6032") {
                self.0.spoil("ring-1.goo", 100_000);
            }
            self.0.receive(now, bytes);
        }
        fn advance(&mut self, now: Tick) {
            self.0.advance(now);
        }
        fn wake_at(&self) -> Option<Tick> {
            self.0.wake_at()
        }
        fn take_output(&mut self) -> Vec<u8> {
            self.0.take_output()
        }
        fn take_unplugged(&mut self) -> Option<Duration> {
            None
        }
    }
    let sim = ChituSim::new(Faults::default(), Record::default(), speed(1), None);
    let mut pair = Pair::new(ChituSession::new(Settings::new("goo")), Worn(sim));
    pair.until(LONG, is_ready);
    pair.command(Command::Load { job: job("ring-1"), file: goo(200_000).into() });
    pair.until(LONG, is_load_over);

    let Some(Fact::LoadFailed { reason, .. }) = pair.facts.last() else { panic!("{:?}", pair.facts.last()) };
    assert!(reason.contains("reads back"), "{reason}");
}

#[test]
fn size_alone_is_checked_where_the_shop_says_so() {
    let settings = Settings { verify: Verify::Size, ..Settings::new("goo") };
    let sim = ChituSim::new(Faults::default(), Record::default(), speed(1), None);
    let mut pair = Pair::new(ChituSession::new(settings), sim);
    load(&mut pair, &goo(200_000));

    assert!(pair.facts.contains(&Fact::Loaded { job: job("ring-1") }));
    let sent = String::from_utf8_lossy(&pair.transmitted).into_owned();
    assert!(sent.contains("M20") && !sent.contains("M6032"));
}

#[test]
fn a_lost_answer_to_the_start_never_prints_twice() {
    for seed in 0..30 {
        let mut pair = pair("", seed);
        load(&mut pair, &goo(200_000));
        pair.device
            .set_faults(Faults::parse("lose-line=0.3,lose-ok=0.3,mangle-ok=0.1").unwrap().seeded(seed));
        pair.command(Command::Start {
            job: job("ring-1"),
            expected: Duration::from_secs(u64::from(PRINT_S)),
        });
        pair.run(Duration::from_secs(120));
        pair.device.set_faults(Faults::default());
        pair.until(LONG * 3, |facts| !ends(facts).is_empty());

        assert!(print_starts(&pair) <= 1, "seed {seed}: {:?}", pair.device.record().entries());
        if ends(&pair.facts) == [&Fact::Finished { job: job("ring-1") }] {
            assert_eq!(print_starts(&pair), 1, "seed {seed}");
        }
    }
}

#[test]
fn a_short_print_whose_start_was_not_answered_is_unclear_and_not_started_again() {
    let mut pair = pair("", 1);
    load(&mut pair, &goo(200_000));
    pair.run(Duration::from_millis(500));
    let ms = pair.now;
    // An hour's print in a second: it has come and gone before the board is asked.
    pair.device.set_speed(ms, speed(3600));
    pair.device.set_faults(Faults::parse("lose-ok=1").unwrap());
    pair.command(Command::Start { job: job("ring-1"), expected: Duration::from_secs(1) });
    pair.run(Duration::from_millis(2500));
    pair.device.set_faults(Faults::default());
    pair.until(LONG, |facts| !ends(facts).is_empty());
    pair.run(Duration::from_secs(60));

    assert!(matches!(ends(&pair.facts)[..], [Fact::Unclear { .. }]), "{:?}", ends(&pair.facts));
    assert_eq!(print_starts(&pair), 1);
}

#[test]
fn a_print_that_is_over_between_two_looks_is_unclear_and_not_stopped() {
    let mut pair = pair("", 1);
    load(&mut pair, &goo(200_000));
    let now = pair.now;
    pair.device.set_speed(now, speed(3600));
    pair.command(Command::Start { job: job("ring-1"), expected: Duration::from_secs(1) });
    pair.until(LONG, |facts| !ends(facts).is_empty());

    assert!(is_started(&pair.facts));
    assert!(matches!(ends(&pair.facts)[..], [Fact::Unclear { .. }]), "{:?}", ends(&pair.facts));
}

#[test]
fn a_board_that_is_slow_to_start_is_told_once() {
    struct Slow {
        sim: ChituSim,
        late: Option<(Tick, Vec<u8>)>,
    }
    impl Device for Slow {
        fn receive(&mut self, now: Tick, bytes: &[u8]) {
            if bytes.starts_with(b"M6030") {
                self.late = Some((now.after(Duration::from_secs(4)), bytes.to_vec()));
            } else {
                self.sim.receive(now, bytes);
            }
        }
        fn advance(&mut self, now: Tick) {
            if let Some((_, bytes)) = self.late.take_if(|(at, _)| *at <= now) {
                self.sim.receive(now, &bytes);
            }
            self.sim.advance(now);
        }
        fn wake_at(&self) -> Option<Tick> {
            let late = self.late.as_ref().map(|(at, _)| *at);
            [late, self.sim.wake_at()].into_iter().flatten().min()
        }
        fn take_output(&mut self) -> Vec<u8> {
            self.sim.take_output()
        }
        fn take_unplugged(&mut self) -> Option<Duration> {
            None
        }
    }
    let sim = ChituSim::new(Faults::default(), Record::default(), speed(1), None);
    let mut pair = Pair::new(ChituSession::new(Settings::new("goo")), Slow { sim, late: None });
    pair.until(LONG, is_ready);
    pair.command(Command::Load { job: job("ring-1"), file: goo(200_000).into() });
    pair.until(LONG, is_load_over);
    pair.transmitted.clear();
    pair.command(Command::Start { job: job("ring-1"), expected: LONG });
    pair.until(LONG, is_started);
    pair.run(Duration::from_secs(60));

    let sent = String::from_utf8_lossy(&pair.transmitted).into_owned();
    assert_eq!(sent.matches("M6030").count(), 1);
}

#[test]
fn a_new_session_finds_the_running_print_and_sees_it_end() {
    let mut old = pair("", 1);
    start(&mut old);
    old.run(Duration::from_secs(600));

    let mut new = Pair::new(ChituSession::new(Settings::new("goo")), old.device);
    new.now = old.now;
    new.until(LONG, is_ready);
    assert_eq!(reports(&new.facts), [&Doing::Printing { job: Some(job("ring-1")), paused: false }]);
    new.until(LONG * 2, |facts| !ends(facts).is_empty());

    assert_eq!(ends(&new.facts), [&Fact::Finished { job: job("ring-1") }]);
    assert_eq!(print_starts(&new), 1);
}

#[test]
fn a_new_session_after_the_end_reports_the_selected_file_and_starts_nothing() {
    let mut old = pair("", 1);
    start(&mut old);
    old.until(LONG * 2, |facts| !ends(facts).is_empty());

    let mut new = Pair::new(ChituSession::new(Settings::new("goo")), old.device);
    new.now = old.now;
    new.until(LONG, is_ready);
    new.command(Command::Query);
    new.run(Duration::from_secs(60));

    let idle = Doing::Idle { selected: Some("ring-1".into()) };
    assert_eq!(reports(&new.facts), [&idle, &idle]);
    assert_eq!(print_starts(&new), 1);
}

#[test]
fn a_session_that_died_in_an_upload_leaves_a_board_that_the_next_one_gets_going() {
    let mut old = pair("", 1);
    old.until(LONG, is_ready);
    old.command(Command::Load { job: job("ring-1"), file: goo(200_000).into() });
    old.until(LONG, |facts| facts.iter().any(|fact| matches!(fact, Fact::LoadProgress { .. })));
    old.run(Duration::from_millis(50));

    let mut new = Pair::new(ChituSession::new(Settings::new("goo")), old.device);
    new.now = old.now;
    new.until(LONG, is_ready);
    load(&mut new, &goo(200_000));

    assert!(new.facts.contains(&Fact::Loaded { job: job("ring-1") }));
}

#[test]
fn stopping_at_the_display_or_a_power_cut_is_never_taken_for_the_end() {
    for cut in [false, true] {
        let mut pair = pair("", 1);
        start(&mut pair);
        pair.run(Duration::from_secs(1800));
        if cut {
            pair.device.power_cycle()
        } else {
            pair.device.press_stop()
        }
        pair.until(LONG, |facts| !ends(facts).is_empty());

        assert!(matches!(ends(&pair.facts)[..], [Fact::Stopped { .. }]), "{:?}", ends(&pair.facts));
    }
}

#[test]
fn a_print_that_ends_while_the_line_is_lost_is_unclear_and_one_that_goes_on_is_taken_up() {
    let mut pair = pair("", 1);
    start(&mut pair);
    pair.run(Duration::from_secs(600));
    pair.unplug();
    pair.run(Duration::from_secs(60));
    pair.plug_in();
    pair.run(Duration::from_secs(60));
    assert_eq!(ends(&pair.facts), Vec::<&Fact>::new());
    assert_eq!(
        reports(&pair.facts).last(),
        Some(&&Doing::Printing { job: Some(job("ring-1")), paused: false })
    );

    pair.unplug();
    pair.run(LONG * 2);
    pair.plug_in();
    pair.run(Duration::from_secs(60));

    assert!(matches!(ends(&pair.facts)[..], [Fact::Unclear { .. }]), "{:?}", ends(&pair.facts));
}

#[test]
fn pause_resume_and_cancel_are_confirmed_by_the_printer() {
    let mut pair = pair("lose-ok=0.1", 5);
    start(&mut pair);
    pair.command(Command::Pause);
    pair.until(LONG, |facts| facts.iter().any(|fact| matches!(fact, Fact::Paused { .. })));
    pair.command(Command::Resume);
    pair.until(LONG, |facts| facts.iter().any(|fact| matches!(fact, Fact::Resumed { .. })));
    pair.command(Command::Cancel);
    pair.until(LONG, |facts| !ends(facts).is_empty());

    assert_eq!(ends(&pair.facts), [&Fact::Stopped { job: job("ring-1"), reason: "cancelled".into() }]);
    assert!(matches!(pair.device.record().entries().last(), Some(Entry::PrintStopped { .. })));
}

#[test]
fn an_upload_that_loses_its_line_fails_and_starts_nothing() {
    let mut pair = pair("unplug-at=50:3", 1);
    load(&mut pair, &goo(200_000));
    assert!(matches!(pair.facts.iter().rev().nth(1), Some(Fact::LoadFailed { .. })), "{:?}", pair.facts);
    pair.command(Command::Start { job: job("ring-1"), expected: LONG });
    pair.run(Duration::from_secs(60));

    assert_eq!(print_starts(&pair), 0);
    assert_eq!(reports(&pair.facts).len(), 2);
}

#[test]
fn a_silent_line_and_a_wrong_device_are_told_apart() {
    for (answer, expected) in [("", "doesn't answer"), ("ok T:20 /0\n", "not like a ChiTu")] {
        let mut session = ChituSession::new(Settings::new("goo"));
        session.handle(Tick(0), Input::Opened);
        let mut facts: Vec<Fact> = Vec::new();
        for ms in (0..60_000).step_by(50) {
            session.handle(Tick(ms), Input::Received(answer.as_bytes()));
            session.handle(Tick(ms), Input::Timeout);
            while let Some(output) = Some(session.poll()).filter(|output| !matches!(output, Output::Wait(_)))
            {
                if let Output::Fact(fact) = output {
                    facts.push(fact);
                }
            }
        }
        let [Fact::Offline { reason }] = facts.as_slice() else { panic!("{facts:?}") };
        assert!(reason.contains(expected), "{reason}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn random_faults_never_store_a_wrong_file_nor_print_twice(seed: u64, chance in 0.0..0.08_f64) {
        let faults = format!("corrupt={chance},lose-line={chance},lose-ok={chance},mangle-ok={chance},garbage-ok={chance}");
        let file = goo(196_000);
        let mut pair = pair(&faults, seed);
        load(&mut pair, &file);
        if pair.facts.contains(&Fact::Loaded { job: job("ring-1") }) {
            prop_assert_eq!(pair.device.file("ring-1.goo"), Some(file.as_slice()));
            pair.command(Command::Start { job: job("ring-1"), expected: Duration::from_secs(u64::from(PRINT_S)) });
            pair.run(LONG * 2);
        }
        prop_assert!(print_starts(&pair) <= 1);
        if pair.facts.contains(&Fact::Finished { job: job("ring-1") }) {
            let is_finish = |entry: &Entry| matches!(entry, Entry::PrintFinished { .. });
            prop_assert!(pair.device.record().entries().iter().any(is_finish));
        }
    }

    #[test]
    fn any_bytes_at_any_time_neither_panic_nor_pile_up(is_loading: bool, chunks in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..3000), 0_u64..3000), 1..40)) {
        let mut session = ChituSession::new(Settings::new("goo"));
        let mut sim = ChituSim::new(Faults::default(), Record::default(), speed(1), None);
        session.handle(Tick(0), Input::Opened);
        session.handle(Tick(200), Input::Timeout);
        session.handle(Tick(201), Input::Received(b"ok V4\r\n"));
        if is_loading {
            session.handle(Tick(202), Input::Command(Command::Load { job: JobName("a".into()), file: vec![1; 9000].into() }));
            session.handle(Tick(203), Input::Received(b"ok\r\n"));
            sim.receive(Tick(203), b"M28 a\r\n");
        }
        let mut now = 300;
        for (bytes, wait) in chunks {
            now += wait;
            session.handle(Tick(now), Input::Received(&bytes));
            session.handle(Tick(now), Input::Timeout);
            let mut outputs = 0;
            while !matches!(session.poll(), Output::Wait(_)) {
                outputs += 1;
                prop_assert!(outputs < 400);
            }
            sim.receive(Tick(now), &bytes);
            sim.advance(Tick(now + 50));
            prop_assert!(sim.take_output().len() < 64 * 1024);
        }
    }
}
