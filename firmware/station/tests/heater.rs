//! The heater as the daemon, the thermocouple and a person see it, with doubles for the pins.
#![expect(clippy::unwrap_used, clippy::unwrap_in_result, reason = "test helpers")]

use std::cell::Cell;
use std::convert::Infallible;
use std::rc::Rc;

use proptest::prelude::*;
use sprue_station::embedded_hal::digital::{Error, ErrorKind, ErrorType, OutputPin};
use sprue_station::{Door, Limits, Refusal, Sample, Station, serve};
use sprue_station_protocol::Celsius;
use sprue_station_protocol::map::{self, Command, Fault, Report, State, Want};
use sprue_station_protocol::modbus::master::{Reply, Request};
use sprue_station_protocol::modbus::server::{IDLE_MS, Receiver};
use sprue_station_protocol::modbus::{Exception, Unit};

const TICK_MS: u64 = 100;

/// A pin that remembers its level.
#[derive(Clone, Default)]
struct Pin(Rc<Cell<bool>>);

impl ErrorType for Pin {
    type Error = Infallible;
}

impl OutputPin for Pin {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.0.set(false);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.0.set(true);
        Ok(())
    }
}

/// A pin behind an expander that can't be switched on.
struct BrokenPin;

#[derive(Debug)]
struct Stuck;

impl Error for Stuck {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

impl ErrorType for BrokenPin {
    type Error = Stuck;
}

impl OutputPin for BrokenPin {
    fn set_low(&mut self) -> Result<(), Stuck> {
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Stuck> {
        Err(Stuck)
    }
}

/// A station on a bench: pins to look at, a clock to move, a temperature to set.
struct Bench {
    station: Station<Pin, Pin>,
    heater: Pin,
    contactor: Pin,
    now_ms: u64,
    celsius: f32,
    door: Door,
}

impl Bench {
    fn at(celsius: f32) -> Self {
        let (heater, contactor) = (Pin::default(), Pin::default());
        heater.0.set(true);
        contactor.0.set(true);
        let station = Station::new(0, heater.clone(), contactor.clone(), limits(), (0, 1));
        Self { station, heater, contactor, now_ms: 0, celsius, door: Door::Closed }
    }

    fn holding(celsius: f32, setpoint: f32) -> Self {
        let mut bench = Self::at(celsius);
        bench.tick();
        bench.hold(setpoint).unwrap();
        bench.tick();
        bench
    }

    fn hold(&mut self, setpoint: f32) -> Result<(), Refusal> {
        self.station.command(self.now_ms, &hold(setpoint))
    }

    fn tick(&mut self) {
        self.tick_with(Sample::Reading(Celsius(self.celsius)));
    }

    fn tick_with(&mut self, sample: Sample) {
        self.now_ms += TICK_MS;
        self.station.tick(self.now_ms, sample, self.door);
    }

    /// Time passes under a daemon that keeps asking for the same, the temperature moving steadily.
    fn run(&mut self, seconds: u32, kelvin_per_second: f32, setpoint: f32) {
        for _ in 0..seconds * 10 {
            self.celsius += kelvin_per_second / 10.0;
            let _ = self.hold(setpoint);
            self.tick();
        }
    }

    fn is_heating(&self) -> bool {
        self.heater.0.get() && self.contactor.0.get()
    }

    fn is_dead(&self) -> bool {
        !self.heater.0.get() && !self.contactor.0.get()
    }

