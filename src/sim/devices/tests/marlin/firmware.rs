//! The simulated firmware against what was recorded from a real one, and the session against firmware that isn't
//! as it should be.

use super::*;
use crate::devices::drivers::marlin::Dialect;
use crate::sim::devices::Device;
use crate::sim::devices::marlin::EmergencyParser;

fn advanced() -> MarlinSim {
    let mut sim =
        MarlinSim::with_firmware(Firmware::advanced(), Faults::default(), Record::default(), speed(1));
    sim.advance(Tick(0));
    sim.take_output();
    sim
}

fn answer(sim: &mut MarlinSim, at: u64, line: &str) -> String {
    sim.receive(Tick(at), format!("{line}\n").as_bytes());
    String::from_utf8(sim.take_output()).unwrap()
}

#[test]
fn the_simulated_firmware_answers_as_the_real_one_was_recorded() {
    let mut sim = advanced();
    let overlong = format!("N4 G1 X{}*1", "1".repeat(120));
    let recorded = [
        ("N0 M110 N0*125", "ok N0 P15 B31\n"),
        ("N1 G91*18", "ok N1 P15 B31\n"),
        ("N2 M105*37", "ok T:21.00 /0.00 B:21.00 /0.00 @:0 B@:0\n"),
        ("N3 G1 X5*98", "ok N3 P14 B31\n"),
        ("G92 E0", "ok P14 B31\n"),
        ("N4 G1 X5*0", "Error:checksum mismatch, Last Line: 3\nResend: 4\nok\n"),
        ("N9 G1 X5*104", "Error:Line Number is not Last Line Number+1, Last Line: 3\nResend: 4\nok\n"),
        ("N3 G1 X5*98", "Error:Line Number is not Last Line Number+1, Last Line: 3\nResend: 4\nok\n"),
        ("N4 G1 X5", "Error:No Checksum with line number, Last Line: 3\nResend: 4\nok\n"),
        (&overlong, "Error:No Checksum with line number, Last Line: 3\nResend: 4\nok\n"),
        ("", ""),
        ("XYZZY", "echo:Unknown command: \"XYZZY\"\nok P14 B31\n"),
        ("m105", "echo:Unknown command: \"m105\"\nok P14 B31\n"),
        ("N0 M110 N100*125", "ok N0 P14 B31\n"),
        ("N101 M82*36", "ok N101 P14 B31\n"),
    ];
    for (sent, expected) in recorded {
        assert_eq!(answer(&mut sim, 1, &with_checksum(sent)), expected, "{sent}");
    }

    assert_eq!(answer(&mut sim, 2, "G4 P5000"), "//action:notification Sleep...\n");
    sim.advance(Tick(2003));
    assert_eq!(sim.take_output(), b"echo:busy: processing\n");
    sim.advance(Tick(5003));
    assert_eq!(sim.take_output(), b"ok P15 B31\n");
}

/// Puts the right checksum in the place of one that isn't 0 or 1.
fn with_checksum(line: &str) -> String {
    match line.rsplit_once('*') {
        Some((body, sum)) if !matches!(sum, "0" | "1") => {
            format!("{body}*{}", body.bytes().fold(0, |sum, byte| sum ^ byte))
        }
        _ => line.to_owned(),
    }
}

#[test]
fn a_printer_that_only_claims_to_see_emergencies_is_reported_in_time() {
    let firmware = Firmware { emergency_parser: EmergencyParser::IsClaimed, ..Firmware::default() };
    let sim = MarlinSim::with_firmware(firmware, Faults::default(), Record::default(), speed(1));
    let mut pair = Pair::new(MarlinSession::new(Settings::default()), sim);
    start(&mut pair, &format!("M109 S230\n{}", program(100)));
    pair.run(Duration::from_secs(10));

    let pressed = pair.now;
    pair.command(Command::EmergencyStop);
    pair.until(Duration::from_secs(3), |facts| matches!(facts.last(), Some(Fact::Offline { .. })));

    let took = pair.now.since(pressed);
    assert!(took <= Duration::from_millis(1510), "{took:?} {:?}", pair.facts);
    let denied =
        |fact: &Fact| matches!(fact, Fact::Fault { code, .. } if code == "emergency-stop-not-confirmed");
    assert!(pair.facts.iter().any(denied), "{:?}", pair.facts);
    assert!(!pair.device.is_halted());
}

