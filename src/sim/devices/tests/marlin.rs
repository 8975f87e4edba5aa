//! The Marlin session under every fault of the matrix: each line of the job is executed exactly once, or the
//! print stops cleanly where that is required.

use std::time::Duration;

use proptest::prelude::*;

use super::pair::{Pair, job, speed};
use crate::devices::drivers::marlin::{MarlinSession, Settings};
use crate::devices::session::{Command, Doing, Fact, Input, Output, Session};
use crate::sim::devices::marlin::Firmware;
use crate::sim::devices::record::Entry;
use crate::sim::devices::{Faults, MarlinSim, Record};
use crate::units::Tick;

mod card;
mod firmware;
mod window;

type MarlinPair = Pair<MarlinSession, MarlinSim>;

const LONG: Duration = Duration::from_secs(1000);

fn pair(faults: &str, seed: u64) -> MarlinPair {
    pair_of(Firmware::default(), Settings::default(), faults, seed)
}

fn pair_of(firmware: Firmware, settings: Settings, faults: &str, seed: u64) -> MarlinPair {
    let faults = Faults::parse(faults).unwrap().seeded(seed);
    let sim = MarlinSim::with_firmware(firmware, faults, Record::default(), speed(1000));
    Pair::new(MarlinSession::new(settings), sim)
}

fn program(lines: usize) -> String {
    (0..lines).map(|n| format!("G1 X{}.{:03} Y{} E0.01 F6000 ; {n}\n", n % 90, n, n % 70)).collect()
}

fn job_lines(program: &str) -> Vec<String> {
    program.lines().map(|line| line.split(';').next().unwrap().trim().to_owned()).collect()
}

fn is_online(facts: &[Fact]) -> bool {
    facts.iter().any(|fact| matches!(fact, Fact::Report(_)))
}

fn is_over(facts: &[Fact]) -> bool {
    facts.iter().any(|fact| {
        matches!(
            fact,
            Fact::Finished { .. } | Fact::Stopped { .. } | Fact::Unclear { .. } | Fact::LoadFailed { .. }
        )
    })
}

fn start(pair: &mut MarlinPair, program: &str) {
    pair.until(LONG, is_online);
    pair.command(Command::Load { job: job("ring-1"), file: program.as_bytes().into() });
    pair.until(LONG, |facts| facts.contains(&Fact::Loaded { job: job("ring-1") }));
    pair.command(Command::Start { job: job("ring-1"), expected: Duration::from_secs(60) });
}

/// Prints 400 lines with a fault; what was executed, and how long it took.
fn print(faults: &str, seed: u64) -> (MarlinPair, String, Duration) {
    let program = program(400);
    let mut pair = pair(faults, seed);
    start(&mut pair, &program);
    let begin = pair.now;
    pair.until(LONG, is_over);
    let took = pair.now.since(begin);
    (pair, program, took)
}

fn assert_exact(faults: &str, seed: u64, limit: Duration) {
    let (pair, program, took) = print(faults, seed);
    assert_eq!(pair.device.executed(), job_lines(&program), "{faults}, seed {seed}");
    assert!(pair.facts.contains(&Fact::Finished { job: job("ring-1") }), "{faults}: {:?}", pair.facts.last());
    assert!(took <= limit, "{faults} took {took:?}");
}

/// The job stopped, and what was executed is the beginning of the job, in order, nothing twice.
fn assert_stopped(faults: &str) -> MarlinPair {
    let (mut pair, program, _) = print(faults, 1);
    let lines = job_lines(&program);
    let at_stop = pair.device.executed().len();
    assert_eq!(pair.device.executed(), &lines[..at_stop], "{faults}");
    assert!(at_stop < lines.len(), "{faults}");
    assert!(
        pair.facts.iter().any(|fact| matches!(fact, Fact::Stopped { job: j, .. } if *j == job("ring-1"))),
        "{faults}: {:?}",
        pair.facts.last()
    );
    pair.run(Duration::from_secs(30));
    let later = &pair.device.executed()[at_stop..];
    assert!(later.iter().all(|line| !line.starts_with('G')), "{faults}: job lines after the stop: {later:?}");
    assert!(!pair.facts.iter().any(|fact| matches!(fact, Fact::Finished { .. })), "{faults}");
    pair
}

