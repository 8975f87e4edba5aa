//! Several lines in flight: as exact as one, and faster.

use super::*;

fn settings() -> Settings {
    Settings { window_lines: 16, buffer_bytes: 1024, ..Settings::default() }
}

fn print_in_window(faults: &str, seed: u64) -> (MarlinPair, String, Duration) {
    let program = program(400);
    let mut pair = pair_of(Firmware::advanced(), settings(), faults, seed);
    start(&mut pair, &program);
    let begin = pair.now;
    pair.until(LONG, is_over);
    let took = pair.now.since(begin);
    (pair, program, took)
}

fn assert_exact_in_window(faults: &str, seed: u64, limit: Duration) {
    let (pair, program, took) = print_in_window(faults, seed);
    assert_eq!(pair.device.executed(), job_lines(&program), "{faults}, seed {seed}");
    assert!(pair.facts.contains(&Fact::Finished { job: job("ring-1") }), "{faults}: {:?}", pair.facts.last());
    assert!(took <= limit, "{faults} took {took:?}");
}

#[test]
fn lines_in_flight_make_a_print_faster_and_every_fault_costs_time_alone() {
    let clean = print_in_window("", 1).2;
    assert!(clean * 10 < print("", 1).2 * 7, "{clean:?}");
    for fault in [
        "corrupt-at=100",
        "lose-line-at=100",
        "lose-ok-at=100",
        "mangle-ok-at=100",
        "double-ok-at=100",
        "garbage-ok-at=100",
        "refuse-at=100:1,resend-only-at=100",
    ] {
        // After a loss the next 200 lines go one by one.
        assert_exact_in_window(fault, 1, clean * 2 + Duration::from_millis(500));
    }
    assert_exact_in_window("busy-at=100:8", 1, Duration::from_secs(20));
    assert_exact_in_window("silence-at=100:20", 1, Duration::from_secs(40));
}

#[test]
fn a_noisy_line_with_lines_in_flight_loses_and_doubles_nothing() {
    for seed in 0..20 {
        assert_exact_in_window("corrupt=0.01", seed, Duration::from_secs(4));
        assert_exact_in_window("corrupt=0.05", seed, LONG);
        assert_exact_in_window(
            "corrupt=0.02,lose-line=0.02,lose-ok=0.02,mangle-ok=0.02,double-ok=0.02,garbage-ok=0.02",
            seed,
            LONG,
        );
    }
}

#[test]
fn after_a_reset_with_lines_in_flight_no_job_line_follows() {
    for fault in
        ["reset-at=100", "quiet-reset-at=100", "kill-at=100", "power-dip-at=100:2", "unplug-at=100:3"]
    {
        let (mut pair, program, _) = print_in_window(fault, 1);
        let at_stop = pair.device.executed().len();
        assert_eq!(pair.device.executed(), &job_lines(&program)[..at_stop], "{fault}");
        assert!(pair.facts.iter().any(|fact| matches!(fact, Fact::Stopped { .. })), "{fault}");
        pair.run(Duration::from_secs(30));
        assert!(!pair.device.executed()[at_stop..].iter().any(|line| line.starts_with('G')), "{fault}");
    }
}

#[test]
fn an_emergency_stop_passes_the_lines_in_flight() {
    let mut pair = pair_of(Firmware::advanced(), settings(), "", 1);
    start(&mut pair, &program(400));
    pair.run(Duration::from_millis(200));
    pair.transmitted.clear();
    let pressed = pair.now;

    pair.command(Command::EmergencyStop);
    pair.until(Duration::from_secs(3), |facts| matches!(facts.last(), Some(Fact::Offline { .. })));

    assert!(pair.transmitted.starts_with(b"\nM112\n"));
    let took = pair.now.since(pressed);
    assert!(pair.device.is_halted() && took < Duration::from_millis(50), "{took:?} {:?}", pair.facts);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_faults_never_lose_or_double_a_line_in_flight(seed: u64, at in 1_u64..200, kind in 0_usize..10) {
        let kinds = ["reset", "quiet-reset", "kill", "unplug", "silence", "busy", "refuse", "lose-ok", "lose-line", "corrupt"];
        let faults = format!("corrupt=0.02,lose-ok=0.01,lose-line=0.01,{}-at={at}", kinds[kind]);
        let (pair, text, _) = print_in_window(&faults, seed);
        let lines = job_lines(&text);
        let executed: Vec<String> = pair.device.executed().iter().filter(|line| line.starts_with("G1")).cloned().collect();
        prop_assert!(executed.len() <= lines.len() && executed == lines[..executed.len()]);
        if pair.facts.contains(&Fact::Finished { job: job("ring-1") }) {
            prop_assert_eq!(executed.len(), lines.len());
        }
    }
}