#[test]
fn a_cold_nozzle_stops_the_print_and_cools_down() {
    let (pair, program, _) = print("cold-extrusion-at=100", 1);

    assert!(
        pair.facts.iter().any(|fact| matches!(fact, Fact::Fault { code, .. } if code == "cold-extrusion"))
    );
    let moved: Vec<String> =
        pair.device.executed().iter().filter(|line| line.starts_with("G1")).cloned().collect();
    assert!(moved.len() <= 102 && moved == job_lines(&program)[..moved.len()], "{}", moved.len());
    assert!(pair.device.executed().ends_with(&["M104 S0".into(), "M140 S0".into(), "M107".into()]));
}

#[test]
fn another_machine_on_the_same_line_is_refused() {
    let mut pair = pair("", 1);
    pair.until(LONG, is_online);
    pair.unplug();
    let other = Firmware { machine: "Other".into(), ..Firmware::default() };
    pair.device = MarlinSim::with_firmware(other, Faults::default(), Record::default(), speed(1000));
    pair.facts.clear();
    pair.plug_in();
    pair.run(Duration::from_secs(10));

    let Some(Fact::Offline { reason }) = pair.facts.last() else { panic!("{:?}", pair.facts) };
    assert!(reason.contains("\"Other\" answers instead of \"Simulated\""), "{reason}");

    pair.unplug();
    pair.device = MarlinSim::new(Faults::default(), Record::default(), speed(1000));
    pair.facts.clear();
    pair.plug_in();
    pair.until(Duration::from_secs(3), is_online);
}

#[test]
fn a_garbled_name_is_not_taken_for_another_machine() {
    for seed in 0..40 {
        let mut pair = pair("corrupt=0.05", seed);
        pair.until(LONG, is_online);
        pair.unplug();
        pair.facts.clear();
        pair.plug_in();
        pair.until(LONG, is_online);
    }
}

#[test]
fn klipper_is_driven_only_where_it_is_named_and_an_error_stops_the_print() {
    let klipper = || Dialect::try_from("klipper".to_owned()).unwrap();
    let (_, refused) = greeted(Settings::default());
    assert!(
        matches!(refused.last(), Some(Fact::Offline { reason }) if reason.contains("klipper")),
        "{refused:?}"
    );

    let (mut session, online) = greeted(Settings { dialect: klipper(), ..Settings::default() });
    assert!(online.iter().any(|fact| matches!(fact, Fact::Online { .. })), "{online:?}");
    let file = b"G1 X1\nG1 X2\nG1 X3\n".as_slice();
    session.handle(Tick(9000), Input::Command(Command::Load { job: job("k"), file: file.into() }));
    session.handle(Tick(9000), Input::Timeout);
    session.handle(Tick(9000), Input::Command(Command::Start { job: job("k"), expected: LONG }));
    let (mut sent, mut facts) = (String::new(), Vec::new());
    for at in 9001..9020 {
        let answer: &[u8] = if sent.contains("G1 X2") && !sent.contains("M104") {
            b"!! Must home axis first\nok\n"
        } else {
            b"ok\n"
        };
        session.handle(Tick(at), Input::Received(answer));
        loop {
            match session.poll() {
                Output::Transmit(bytes) => sent.push_str(&String::from_utf8(bytes).unwrap()),
                Output::Fact(fact) => facts.push(fact),
                Output::Wait(_) => break,
            }
        }
    }
    assert!(!sent.contains("G1 X3") && sent.contains("M104 S0"), "{sent}");
    assert!(
        facts.iter().any(|fact| matches!(fact, Fact::Stopped { reason, .. } if reason.contains("Must home")))
    );
}

/// A session that was greeted by Klipper, and what it said.
fn greeted(settings: Settings) -> (MarlinSession, Vec<Fact>) {
    let mut session = MarlinSession::new(settings);
    session.handle(Tick(0), Input::Opened);
    let mut facts = Vec::new();
    for at in (0..4000).step_by(100) {
        session.handle(Tick(at), Input::Timeout);
        let mut answers = Vec::new();
        loop {
            match session.poll() {
                Output::Transmit(bytes) if bytes.windows(4).any(|word| word == b"M115") => {
                    answers.extend(b"ok FIRMWARE_NAME:Klipper FIRMWARE_VERSION:v0.13\n");
                }
                Output::Transmit(_) => answers.extend(b"ok\n"),
                Output::Fact(fact) => facts.push(fact),
                Output::Wait(_) => break,
            }
        }
        session.handle(Tick(at), Input::Received(&answers));
    }
    (session, facts)
}