#[test]
fn a_clean_line_prints_every_line_once_and_the_end_is_proved() {
    let (pair, program, _) = print("", 1);

    assert_eq!(pair.device.executed(), job_lines(&program));
    let of_job: Vec<&Fact> = pair
        .facts
        .iter()
        .filter(|fact| matches!(fact, Fact::Started { .. } | Fact::Finished { .. } | Fact::Stopped { .. }))
        .collect();
    assert_eq!(of_job, [&Fact::Started { job: job("ring-1") }, &Fact::Finished { job: job("ring-1") }]);
    assert!(
        pair.facts
            .iter()
            .any(|fact| matches!(fact, Fact::Online { identity } if identity.contains("Marlin")))
    );
}

#[test]
fn lost_and_mangled_words_cost_half_a_second_and_no_line() {
    let clean = print("", 1).2;
    for fault in [
        "corrupt-at=100",
        "lose-line-at=100",
        "lose-ok-at=100",
        "mangle-ok-at=100",
        "double-ok-at=100",
        "garbage-ok-at=100",
    ] {
        assert_exact(fault, 1, clean + Duration::from_millis(500));
    }
    assert_exact("refuse-at=100:1,resend-only-at=100", 1, clean + Duration::from_millis(500));
}

#[test]
fn busy_and_silence_are_waited_out() {
    assert_exact("busy-at=100:8", 1, Duration::from_secs(20));
    assert_exact("silence-at=100:20", 1, Duration::from_secs(40));
    assert_exact("busy-at=100:600", 1, Duration::from_secs(620));
}

#[test]
fn a_noisy_line_loses_and_doubles_nothing() {
    for seed in 0..20 {
        assert_exact("corrupt=0.01", seed, Duration::from_secs(4));
        assert_exact("corrupt=0.05", seed, LONG);
        assert_exact(
            "corrupt=0.02,lose-line=0.02,lose-ok=0.02,mangle-ok=0.02,double-ok=0.02,garbage-ok=0.02",
            seed,
            LONG,
        );
    }
}

#[test]
fn a_line_that_is_refused_for_ever_stops_the_print() {
    let pair = assert_stopped("refuse-at=100:30");

    assert!(pair.facts.iter().any(|fact| matches!(fact, Fact::Fault { code, .. } if code == "line-refused")));
}

#[test]
fn after_a_firmware_reset_no_job_line_follows() {
    for fault in
        ["reset-at=100", "quiet-reset-at=100", "reset-at=2", "quiet-reset-at=2", "power-dip-at=100:2"]
    {
        let pair = assert_stopped(fault);
        assert!(pair.device.executed().len() <= 101, "{fault}");
    }
}

#[test]
fn a_killed_printer_is_offline_until_it_is_switched_off_and_on() {
    let mut pair = assert_stopped("kill-at=100");
    assert!(
        pair.facts.iter().any(|fact| matches!(fact, Fact::Fault { code, .. } if code == "printer-halted"))
    );
    assert!(
        matches!(pair.facts.last(), Some(Fact::Offline { reason }) if reason.contains("switch it off and on"))
    );

    pair.facts.clear();
    pair.device.power_cycle();
    pair.until(LONG, is_online);
}

#[test]
fn an_unplugged_printer_stops_the_print_and_comes_back() {
    let mut pair = assert_stopped("unplug-at=100:3");

    pair.until(LONG, |facts| matches!(facts.last(), Some(Fact::Report(_) | Fact::Temperatures(_))));
    let reports: Vec<&Fact> = pair.facts.iter().filter(|fact| matches!(fact, Fact::Report(_))).collect();
    let Some(Fact::Report(Doing::Unclear { reason })) = reports.last() else { panic!("{reports:?}") };
    assert!(reason.contains("lines of a print"), "{reason}");
}

