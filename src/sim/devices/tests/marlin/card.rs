//! Prints from the printer's own card: they arrive whole, and go on while nobody is there.

use super::*;

fn settings() -> Settings {
    Settings { card: true, ..Settings::default() }
}

fn card_pair(faults: &str, seed: u64, times: u32) -> MarlinPair {
    let faults = Faults::parse(faults).unwrap().seeded(seed);
    Pair::new(MarlinSession::new(settings()), MarlinSim::new(faults, Record::default(), speed(times)))
}

fn started(pair: &mut MarlinPair, text: &str) {
    start(pair, text);
    pair.until(LONG, |facts| facts.contains(&Fact::Started { job: job("ring-1") }));
}

fn stored(text: &str) -> Vec<u8> {
    job_lines(text).iter().flat_map(|line| format!("{line}\r\n").into_bytes()).collect()
}

#[test]
fn a_file_is_written_checked_printed_and_its_progress_told() {
    let text = program(400);
    let mut pair = card_pair("", 1, 10);
    started(&mut pair, &text);
    assert_eq!(pair.device.files().get("RING-1.GCO"), Some(&stored(&text)));

    pair.until(LONG, is_over);

    assert_eq!(pair.device.executed(), job_lines(&text));
    assert!(pair.facts.contains(&Fact::Finished { job: job("ring-1") }), "{:?}", pair.facts.last());
    assert!(pair.facts.iter().any(|fact| matches!(fact, Fact::Progress { done, total, .. } if done < total)));
    let [Entry::UploadCompleted { .. }, Entry::PrintStarted { .. }, .., Entry::PrintFinished { .. }] =
        pair.device.record().entries()
    else {
        panic!("{:?}", pair.device.record().entries())
    };
}

#[test]
fn a_noisy_line_writes_the_file_whole() {
    let text = program(200);
    for seed in 0..10 {
        let mut pair = card_pair("corrupt=0.01,lose-line=0.01,lose-ok=0.01", seed, 10);
        pair.until(LONG, is_online);
        pair.command(Command::Load { job: job("ring-1"), file: text.as_bytes().into() });
        pair.until(LONG, |facts| facts.contains(&Fact::Loaded { job: job("ring-1") }) || is_over(facts));
        if pair.facts.contains(&Fact::Loaded { job: job("ring-1") }) {
            assert_eq!(pair.device.files().get("RING-1.GCO"), Some(&stored(&text)), "seed {seed}");
        }
    }
}

#[test]
fn a_full_card_is_told_and_nothing_is_started() {
    let mut pair = card_pair("card-full-at=50", 1, 10);
    pair.until(LONG, is_online);
    pair.command(Command::Load { job: job("ring-1"), file: program(100).into_bytes().into() });
    pair.until(LONG, is_over);

    let Some(Fact::LoadFailed { reason, .. }) = pair.facts.last() else { panic!("{:?}", pair.facts.last()) };
    assert!(reason.contains("room"), "{reason}");
    assert!(pair.device.files().is_empty() && pair.device.executed().is_empty());
}

#[test]
fn a_pulled_cable_and_a_new_daemon_find_the_print_again() {
    let text = program(2000);
    let mut pair = card_pair("", 1, 1);
    started(&mut pair, &text);
    pair.run(Duration::from_secs(3));

    pair.unplug();
    pair.run(Duration::from_secs(5));
    pair.facts.clear();
    pair.plug_in();
    pair.until(Duration::from_secs(3), is_online);
    let printing = Fact::Report(Doing::Printing { job: Some(job("ring-1")), paused: false });
    assert!(pair.facts.contains(&printing), "{:?}", pair.facts);

    pair.facts.clear();
    pair.session = MarlinSession::new(settings());
    pair.plug_in();
    pair.until(Duration::from_secs(3), is_online);
    assert!(pair.facts.contains(&printing), "{:?}", pair.facts);
    pair.until(LONG, is_over);
    assert!(pair.facts.contains(&Fact::Finished { job: job("ring-1") }), "{:?}", pair.facts.last());
    assert_eq!(pair.device.executed(), job_lines(&text));
}