    fn state(&self) -> State {
        self.station.report().state
    }
}

fn limits() -> Limits {
    Limits::new(Celsius(850.0), 1.0).unwrap()
}

fn hold(setpoint: f32) -> Command {
    Command { nonce: 1, lease_ms: 3_000, want: Want::Hold(Celsius(setpoint)), ceiling: Celsius(1_000.0) }
}

#[test]
fn everything_is_off_after_a_start_whatever_the_pins_were() {
    let mut bench = Bench::at(20.0);
    assert!(bench.is_dead());

    bench.tick();

    assert!(bench.is_dead());
    assert_eq!(bench.state(), State::Off);
}

#[test]
fn a_fresh_command_heats_to_the_setpoint_and_no_further() {
    let mut bench = Bench::holding(20.0, 150.0);
    assert!(bench.is_heating());

    bench.run(131, 1.0, 150.0);

    assert!(!bench.heater.0.get(), "still on at {}", bench.celsius);
    assert!(bench.contactor.0.get());
    bench.run(3, -1.0, 150.0);
    assert!(bench.is_heating());
}

#[test]
fn heater_goes_off_when_the_daemon_is_silent() {
    let mut bench = Bench::holding(20.0, 500.0);
    let lease_ticks = 3_000 / TICK_MS - 1;

    (1..lease_ticks).for_each(|_| bench.tick());
    assert!(bench.is_heating());
    bench.tick();

    assert!(bench.is_dead());
    assert_eq!(bench.state(), State::Off);
    bench.hold(500.0).unwrap();
    bench.tick();
    assert!(bench.is_heating(), "a daemon that is back heats on");
}

#[test]
fn an_off_command_switches_off_before_the_next_tick() {
    let mut bench = Bench::holding(20.0, 500.0);

    bench.station.command(bench.now_ms, &Command { want: Want::Off, ..hold(0.0) }).unwrap();

    assert!(bench.is_dead());
}

#[test]
fn looking_does_not_keep_the_heater_on() {
    let mut bench = Bench::holding(20.0, 500.0);

    for nonce in 0..30 {
        bench.station.look(nonce);
        bench.tick();
    }

    assert!(bench.is_dead());
}

#[test]
fn one_bad_sample_stops_the_heat_and_five_trip() {
    let mut bench = Bench::holding(20.0, 500.0);

    bench.tick_with(Sample::Bad);
    assert!(!bench.heater.0.get());
    assert_eq!(bench.state(), State::Holding);
    (0..4).for_each(|_| bench.tick_with(Sample::Bad));

    assert!(bench.is_dead());
    assert_eq!(bench.state(), State::Tripped(Fault::Sensor));
}

#[test]
fn a_silent_a_jumping_and_a_nonsense_sensor_trip() {
    let samples = [Sample::None, Sample::Reading(Celsius(90.0)), Sample::Reading(Celsius(f32::NAN))];
    for sample in samples {
        let mut bench = Bench::holding(20.0, 500.0);
        for _ in 0..20 {
            bench.hold(500.0).unwrap();
            bench.tick_with(sample);
        }
        assert_eq!(bench.state(), State::Tripped(Fault::Sensor), "{sample:?}");
        assert!(bench.is_dead());
    }
}

#[test]
fn a_sensor_that_is_bad_every_third_time_trips() {
    let mut bench = Bench::holding(20.0, 500.0);
    for _ in 0..20 {
        bench.hold(500.0).unwrap();
        bench.tick_with(Sample::Bad);
        bench.tick();
        bench.tick();
    }
    assert_eq!(bench.state(), State::Tripped(Fault::Sensor));
}

#[test]
fn the_lower_of_both_ceilings_trips() {
    let mut bench = Bench::holding(20.0, 60.0);
    bench.station.command(bench.now_ms, &Command { ceiling: Celsius(80.0), ..hold(60.0) }).unwrap();
    bench.celsius = 20.0;
    while bench.celsius < 79.0 && bench.state() == State::Holding {
        bench.celsius += 0.1;
        bench.station.command(bench.now_ms, &Command { ceiling: Celsius(80.0), ..hold(60.0) }).unwrap();
        bench.tick();
    }
    assert_eq!(bench.state(), State::Holding);
    bench.celsius = 80.0;
    bench.tick();
    assert_eq!(bench.state(), State::Tripped(Fault::Ceiling));

    let mut hot = Bench::at(850.0);
    hot.tick();
    assert_eq!(
        hot.state(),
        State::Tripped(Fault::Ceiling),
        "the board's own ceiling holds without a command"
    );
}

#[test]
fn a_setpoint_near_the_ceiling_is_refused_and_the_old_lease_runs_out() {
    let mut bench = Bench::holding(20.0, 500.0);

    assert_eq!(bench.hold(830.1), Err(Refusal::Setpoint));
    assert_eq!(bench.hold(f32::NAN), Err(Refusal::Setpoint));
    (0..30).for_each(|_| bench.tick());

    assert!(bench.is_dead());
    assert!(bench.hold(830.0).is_ok());
}

#[test]
fn a_reading_that_rises_faster_than_a_kiln_trips() {
    let mut slow = Bench::holding(20.0, 500.0);
    slow.run(60, 1.8, 500.0);
    assert_eq!(slow.state(), State::Holding);

    let mut fast = Bench::holding(20.0, 500.0);
    fast.run(7, 2.5, 500.0);
    assert_eq!(fast.state(), State::Tripped(Fault::RisesTooFast));
}

#[test]
fn full_power_without_heat_trips_after_a_quarter_of_an_hour() {
    let mut bench = Bench::holding(20.0, 500.0);
    bench.run(890, 0.001, 500.0);
    assert_eq!(bench.state(), State::Holding);

    bench.run(20, 0.001, 500.0);

    assert_eq!(bench.state(), State::Tripped(Fault::NoRise));
}

#[test]
fn a_bad_sample_now_and_then_does_not_hide_missing_heat() {
    let mut bench = Bench::holding(20.0, 500.0);
    for _ in 0..910 / 10 {
        bench.run(10, 0.001, 500.0);
        bench.tick_with(Sample::Bad);
    }
    assert_eq!(bench.state(), State::Tripped(Fault::NoRise));
}

#[test]
fn a_thermocouple_that_leaves_the_kiln_trips_but_not_behind_an_open_door() {
    let mut bench = Bench::holding(700.0, 720.0);
    bench.run(12, -2.0, 720.0);
    assert_eq!(bench.state(), State::Tripped(Fault::FallsUnderPower));

    let mut opened = Bench::holding(700.0, 720.0);
    opened.door = Door::Open;
    opened.run(20, -5.0, 720.0);
    assert!(opened.is_dead());
    opened.door = Door::Closed;
    opened.run(30, 3.0, 720.0);
    assert!(opened.is_heating());
    assert_eq!(opened.state(), State::Holding);
}

#[test]
fn far_above_the_setpoint_trips_but_a_kiln_that_cools_to_a_lower_one_does_not() {
    let mut welded = Bench::holding(500.0, 510.0);
    welded.run(45, 1.0, 510.0);
    assert_eq!(welded.state(), State::Tripped(Fault::OverSetpoint));

    let mut cooling = Bench::holding(730.0, 540.0);
    cooling.run(600, -0.2, 540.0);
    assert_eq!(cooling.state(), State::Holding);
}

#[test]
fn a_welded_relay_is_noticed_while_everything_is_off() {
    let mut bench = Bench::at(100.0);
    for _ in 0..310 * 10 {
        bench.celsius += 0.003;
        bench.tick();
    }
    assert_eq!(bench.state(), State::Tripped(Fault::HeatsWhileOff));
}

#[test]
fn a_fault_stays_until_a_person_acknowledges_it_and_its_cause_is_gone() {
    let mut bench = Bench::holding(20.0, 500.0);
    (0..5).for_each(|_| bench.tick_with(Sample::Bad));
    let number = bench.station.report().fault_number;

    assert_eq!(bench.station.acknowledge(number), Err(Refusal::CauseRemains));
    bench.run(5, 0.0, 500.0);
    assert_eq!(bench.state(), State::Tripped(Fault::Sensor), "commands do not clear it");
    assert_eq!(bench.station.acknowledge(number + 1), Err(Refusal::FaultNumber));
    bench.station.acknowledge(number).unwrap();

    assert_eq!(bench.state(), State::Off);
    bench.run(1, 0.0, 500.0);
    assert!(bench.is_heating());
}

#[test]
fn an_output_that_cannot_be_driven_trips_and_opens_the_contactor() {
    let contactor = Pin::default();
    let mut station = Station::new(0, BrokenPin, contactor.clone(), limits(), (0, 1));
    station.tick(10, Sample::Reading(Celsius(20.0)), Door::Closed);
    station.command(10, &hold(500.0)).unwrap();

    station.tick(20, Sample::Reading(Celsius(20.0)), Door::Closed);

    assert_eq!(station.report().state, State::Tripped(Fault::Output));
    assert!(!contactor.0.get());
}

#[test]
fn a_clock_that_runs_backwards_cannot_keep_a_lease_alive() {
    let mut bench = Bench::holding(20.0, 500.0);

    bench.station.tick(bench.now_ms - 1, Sample::Reading(Celsius(20.0)), Door::Closed);

    assert!(bench.is_dead());
    assert_eq!(bench.state(), State::Tripped(Fault::Clock));
}

fn exchange(bench: &mut Bench, request: &Request) -> Result<Report, Exception> {
    let mut receiver = Receiver::new(Unit::new(7).unwrap());
    request.as_bytes().iter().for_each(|byte| receiver.push(bench.now_ms, *byte));
    let asked = receiver.next(bench.now_ms + IDLE_MS).unwrap();
    let answer = serve(&mut bench.station, bench.now_ms, &asked);
    match request.match_reply(answer.as_bytes()).unwrap().unwrap() {
        Reply::Registers(words) => Ok(Report::decode(words, bench.station.report().nonce).unwrap()),
        Reply::Written => Ok(bench.station.report()),
        Reply::Refused(exception) => Err(exception),
    }
}

#[test]
fn the_daemon_commands_reads_and_acknowledges_over_the_wire() {
    let unit = Unit::new(7).unwrap();
    let mut bench = Bench::at(20.0);
    bench.tick();

    let report = exchange(&mut bench, &hold(500.0).exchange(unit).unwrap()).unwrap();
    assert_eq!((report.state, report.setpoint), (State::Holding, Some(Celsius(500.0))));
    assert_eq!((report.reading, report.lease_ms), (Some(Celsius(20.0)), 3_000));

    (0..5).for_each(|_| bench.tick_with(Sample::Bad));
    (0..5).for_each(|_| bench.tick());
    let tripped = exchange(&mut bench, &map::look(unit, 77).unwrap()).unwrap();
    assert_eq!((tripped.state, tripped.nonce), (State::Tripped(Fault::Sensor), 77));
    let report = exchange(&mut bench, &map::acknowledge(unit, tripped.fault_number)).unwrap();
    assert_eq!(report.state, State::Off);
}

#[test]
fn a_write_that_is_not_a_whole_command_changes_nothing() {
    let unit = Unit::new(7).unwrap();
    let mut bench = Bench::at(20.0);
    bench.tick();
    let before = bench.station.report();

    let words = hold(500.0).encode().unwrap();
    let part = Request::write_registers(unit, map::COMMAND_ADDRESS, &words[..4]).unwrap();
    let setpoint_alone = Request::write_register(unit, map::COMMAND_ADDRESS + 3, 5_000);
    let outside = Request::read_write(unit, 10, 16, map::COMMAND_ADDRESS, &words).unwrap();
    let coil = Request::set_coil(unit, 0);

    assert_eq!(exchange(&mut bench, &part), Err(Exception::IllegalValue));
    for request in [setpoint_alone, outside, coil] {
        assert_eq!(exchange(&mut bench, &request), Err(Exception::IllegalAddress));
    }
    assert_eq!(bench.station.report(), before);
}

#[derive(Debug, Clone)]
enum Step {
    Tick(Sample, Door),
    Command(Want, u16),
    Acknowledge(u16),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let sample = prop_oneof![
        Just(Sample::None),
        Just(Sample::Bad),
        (0.0_f32..900.0).prop_map(|celsius| Sample::Reading(Celsius(celsius))),
        Just(Sample::Reading(Celsius(20.0))),
        Just(Sample::Reading(Celsius(21.0))),
    ];
    let door = prop_oneof![4 => Just(Door::Closed), 1 => Just(Door::Open)];
    let want =
        prop_oneof![Just(Want::Off), (0.0_f32..1_000.0).prop_map(|celsius| Want::Hold(Celsius(celsius)))];
    prop_oneof![
        6 => (sample, door).prop_map(|(sample, door)| Step::Tick(sample, door)),
        2 => (want, 1..=map::LEASE_MS_MAX).prop_map(|(want, lease_ms)| Step::Command(want, lease_ms)),
        1 => (0_u16..3).prop_map(Step::Acknowledge),
        1 => (0_u64..6_000).prop_map(Step::Wait),
    ]
}

proptest! {
    /// Whatever comes in whatever order: after a tick the heater is on only under a command whose lease runs,
    /// with a good reading below its setpoint, the door closed and no fault.
    #[test]
    fn the_heater_is_never_on_without_a_reason(steps in prop::collection::vec(step(), 1..200)) {
        let mut bench = Bench::at(20.0);
        let mut allowed: Option<(f32, u64)> = None;
        for step in steps {
            match step {
                Step::Tick(sample, door) => {
                    bench.door = door;
                    bench.tick_with(sample);
                    let report = bench.station.report();
                    prop_assert_eq!(bench.heater.0.get(), report.output_permille > 0);
                    if bench.heater.0.get() {
                        let Some((setpoint, until_ms)) = allowed else { panic!("heats without a command") };
                        prop_assert!(bench.now_ms < until_ms && bench.contactor.0.get() && door == Door::Closed);
                        prop_assert!(report.reading.is_some_and(|reading| reading.0 < setpoint && reading.0 < 850.0));
                        prop_assert_eq!(report.state, State::Holding);
                    }
                }
                Step::Command(want, lease_ms) => {
                    let command = Command { want, lease_ms, ..hold(0.0) };
                    if bench.station.command(bench.now_ms, &command).is_ok() {
                        allowed = match want {
                            Want::Off => None,
                            Want::Hold(setpoint) => Some((setpoint.0, bench.now_ms + u64::from(lease_ms))),
                        };
                    }
                }
                Step::Acknowledge(number) => {
                    let _ = bench.station.acknowledge(number);
                }
                Step::Wait(ms) => bench.now_ms += ms,
            }
        }
    }
}
