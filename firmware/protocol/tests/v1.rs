//! The bytes of register map version 1. They never change; a new version gets a new file.
#![expect(clippy::unwrap_used, clippy::unwrap_in_result, reason = "test helpers")]

use sprue_station_protocol::Celsius;
use sprue_station_protocol::map::{self, BadReport, Command, Fault, LEASE_MS_MAX, Report, State, Want};
use sprue_station_protocol::modbus::Unit;
use sprue_station_protocol::modbus::master::{Reply, Request};
use sprue_station_protocol::modbus::server::{Ask, Asked, IDLE_MS, Receiver};

const UNIT: Unit = Unit::new(7).unwrap();

const COMMAND: Command =
    Command { nonce: 0xBEEF, lease_ms: 3000, want: Want::Hold(Celsius(730.0)), ceiling: Celsius(850.5) };

const REPORT: Report = Report {
    firmware: (1, 2),
    nonce: 0xBEEF,
    state: State::Tripped(Fault::NoRise),
    fault_number: 3,
    reading: Some(Celsius(-12.3)),
    setpoint: None,
    ceiling: Celsius(850.5),
    output_permille: 1000,
    lease_ms: 2999,
    door_open: true,
    uptime_s: 0x0001_0002,
};

const REPORT_WORDS: [u16; 16] =
    [0x5350, 0x5255, 1, 0x0102, 0xBEEF, 2, 4, 3, 0xFF85, 0x8000, 0x2139, 1000, 2999, 1, 2, 1];

fn asked(request: &Request) -> Asked {
    let mut receiver = Receiver::new(UNIT);
    request.as_bytes().iter().for_each(|byte| receiver.push(0, *byte));
    receiver.next(IDLE_MS).unwrap()
}

/// The board answers with these registers; the daemon reads them as a report.
fn decode(words: &[u16; 16], nonce: u16) -> Result<Report, BadReport> {
    let request = map::look(UNIT, nonce).unwrap();
    let answer = asked(&request).answer_registers(words);
    match request.match_reply(answer.as_bytes()).unwrap().unwrap() {
        Reply::Registers(words) => Report::decode(words, nonce),
        Reply::Written | Reply::Refused(_) => panic!("not registers"),
    }
}

#[test]
fn the_command_exchange_has_these_bytes() {
    let request = COMMAND.exchange(UNIT).unwrap();

    let expected = [
        0x07, 0x17, 0x00, 0x00, 0x00, 0x10, 0x00, 0x20, 0x00, 0x05,
        0x0A, // read 16 from 0, write 5 at 0x20
        0xBE, 0xEF, 0x0B, 0xB8, 0x00, 0x01, 0x1C, 0x84, 0x21, 0x39,
    ];
    assert_eq!(request.as_bytes()[..expected.len()], expected);
    let asked = asked(&request);
    let Ok(Ask::ReadWrite { values, .. }) = asked.ask() else { panic!("not function 23") };
    assert_eq!(Command::decode(values), Some(COMMAND));
}

#[test]
fn a_look_writes_the_nonce_alone_and_an_acknowledgement_the_fault_number() {
    let look = map::look(UNIT, 5).unwrap();
    let acknowledge = map::acknowledge(UNIT, 3);

    assert_eq!(look.as_bytes()[..13], [7, 0x17, 0, 0, 0, 16, 0, 0x20, 0, 1, 2, 0, 5]);
    assert_eq!(acknowledge.as_bytes()[..6], [7, 6, 0, 0x28, 0, 3]);
}

#[test]
fn the_report_has_these_registers_and_reads_back() {
    assert_eq!(REPORT.encode(), REPORT_WORDS);
    assert_eq!(decode(&REPORT_WORDS, 0xBEEF), Ok(REPORT));
}

#[test]
fn a_report_that_is_late_foreign_or_of_another_version_is_refused() {
    assert_eq!(decode(&REPORT_WORDS, 1), Err(BadReport::Stale { got: 0xBEEF, expected: 1 }));
    for (register, value, reason) in [
        (0, 0, BadReport::Magic),
        (2, 2, BadReport::Version { got: 2 }),
        (5, 3, BadReport::Value { register: 5 }),
        (6, 10, BadReport::Value { register: 6 }),
        (10, 0x8000, BadReport::Value { register: 10 }),
        (15, 2, BadReport::Value { register: 15 }),
        (11, 1001, BadReport::Value { register: 11 }),
    ] {
        let mut words = REPORT_WORDS;
        words[register] = value;
        assert_eq!(decode(&words, 0xBEEF), Err(reason));
    }
}

#[test]
fn fault_codes_keep_their_numbers() {
    let codes: Vec<u16> = Fault::ALL.iter().map(|fault| fault.code()).collect();
    assert_eq!(codes, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!((Fault::from_code(0), Fault::from_code(10)), (None, None));
}

#[test]
fn a_command_that_makes_no_sense_is_not_decoded() {
    let good = COMMAND.encode().unwrap();
    for (register, value) in [(1, 0), (1, LEASE_MS_MAX + 1), (2, 2), (2, 0), (3, 0x8000), (4, 0x8000)] {
        let mut words = good;
        words[register] = value;
        let request = Request::write_registers(UNIT, map::COMMAND_ADDRESS, &words).unwrap();
        let asked = asked(&request);
        let Ok(Ask::Write { values, .. }) = asked.ask() else { panic!("not a write") };
        assert_eq!(Command::decode(values), None, "register {register} = {value}");
    }
}

#[test]
fn a_temperature_that_is_no_number_is_not_sent() {
    for setpoint in [f32::NAN, f32::INFINITY, 3276.8, -3276.8] {
        let command = Command { want: Want::Hold(Celsius(setpoint)), ..COMMAND };
        assert!(command.exchange(UNIT).is_err(), "{setpoint}");
    }
}
