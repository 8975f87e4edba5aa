//! Watches the readings and says when something is wrong with the sensor, the heat or the relay.
//!
//! The numbers are the defaults of the safety list for kilns (what Marlin, Klipper, kiln-controller and the
//! commercial L&L and Bartlett controllers do, checked against a plant model); each names its row there.

use sprue_station_protocol::Celsius;
use sprue_station_protocol::map::Fault;

use crate::control::Sample;

/// Row 3: a step between two samples that no kiln makes; the sample is dropped as bad.
const STEP_KELVIN_MAX: f32 = 5.0;
/// Row 2: a bad sample adds 3, a good one takes 1. At 15 the sensor is faulty: five bad ones in a row, or
/// more than a quarter bad for long.
const BAD_ADDS: u8 = 3;
const BAD_MAX: u8 = 15;
/// Row 2: without a sample for this long the sensor is faulty.
const SILENCE_MS_MAX: u64 = 2_000;
/// Row 3: more than 2 K/s over this window.
const RISE_WINDOW_MS: u64 = 3_000;
const RISE_KELVIN_PER_SECOND_MAX: f32 = 2.0;
/// Row 4: a fall of more than 20 K within 30 s under power.
const FALL_WINDOW_MS: u64 = 30_000;
const FALL_KELVIN_MAX: f32 = 20.0;
/// Row 6: less than 5 K in 15 min at full power, more than 10 K below the setpoint.
const NO_RISE_WINDOW_MS: u64 = 15 * 60_000;
const NO_RISE_KELVIN_MIN: f32 = 5.0;
const NO_RISE_BELOW_KELVIN: f32 = 10.0;
/// A pause of the power that is shorter, after a bad sample for instance, does not end the two windows above.
const PAUSE_MS_MAX: u64 = 5_000;
/// Row 7: this far above the setpoint, or above the lowest reading since it was set.
const OVER_KELVIN_MAX: f32 = 30.0;
/// Row 8: after 3 min without power still rising by more than 1 K/min for 2 min.
const OFF_SETTLE_MS: u64 = 3 * 60_000;
const OFF_WINDOW_MS: u64 = 2 * 60_000;
const OFF_RISE_KELVIN_MAX: f32 = 2.0;
/// A guess: so long after the door was open the thermocouple may swing as it likes.
const DOOR_SETTLE_MS: u64 = 60_000;

/// What the heater does while the guard looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Heat {
    /// Commanded off.
    Off,
    /// The door is open, so there is no power and the readings mean little.
    DoorOpen,
    /// Under a setpoint; `powered` is what was driven since the last look.
    Toward {
        /// The setpoint.
        setpoint: Celsius,
        /// The heater was on.
        powered: bool,
    },
}

/// A reading and when it was taken.
#[derive(Debug, Clone, Copy)]
struct Mark {
    at_ms: u64,
    celsius: f32,
}

/// Memory of the readings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Guard {
    last: Option<Mark>,
    last_was_good: bool,
    quiet_since_ms: Option<u64>,
    bad: u8,
    rise_from: Option<Mark>,
    powered_from: Option<Mark>,
    full_power_from: Option<Mark>,
    unpowered_since_ms: Option<u64>,
    unpowered_from: Option<Mark>,
    door_closed_at_ms: Option<u64>,
    setpoint: Option<Celsius>,
    lowest_since_setpoint: f32,
}

impl Guard {
    /// The reading that heat may be decided on: the last sample was good and is not old.
    pub(crate) fn reading(&self) -> Option<Celsius> {
        self.last.filter(|_| self.last_was_good).map(|mark| Celsius(mark.celsius))
    }

    /// Takes the sample of this tick and says what is wrong, if anything is.
    pub(crate) fn check(&mut self, now_ms: u64, sample: Sample, heat: Heat) -> Option<Fault> {
        let fresh = self.take(now_ms, sample);
        if self.sensor_failed(now_ms) {
            return Some(Fault::Sensor);
        }
        let mark = fresh?;
        if self.door_disturbs(mark, heat) {
            self.forget_windows();
            return None;
        }
        if self.rises_too_fast(mark) {
            return Some(Fault::RisesTooFast);
        }
        match heat {
            Heat::Off | Heat::DoorOpen => self.check_unpowered(mark),
            Heat::Toward { setpoint, powered } => self.check_heating(mark, setpoint, powered),
        }
    }

    /// The sample as a mark, if it is a new and plausible reading.
    fn take(&mut self, now_ms: u64, sample: Sample) -> Option<Mark> {
        self.quiet_since_ms.get_or_insert(now_ms);
        let celsius = match sample {
            Sample::None => return None,
            Sample::Bad => None,
            Sample::Reading(Celsius(celsius)) => self.plausible(celsius),
        };
        self.quiet_since_ms = Some(now_ms);
        self.last_was_good = celsius.is_some();
        let Some(celsius) = celsius else {
            self.bad = BAD_MAX.min(self.bad + BAD_ADDS);
            return None;
        };
        self.bad = self.bad.saturating_sub(1);
        let mark = Mark { at_ms: now_ms, celsius };
        self.last = Some(mark);
        Some(mark)
    }