#[test]
fn a_cable_pulled_while_a_file_is_written_leaves_a_printer_that_can_be_used() {
    let mut pair = card_pair("", 1, 10);
    pair.until(LONG, is_online);
    pair.command(Command::Load { job: job("ring-1"), file: program(400).into_bytes().into() });
    pair.run(Duration::from_millis(200));
    pair.unplug();
    assert!(!is_over(&pair.facts));
    pair.run(Duration::from_secs(1));
    assert!(pair.facts.iter().any(|fact| matches!(fact, Fact::LoadFailed { .. })), "{:?}", pair.facts);

    pair.facts.clear();
    pair.plug_in();
    let text = program(50);
    started(&mut pair, &text);
    pair.until(LONG, is_over);
    assert_eq!(pair.device.executed(), job_lines(&text));
}

#[test]
fn pause_resume_cancel_and_reset_are_followed() {
    let mut pair = card_pair("", 1, 5);
    started(&mut pair, &program(400));
    pair.command(Command::Pause);
    pair.until(LONG, |facts| matches!(facts.last(), Some(Fact::Paused { .. })));
    let at_pause = pair.device.executed().len();
    pair.run(Duration::from_secs(60));
    assert_eq!(pair.device.executed().len(), at_pause);
    pair.command(Command::Resume);
    pair.until(LONG, |facts| facts.iter().any(|fact| matches!(fact, Fact::Resumed { .. })));
    pair.run(Duration::from_secs(2));
    pair.command(Command::Cancel);
    pair.until(LONG, is_over);
    let at_cancel = pair.device.executed().len();
    assert!(at_cancel > at_pause && at_cancel < 400);
    assert!(
        pair.facts.iter().any(|fact| matches!(fact, Fact::Stopped { reason, .. } if reason == "cancelled"))
    );

    let mut pair = card_pair("", 1, 5);
    started(&mut pair, &program(400));
    pair.run(Duration::from_secs(2));
    pair.device.power_cycle();
    pair.until(Duration::from_secs(5), is_over);
    assert!(
        pair.facts
            .iter()
            .any(|fact| matches!(fact, Fact::Stopped { reason, .. } if reason.contains("reset")))
    );
}

/// Where the plug is pulled fifty times (`SPRUE_CYCLES` says otherwise), each time within a line.
#[test]
fn a_plug_pulled_at_any_byte_is_taken_up_again_within_ten_seconds() {
    let cycles = std::env::var("SPRUE_CYCLES").ok().and_then(|text| text.parse().ok()).unwrap_or(50_u32);
    let (text, mut random) = (program(100), 1_u64);
    let mut pair = card_pair("", 1, 1);
    for cycle in 0..cycles {
        pair.until(LONG, |facts| {
            matches!(facts.last(), Some(Fact::Report(_) | Fact::Temperatures(_))) || is_online(facts)
        });
        if cycle % 2 == 0 {
            pair.command(Command::Load { job: job("ring-1"), file: text.as_bytes().into() });
        }
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        pair.run(Duration::from_millis(random >> 55));
        let cut = usize::try_from(random >> 60).unwrap();
        let half = &b"N1000042 G1 X12*34"[..cut];
        crate::sim::devices::Device::receive(&mut pair.device, pair.now, half);
        pair.session.handle(pair.now, Input::Received(&b"ok T:20.00 /0.00"[..cut]));
        pair.unplug();
        pair.run(Duration::from_millis(500));
        pair.facts.clear();
        pair.plug_in();
        pair.until(Duration::from_secs(10), is_online);
        assert!(!is_over(&pair.facts), "cycle {cycle}: {:?}", pair.facts);
    }
    pair.command(Command::Load { job: job("last"), file: text.as_bytes().into() });
    pair.until(LONG, |facts| facts.contains(&Fact::Loaded { job: job("last") }));
    assert_eq!(pair.device.files().get("LAST.GCO"), Some(&stored(&text)));
}
