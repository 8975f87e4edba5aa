//! The pen: where the nozzle is, what it has pressed out, and the text of its moves.

use std::f64::consts::PI;
use std::io::Write;

use super::{Line, WaxError, WaxJob, WaxWritten};

pub(super) struct Pen<'a, W: Write> {
    job: &'a WaxJob,
    out: W,
    at_mm: Option<[f64; 2]>,
    z_mm: f64,
    /// Filament since the last `G92 E0`, mm.
    e_mm: f64,
    filament_mm: f64,
    print_s: f64,
    drawn_back: bool,
    bytes: u64,
}

impl<'a, W: Write> Pen<'a, W> {
    pub(super) fn new(job: &'a WaxJob, out: W) -> Self {
        Self {
            job,
            out,
            at_mm: None,
            z_mm: 0.0,
            e_mm: 0.0,
            filament_mm: 0.0,
            print_s: 0.0,
            drawn_back: false,
            bytes: 0,
        }
    }

    /// Heats, runs the profile's script, sets millimetres and absolute coordinates.
    pub(super) fn start(&mut self) -> Result<(), WaxError> {
        let job = self.job;
        let software: String = job.software.chars().filter(|c| (' '..='~').contains(c)).take(60).collect();
        self.say(&format!("; {software}"))?;
        self.say("G21")?;
        self.say("G90")?;
        self.say("M82")?;
        if let Some(bed) = job.bed_celsius {
            self.say(&format!("M140 S{bed:.0}"))?;
        }
        self.say(&format!("M104 S{:.0}", job.nozzle_celsius))?;
        if let Some(bed) = job.bed_celsius {
            self.say(&format!("M190 S{bed:.0}"))?;
        }
        self.say(&format!("M109 S{:.0}", job.nozzle_celsius))?;
        for line in &job.start_script {
            self.say(line)?;
        }
        self.say("G21")?;
        self.say("G90")?;
        self.say("M82")?;
        self.say(&format!("M106 S{}", job.fan_pwm))
    }

    /// One layer: up, then each line.
    pub(super) fn layer(&mut self, index: u32, lines: &[Line]) -> Result<(), WaxError> {
        self.z_mm = (f64::from(index) + 1.0) * self.job.layer_height.to_millimeters().0;
        self.say(&format!(";LAYER:{index}"))?;
        self.say("G92 E0")?;
        // The filament that was drawn back lies behind the new zero.
        self.e_mm = 0.0;
        self.say(&format!("G0 Z{:.3} F{:.0}", self.z_mm, self.job.travel_mm_per_s * 60.0))?;
        let speed = if index == 0 { self.job.first_layer_mm_per_s } else { self.job.print_mm_per_s };
        for line in lines {
            self.travel(line.from)?;
            self.press(line, speed)?;
        }
        Ok(())
    }

    /// Heaters off, nozzle up, motors off when all moves are done.
    pub(super) fn end(mut self, layers: u32, open_rows: u64) -> Result<WaxWritten, WaxError> {
        self.draw_back()?;
        self.say("M104 S0")?;
        if self.job.bed_celsius.is_some() {
            self.say("M140 S0")?;
        }
        self.say("M107")?;
        let top_mm = (self.z_mm + self.job.end_lift_mm).min(self.job.build_mm[2].max(self.z_mm));
        self.say(&format!("G0 Z{top_mm:.3} F{:.0}", self.job.travel_mm_per_s * 60.0))?;
        self.say("M400")?;
        self.say("M84")?;
        self.out.flush()?;
        Ok(WaxWritten {
            layers,
            volume_ml: self.filament_mm * filament_mm2(self.job) / 1000.0,
            filament_mm: self.filament_mm,
            print_s: self.print_s,
            bytes: self.bytes,
            open_rows,
        })
    }

    /// Moves without wax, drawn back if it is far.
    fn travel(&mut self, to: [f64; 2]) -> Result<(), WaxError> {
        let way_mm = self.at_mm.map_or(f64::INFINITY, |from| distance_mm(from, to));
        if way_mm >= self.job.retract_from_mm {
            self.draw_back()?;
        }
        if way_mm > 0.0 {
            let feed = self.job.travel_mm_per_s * 60.0;
            self.say(&format!("G0 X{:.3} Y{:.3} F{feed:.0}", to[0], to[1]))?;
            if way_mm.is_finite() {
                self.print_s += way_mm / self.job.travel_mm_per_s;
            }
        }
        self.at_mm = Some(to);
        Ok(())
    }

    fn press(&mut self, line: &Line, mm_per_s: f64) -> Result<(), WaxError> {
        self.prime()?;
        let length_mm = distance_mm(line.from, line.to);
        let job = self.job;
        let volume_mm3 = length_mm * job.extrusion_width_mm * job.layer_height.to_millimeters().0;
        let filament_mm = volume_mm3 / filament_mm2(job);
        self.e_mm += filament_mm;
        self.filament_mm += filament_mm;
        self.print_s += length_mm / mm_per_s;
        self.at_mm = Some(line.to);
        let ([x, y], e) = (line.to, self.e_mm);
        self.say(&format!("G1 X{x:.3} Y{y:.3} E{e:.5} F{:.0}", mm_per_s * 60.0))
    }

    fn draw_back(&mut self) -> Result<(), WaxError> {
        if self.drawn_back || self.at_mm.is_none() || self.job.retract_mm <= 0.0 {
            return Ok(());
        }
        self.drawn_back = true;
        self.filament_move(-self.job.retract_mm)
    }

    fn prime(&mut self) -> Result<(), WaxError> {
        if !self.drawn_back {
            return Ok(());
        }
        self.drawn_back = false;
        self.filament_move(self.job.retract_mm)
    }

    /// Draws the filament back or brings it forward again.
    fn filament_move(&mut self, way_mm: f64) -> Result<(), WaxError> {
        self.e_mm += way_mm;
        self.print_s += way_mm.abs() / self.job.retract_mm_per_s;
        let (e, feed) = (self.e_mm, self.job.retract_mm_per_s * 60.0);
        self.say(&format!("G1 E{e:.5} F{feed:.0}"))
    }

    fn say(&mut self, line: &str) -> Result<(), WaxError> {
        debug_assert!(line.len() <= super::LINE_MAX, "{line}");
        self.out.write_all(line.as_bytes())?;
        self.out.write_all(b"\n")?;
        self.bytes += u64::try_from(line.len()).unwrap_or(0) + 1;
        Ok(())
    }
}

/// Cross-section of the filament, mm².
fn filament_mm2(job: &WaxJob) -> f64 {
    PI * job.filament_mm * job.filament_mm / 4.0
}

fn distance_mm(from: [f64; 2], to: [f64; 2]) -> f64 {
    (to[0] - from[0]).hypot(to[1] - from[1])
}