    /// A failed sensor starts anew: its next reading may be any.
    fn sensor_failed(&mut self, now_ms: u64) -> bool {
        let quiet_ms = self.quiet_since_ms.map_or(0, |since| now_ms - since);
        if self.bad < BAD_MAX && quiet_ms < SILENCE_MS_MAX {
            return false;
        }
        self.last = None;
        self.rise_from = None;
        true
    }

    fn door_disturbs(&mut self, mark: Mark, heat: Heat) -> bool {
        if heat == Heat::DoorOpen {
            self.door_closed_at_ms = Some(mark.at_ms);
        }
        self.door_closed_at_ms.is_some_and(|at| mark.at_ms - at < DOOR_SETTLE_MS)
    }

    fn forget_windows(&mut self) {
        self.rise_from = None;
        self.powered_from = None;
        self.full_power_from = None;
        self.unpowered_since_ms = None;
        self.unpowered_from = None;
        self.setpoint = None;
    }

    fn rises_too_fast(&mut self, mark: Mark) -> bool {
        let from = *self.rise_from.get_or_insert(mark);
        let passed_ms = mark.at_ms - from.at_ms;
        if passed_ms < RISE_WINDOW_MS {
            return false;
        }
        self.rise_from = Some(mark);
        mark.celsius - from.celsius > RISE_KELVIN_PER_SECOND_MAX * seconds(passed_ms)
    }

    fn check_heating(&mut self, mark: Mark, setpoint: Celsius, powered: bool) -> Option<Fault> {
        self.follow_power(mark, powered);
        if self.is_over(mark, setpoint) {
            return Some(Fault::OverSetpoint);
        }
        if !powered {
            return self.still_rises(mark).then_some(Fault::HeatsWhileOff);
        }
        if self.falls_under_power(mark) {
            return Some(Fault::FallsUnderPower);
        }
        self.full_power_is_in_vain(mark, setpoint).then_some(Fault::NoRise)
    }

    fn check_unpowered(&mut self, mark: Mark) -> Option<Fault> {
        self.setpoint = None;
        self.follow_power(mark, false);
        self.still_rises(mark).then_some(Fault::HeatsWhileOff)
    }

    /// Ends the windows of one kind when the power is of the other.
    fn follow_power(&mut self, mark: Mark, powered: bool) {
        if powered {
            self.unpowered_since_ms = None;
            self.unpowered_from = None;
        } else {
            let since_ms = *self.unpowered_since_ms.get_or_insert(mark.at_ms);
            if mark.at_ms - since_ms >= PAUSE_MS_MAX {
                self.powered_from = None;
                self.full_power_from = None;
            }
        }
    }

    fn is_over(&mut self, mark: Mark, setpoint: Celsius) -> bool {
        if self.setpoint != Some(setpoint) {
            self.setpoint = Some(setpoint);
            self.lowest_since_setpoint = mark.celsius;
        }
        self.lowest_since_setpoint = self.lowest_since_setpoint.min(mark.celsius);
        mark.celsius > setpoint.0.max(self.lowest_since_setpoint) + OVER_KELVIN_MAX
    }

    fn falls_under_power(&mut self, mark: Mark) -> bool {
        let from = *self.powered_from.get_or_insert(mark);
        if mark.at_ms - from.at_ms >= FALL_WINDOW_MS {
            self.powered_from = Some(mark);
        }
        from.celsius - mark.celsius > FALL_KELVIN_MAX
    }

    fn full_power_is_in_vain(&mut self, mark: Mark, setpoint: Celsius) -> bool {
        if mark.celsius >= setpoint.0 - NO_RISE_BELOW_KELVIN {
            self.full_power_from = None;
            return false;
        }
        let from = *self.full_power_from.get_or_insert(mark);
        if mark.at_ms - from.at_ms < NO_RISE_WINDOW_MS {
            return false;
        }
        self.full_power_from = Some(mark);
        mark.celsius - from.celsius < NO_RISE_KELVIN_MIN
    }

    fn still_rises(&mut self, mark: Mark) -> bool {
        let since_ms = self.unpowered_since_ms.unwrap_or(mark.at_ms);
        if mark.at_ms - since_ms < OFF_SETTLE_MS {
            return false;
        }
        let from = *self.unpowered_from.get_or_insert(mark);
        if mark.at_ms - from.at_ms < OFF_WINDOW_MS {
            return false;
        }
        self.unpowered_from = Some(mark);
        mark.celsius - from.celsius > OFF_RISE_KELVIN_MAX
    }

    fn plausible(&self, celsius: f32) -> Option<f32> {
        let near = |mark: &Mark| (celsius - mark.celsius).abs() <= STEP_KELVIN_MAX;
        let steps = self.last.as_ref().is_none_or(near);
        (celsius.is_finite() && steps).then_some(celsius)
    }
}

fn seconds(ms: u64) -> f32 {
    u16::try_from(ms / 1_000).map_or(f32::from(u16::MAX), f32::from)
}
