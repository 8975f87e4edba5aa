//! The heater, the safety contactor and the command they obey.
//!
//! ```text
//!            fresh hold command              lease ends, or off command
//!    Off  -------------------->  Holding  ------------------------------>  Off
//!     |                             |
//!     +---------- fault ------------+--->  Tripped  --- acknowledged, cause gone --->  Off
//! ```
//!
//! Both outputs are off in `Off` and `Tripped`, and while the door is open. In `Holding` the contactor is closed, and the heater is on
//! below the setpoint by more than the band, off at the setpoint.

use core::fmt;

use embedded_hal::digital::OutputPin;
use sprue_station_protocol::Celsius;
use sprue_station_protocol::map::{Command, Fault, Report, State, Want};

use crate::guard::{Guard, Heat};

/// A setpoint stays this far below the ceiling, or overshoot would trip. Source: safety list, row 9.
const CEILING_MARGIN_KELVIN: f32 = 20.0;

/// What the board's maker builds in. No defaults: each kiln has its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    ceiling: Celsius,
    band_kelvin: f32,
}

/// Limits that would not protect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadLimits {
    /// The ceiling is not a temperature from 0 to 1300 degC (K and N thermocouples end there).
    Ceiling,
    /// The switching band is not from 0.1 to 10 K.
    Band,
}

impl Limits {
    /// `ceiling`: at this reading the heater trips. `band_kelvin`: how far below the setpoint it switches on.
    ///
    /// # Errors
    /// `BadLimits` names the one that makes no sense.
    pub fn new(ceiling: Celsius, band_kelvin: f32) -> Result<Self, BadLimits> {
        if !(0.0..=1300.0).contains(&ceiling.0) {
            return Err(BadLimits::Ceiling);
        }
        if !(0.1..=10.0).contains(&band_kelvin) {
            return Err(BadLimits::Band);
        }
        Ok(Self { ceiling, band_kelvin })
    }
}

/// What the thermocouple converter gave since the last tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sample {
    /// Nothing new yet.
    None,
    /// It reports a fault, or does not answer as it was configured.
    Bad,
    /// A new reading.
    Reading(Celsius),
}

/// What the door switch says. A board without one wires the door into the contactor and says `Closed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Heat is possible.
    Closed,
    /// No heat; a hold goes on when it closes again.
    Open,
}

/// Why the station did not do what it was told. Nothing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The setpoint is not at least 20 K below the ceiling in force.
    Setpoint,
    /// The ceiling is not a number above 0.
    Ceiling,
    /// No fault with this number stands.
    FaultNumber,
    /// The cause of the fault is still there.
    CauseRemains,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Setpoint => "the setpoint is too near the ceiling: choose one at least 20 K below",
            Self::Ceiling => "the ceiling makes no sense",
            Self::FaultNumber => "no fault with this number stands: read the report again",
            Self::CauseRemains => "the cause of the fault is still there: remove it first",
        })
    }
}

impl core::error::Error for Refusal {}

/// A hold command that is being obeyed.
#[derive(Debug, Clone, Copy)]
struct Hold {
    setpoint: Celsius,
    ceiling: Celsius,
    until_ms: u64,
}

#[derive(Debug, Clone, Copy)]
enum Mode {
    Off,
    Holding(Hold),
    Tripped(Fault),
}

/// One heater with its contactor.
#[derive(Debug)]
pub struct Station<H, C> {
    heater: H,
    contactor: C,
    firmware: (u8, u8),
    limits: Limits,
    guard: Guard,
    mode: Mode,
    door: Door,
    nonce: u16,
    fault_number: u16,
    heating: bool,
    started_ms: u64,
    now_ms: u64,
}

impl<H: OutputPin, C: OutputPin> Station<H, C> {
    /// Takes the pins and switches both off.
    pub fn new(now_ms: u64, heater: H, contactor: C, limits: Limits, firmware: (u8, u8)) -> Self {
        let mut station = Self {
            heater,
            contactor,
            firmware,
            limits,
            guard: Guard::default(),
            mode: Mode::Off,
            door: Door::Closed,
            nonce: 0,
            fault_number: 0,
            heating: false,
            started_ms: now_ms,
            now_ms,
        };
        station.drive(false, false);
        station
    }

    /// One step of control: to be called at least ten times a second, whether there is a sample or not.
    ///
    /// The watchdog of the board may be fed only after this returned.
    pub fn tick(&mut self, now_ms: u64, sample: Sample, door: Door) {
        self.door = door;
        if !self.advance(now_ms) {
            return;
        }
        if let Some(fault) = self.guard.check(now_ms, sample, self.heat()).or_else(|| self.above_ceiling()) {
            self.trip(fault);
        }
        match self.mode {
            Mode::Off | Mode::Tripped(_) => self.drive(false, false),
            Mode::Holding(_) if door == Door::Open => self.drive(false, false),
            Mode::Holding(hold) => {
                let heat = self.wants_heat(hold.setpoint);
                self.drive(true, heat);
            }
        }
    }

    /// Takes a command. A tripped station remembers only its nonce and stays off.
    ///
    /// # Errors
    /// `Refusal` if the command is out of bounds; the one before stays in force until its lease ends.
    pub fn command(&mut self, now_ms: u64, command: &Command) -> Result<(), Refusal> {
        let ceiling = self.ceiling_under(command)?;
        if !self.advance(now_ms) {
            return Ok(());
        }
        let next = match command.want {
            Want::Off => Mode::Off,
            Want::Hold(setpoint) => {
                let in_bounds = setpoint.0 <= ceiling.0 - CEILING_MARGIN_KELVIN;
                let until_ms = now_ms.saturating_add(u64::from(command.lease_ms));
                in_bounds
                    .then_some(Mode::Holding(Hold { setpoint, ceiling, until_ms }))
                    .ok_or(Refusal::Setpoint)?
            }
        };
        self.nonce = command.nonce;
        match self.mode {
            Mode::Tripped(_) => {}
            Mode::Off | Mode::Holding(_) => self.mode = next,
        }
        if matches!(self.mode, Mode::Off) {
            self.drive(false, false);
        }
        Ok(())
    }