#[test]
fn pause_holds_the_stream_and_resume_finishes_it() {
    let text = program(400);
    let mut pair = pair("", 1);
    start(&mut pair, &text);
    pair.until(LONG, |facts| facts.iter().any(|fact| matches!(fact, Fact::Started { .. })));
    pair.run(Duration::from_millis(100));

    pair.command(Command::Pause);
    pair.until(LONG, |facts| matches!(facts.last(), Some(Fact::Paused { .. })));
    let at_pause = pair.device.executed().len();
    pair.run(Duration::from_secs(60));
    assert_eq!(pair.device.executed().len(), at_pause);
    pair.command(Command::Query);
    pair.run(Duration::from_millis(10));
    assert!(pair.facts.contains(&Fact::Report(Doing::Printing { job: Some(job("ring-1")), paused: true })));

    pair.command(Command::Resume);
    pair.until(LONG, is_over);
    assert_eq!(pair.device.executed(), job_lines(&text));
    assert!(pair.facts.contains(&Fact::Finished { job: job("ring-1") }));
}

#[test]
fn cancel_ends_a_wait_for_heat_and_switches_heaters_off() {
    let sim = MarlinSim::new(Faults::default(), Record::default(), speed(1));
    let mut pair = Pair::new(MarlinSession::new(Settings::default()), sim);
    start(&mut pair, &format!("M109 S230\n{}", program(100)));
    pair.run(Duration::from_secs(5));
    assert!(pair.device.targets_celsius()[0] > 200.0);

    pair.command(Command::Cancel);
    pair.until(Duration::from_secs(10), is_over);

    assert!(
        pair.facts.iter().any(|fact| matches!(fact, Fact::Stopped { reason, .. } if reason == "cancelled"))
    );
    assert!(pair.device.targets_celsius().iter().all(|target| *target < 1.0));
    assert!(!pair.device.executed().iter().any(|line| line.starts_with("G1")));
}

#[test]
fn an_emergency_stop_goes_out_ahead_of_everything_and_is_confirmed() {
    let mut pair = pair("", 1);
    start(&mut pair, &program(400));
    pair.run(Duration::from_millis(300));
    pair.transmitted.clear();

    pair.command(Command::EmergencyStop);
    pair.until(Duration::from_secs(3), |facts| matches!(facts.last(), Some(Fact::Offline { .. })));

    assert!(pair.transmitted.starts_with(b"\nM112\n"));
    assert!(pair.device.is_halted());
    assert!(
        pair.facts
            .iter()
            .any(|fact| matches!(fact, Fact::Stopped { reason, .. } if reason == "emergency stop"))
    );
    assert!(
        pair.facts.iter().any(|fact| matches!(fact, Fact::Fault { code, .. } if code == "emergency-stop"))
    );
    assert!(
        !pair
            .facts
            .iter()
            .any(|fact| matches!(fact, Fact::Fault { code, .. } if code.contains("not-confirmed")))
    );
}

#[test]
fn a_printer_that_ignores_the_emergency_stop_is_reported() {
    let mut session = MarlinSession::new(Settings::default());
    session.handle(Tick(0), Input::Opened);
    session.handle(Tick(1), Input::Command(Command::EmergencyStop));
    session.handle(Tick(600), Input::Timeout);
    session.handle(Tick(700), Input::Received(b"ok T:20.0 /0.0\n"));

    let facts = facts_of(&mut session);

    assert!(
        facts
            .iter()
            .any(|fact| matches!(fact, Fact::Fault { code, .. } if code == "emergency-stop-not-confirmed"))
    );
}

#[test]
fn a_bad_program_is_refused_before_anything_is_sent() {
    let mut pair = pair("", 1);
    pair.until(LONG, is_online);

    pair.command(Command::Load { job: job("bad"), file: b"G28\nM112\n".as_slice().into() });
    pair.until(LONG, is_over);
    pair.command(Command::Start { job: job("bad"), expected: Duration::from_secs(1) });
    pair.run(Duration::from_secs(5));

    assert!(
        pair.facts
            .iter()
            .any(|fact| matches!(fact, Fact::LoadFailed { reason, .. } if reason.contains("M112")))
    );
    assert!(pair.facts.iter().any(|fact| matches!(fact, Fact::Refused { command: "start", .. })));
    assert!(pair.device.executed().is_empty());
}

#[test]
fn a_dead_line_a_wrong_baud_rate_and_another_device_are_told_apart() {
    let verdicts: [(&[u8], &str); 3] = [
        (b"", "doesn't answer"),
        (b"\x80\xfe\x00\x91\xf0", "nonsense"),
        (b"<Idle|MPos:0,0,0>\n", "not like a Marlin"),
    ];
    for (answer, expected) in verdicts {
        let mut session = MarlinSession::new(Settings::default());
        session.handle(Tick(0), Input::Opened);
        let mut facts = Vec::new();
        for ms in (0..20_000).step_by(50) {
            if !answer.is_empty() && ms % 400 == 0 {
                session.handle(Tick(ms), Input::Received(answer));
            }
            session.handle(Tick(ms), Input::Timeout);
            facts.extend(facts_of(&mut session));
        }
        let Some(Fact::Offline { reason }) = facts.first() else { panic!("{facts:?}") };
        assert!(reason.contains(expected), "{reason}");
        assert_eq!(facts.len(), 1, "the same reason is told once: {facts:?}");
    }
}

#[test]
fn the_machine_records_what_it_did() {
    let (pair, _, _) = print("", 1);

    let [Entry::StreamStarted, Entry::StreamEnded { lines: 400, position_mm, by, .. }] =
        pair.device.record().entries()
    else {
        panic!("{:?}", pair.device.record().entries())
    };
    assert_eq!(by, "count");
    assert!((position_mm[0] - 39.399).abs() < 1e-9, "{position_mm:?}");
}

fn facts_of(session: &mut MarlinSession) -> Vec<Fact> {
    let mut facts = Vec::new();
    loop {
        match session.poll() {
            Output::Fact(fact) => facts.push(fact),
            Output::Transmit(_) => {}
            Output::Wait(_) => return facts,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_faults_never_lose_or_double_a_line(seed: u64, at in 1_u64..60, kind in 0_usize..10) {
        let kinds = ["reset", "quiet-reset", "kill", "unplug", "silence", "busy", "refuse", "lose-ok", "lose-line", "corrupt"];
        let faults = format!("corrupt=0.03,lose-ok=0.01,lose-line=0.01,{}-at={at}", kinds[kind]);
        let text = program(60);
        let mut pair = pair(&faults, seed);
        start(&mut pair, &text);
        pair.until(LONG, is_over);
        let lines = job_lines(&text);
        let executed: Vec<String> = pair.device.executed().iter().filter(|line| line.starts_with("G1")).cloned().collect();
        prop_assert!(executed.len() <= lines.len() && executed == lines[..executed.len()], "{executed:?}");
        if pair.facts.contains(&Fact::Finished { job: job("ring-1") }) {
            prop_assert_eq!(executed.len(), lines.len());
        }
    }

    #[test]
    fn any_bytes_at_any_time_neither_panic_nor_pile_up(chunks in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..300), 0_u64..3000), 1..60)) {
        let mut session = MarlinSession::new(Settings::default());
        let mut sim = MarlinSim::new(Faults::default(), Record::default(), speed(1));
        session.handle(Tick(0), Input::Opened);
        let mut now = 0;
        for (bytes, wait) in chunks {
            now += wait;
            session.handle(Tick(now), Input::Received(&bytes));
            session.handle(Tick(now), Input::Timeout);
            let mut outputs = 0;
            while !matches!(session.poll(), Output::Wait(_)) {
                outputs += 1;
                prop_assert!(outputs < 400);
            }
            crate::sim::devices::Device::receive(&mut sim, Tick(now), &bytes);
            prop_assert!(crate::sim::devices::Device::take_output(&mut sim).len() < 64 * 1024);
        }
    }
}