    /// Notes the nonce of an exchange that only looks.
    pub fn look(&mut self, nonce: u16) {
        self.nonce = nonce;
    }

    /// A person has seen the fault with this number.
    ///
    /// # Errors
    /// `Refusal` if another fault stands or none, or if its cause is still there.
    pub fn acknowledge(&mut self, fault_number: u16) -> Result<(), Refusal> {
        match self.mode {
            Mode::Tripped(_) if fault_number == self.fault_number => {}
            Mode::Tripped(_) | Mode::Off | Mode::Holding(_) => return Err(Refusal::FaultNumber),
        }
        let cooled = self.guard.reading().is_some_and(|reading| reading < self.limits.ceiling);
        let switched = self.heater.set_low().is_ok() && self.contactor.set_low().is_ok();
        if !cooled || !switched {
            return Err(Refusal::CauseRemains);
        }
        self.mode = Mode::Off;
        Ok(())
    }

    /// All that is known now.
    pub fn report(&self) -> Report {
        let hold = match self.mode {
            Mode::Holding(hold) => Some(hold),
            Mode::Off | Mode::Tripped(_) => None,
        };
        let lease_ms = hold.map_or(0, |hold| hold.until_ms.saturating_sub(self.now_ms));
        let uptime_s = self.now_ms.saturating_sub(self.started_ms) / 1_000;
        Report {
            firmware: self.firmware,
            nonce: self.nonce,
            state: self.state(),
            fault_number: self.fault_number,
            reading: self.guard.reading(),
            setpoint: hold.map(|hold| hold.setpoint),
            ceiling: hold.map_or(self.limits.ceiling, |hold| hold.ceiling),
            output_permille: if self.heating { 1_000 } else { 0 },
            lease_ms: u16::try_from(lease_ms).unwrap_or(u16::MAX),
            door_open: self.door == Door::Open,
            uptime_s: u32::try_from(uptime_s).unwrap_or(u32::MAX),
        }
    }

    fn state(&self) -> State {
        match self.mode {
            Mode::Off => State::Off,
            Mode::Holding(_) => State::Holding,
            Mode::Tripped(fault) => State::Tripped(fault),
        }
    }

    /// Moves the time on and ends a lease that has run out. A time that runs backwards would keep every
    /// lease alive, so it trips.
    fn advance(&mut self, now_ms: u64) -> bool {
        if now_ms < self.now_ms {
            self.trip(Fault::Clock);
            return false;
        }
        self.now_ms = now_ms;
        match self.mode {
            Mode::Holding(hold) if now_ms >= hold.until_ms => self.mode = Mode::Off,
            Mode::Holding(_) | Mode::Off | Mode::Tripped(_) => {}
        }
        true
    }

    fn heat(&self) -> Heat {
        match self.mode {
            _ if self.door == Door::Open => Heat::DoorOpen,
            Mode::Off | Mode::Tripped(_) => Heat::Off,
            Mode::Holding(hold) => Heat::Toward { setpoint: hold.setpoint, powered: self.heating },
        }
    }

    fn above_ceiling(&self) -> Option<Fault> {
        let ceiling = match self.mode {
            Mode::Holding(hold) => hold.ceiling,
            Mode::Off | Mode::Tripped(_) => self.limits.ceiling,
        };
        self.guard.reading().filter(|reading| *reading >= ceiling).map(|_| Fault::Ceiling)
    }

    /// Without a good reading there is no heat, whatever was on before.
    fn wants_heat(&self, setpoint: Celsius) -> bool {
        let Some(Celsius(reading)) = self.guard.reading() else { return false };
        if self.heating { reading < setpoint.0 } else { reading < setpoint.0 - self.limits.band_kelvin }
    }

    /// The lower of the two ceilings.
    fn ceiling_under(&self, command: &Command) -> Result<Celsius, Refusal> {
        let asked = command.ceiling.0;
        if asked.is_nan() || asked <= 0.0 {
            return Err(Refusal::Ceiling);
        }
        Ok(Celsius(asked.min(self.limits.ceiling.0)))
    }

    fn trip(&mut self, fault: Fault) {
        self.latch(fault);
        self.drive(false, false);
    }

    /// The first fault is the one to tell; it stays until it is acknowledged.
    fn latch(&mut self, fault: Fault) {
        match self.mode {
            Mode::Tripped(_) => {}
            Mode::Off | Mode::Holding(_) => {
                self.mode = Mode::Tripped(fault);
                self.fault_number = self.fault_number.checked_add(1).unwrap_or(1);
            }
        }
    }

    /// Sets both outputs again at every tick, so that a disturbed pin does not stay. The contactor closes
    /// before the heater and opens after it, and opens without load.
    fn drive(&mut self, contactor: bool, heater: bool) {
        let done = if heater && contactor {
            self.contactor.set_high().is_ok() && self.heater.set_high().is_ok()
        } else {
            let heater_is_off = self.heater.set_low().is_ok();
            let switched = if contactor { self.contactor.set_high() } else { self.contactor.set_low() };
            switched.is_ok() && heater_is_off
        };
        self.heating = heater && done;
        if !done {
            self.give_up_outputs();
        }
    }

    fn give_up_outputs(&mut self) {
        let _ = self.heater.set_low();
        let _ = self.contactor.set_low();
        self.latch(Fault::Output);
    }
}
