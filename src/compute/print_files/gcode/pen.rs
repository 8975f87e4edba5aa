//! The pen: where the nozzle is, what it has pressed out, and the text of its moves.

use std::f64::consts::PI;
use std::io::Write;

use super::text::decimal;
use super::time::{Move, Seconds, alone_s, seconds};
use super::{Climate, WaxError, WaxJob, WaxWritten, thumbnail};
use crate::preview::Picture;
use crate::toolpath::{Kind, LayerPlan, Step};

/// Most that a layer is slowed down in one go; what remains after the rounds was not needed.
const SLOW_ROUNDS: u32 = 4;

pub(super) struct Pen<'a, W: Write> {
    job: &'a WaxJob,
    out: W,
    /// Text that was not written yet.
    text: Vec<u8>,
    at_mm: Option<[f64; 2]>,
    z_mm: f64,
    /// Filament since the last `G92 E0`, mm.
    e_mm: f64,
    /// Speed of the last move, mm/min.
    feed: Option<u64>,
    kind: Option<Kind>,
    drawn_back: bool,
    wax_mm3: f64,
    part_mm3: f64,
    print_s: f64,
    bytes: u64,
}

impl<'a, W: Write> Pen<'a, W> {
    pub(super) fn new(job: &'a WaxJob, out: W) -> Self {
        Self {
            job,
            out,
            text: Vec::new(),
            at_mm: None,
            z_mm: 0.0,
            e_mm: 0.0,
            feed: None,
            kind: None,
            drawn_back: false,
            wax_mm3: 0.0,
            part_mm3: 0.0,
            print_s: 0.0,
            bytes: 0,
        }
    }

    /// Heats, runs the profile's script, sets millimetres and absolute coordinates.
    pub(super) fn start(&mut self, previews: &[Picture]) -> Result<(), WaxError> {
        let job = self.job;
        let software: String = job.software.chars().filter(|c| (' '..='~').contains(c)).take(60).collect();
        self.say(&format!("; {software}"));
        for picture in previews {
            thumbnail::lines(picture)?.iter().for_each(|line| self.say(line));
        }
        self.modes();
        let Climate { nozzle_celsius, bed_celsius, .. } = job.first_layer;
        if let Some(bed) = bed_celsius {
            self.say(&format!("M140 S{bed:.0}"));
        }
        self.say(&format!("M104 S{nozzle_celsius:.0}"));
        if let Some(bed) = bed_celsius {
            self.say(&format!("M190 S{bed:.0}"));
        }
        self.say(&format!("M109 S{nozzle_celsius:.0}"));
        job.start_script.iter().for_each(|line| self.say(line));
        self.modes();
        self.fan(job.first_layer.fan_pwm);
        self.flush()
    }

    /// A script may have changed them.
    fn modes(&mut self) {
        ["G21", "G90", "M82"].iter().for_each(|line| self.say(line));
    }

    fn fan(&mut self, pwm: u8) {
        if pwm == 0 {
            self.say("M107");
        } else {
            self.say(&format!("M106 S{pwm}"));
        }
    }

    /// One layer: up, then each step.
    pub(super) fn layer(&mut self, plan: &LayerPlan, steps: &[Step]) -> Result<(), WaxError> {
        self.say(&format!(";LAYER:{}", plan.index));
        if plan.index == 1 {
            self.change_climate();
        }
        let slow = self.slow_down(plan, steps);
        if matches!(steps.first(), Some(Step::Travel { is_inside: false, .. })) {
            self.draw_back();
        }
        self.say("G92 E0");
        // The filament that was drawn back lies behind the new zero.
        self.e_mm = 0.0;
        self.z_mm = plan.top_mm;
        self.go_up(plan.top_mm);
        for step in steps {
            match *step {
                Step::Travel { to_mm, is_inside } => self.travel(to_mm, is_inside),
                Step::Press { to_mm, mm3, kind } => {
                    let speed = self.speed(plan.index, self.length_mm(to_mm), mm3, kind, slow);
                    self.press(to_mm, mm3, kind, speed);
                }
            }
        }
        self.flush()
    }

    fn change_climate(&mut self) {
        let (first, other) = (self.job.first_layer, self.job.other_layers);
        let words = |celsius: f64| format!("{celsius:.0}");
        if words(first.nozzle_celsius) != words(other.nozzle_celsius) {
            self.say(&format!("M104 S{:.0}", other.nozzle_celsius));
        }
        if let Some(bed) = other.bed_celsius
            && first.bed_celsius.map(words) != Some(words(bed))
        {
            self.say(&format!("M140 S{bed:.0}"));
        }
        if first.fan_pwm != other.fan_pwm {
            self.fan(other.fan_pwm);
        }
    }

    /// The factor by which strands of a layer are laid slower so that it takes as long as it must. Adds its time.
    fn slow_down(&mut self, plan: &LayerPlan, steps: &[Step]) -> f64 {
        let mut slow = 1.0;
        let mut time = self.time_of(plan, steps, slow);
        for _ in 0..SLOW_ROUNDS {
            let total = time.press + time.other;
            if total >= self.job.speeds.layer_s_min || time.press <= 0.0 {
                break;
            }
            slow *= time.press / (self.job.speeds.layer_s_min - time.other);
            time = self.time_of(plan, steps, slow);
        }
        self.print_s += time.press + time.other;
        slow
    }

    fn time_of(&self, plan: &LayerPlan, steps: &[Step], slow: f64) -> Seconds {
        let (speeds, motion) = (&self.job.speeds, &self.job.motion);
        let lift_mm = plan.top_mm - self.z_mm;
        let pull_s = alone_s(motion.retract_mm, motion.retract_mm_per_s, motion.retract_mm_per_s2);
        let mut moves = vec![Move::Stop(lift_mm / speeds.lift)];
        let (mut at, mut drawn_back) = (self.at_mm, self.drawn_back);
        for step in steps {
            let (to, mm_per_s, is_press) = match *step {
                Step::Travel { to_mm, is_inside } => {
                    if !is_inside && !drawn_back && at.is_some() {
                        moves.push(Move::Stop(pull_s));
                        drawn_back = true;
                    }
                    (to_mm, speeds.travel, false)
                }
                Step::Press { to_mm, mm3, kind } => {
                    if drawn_back {
                        moves.push(Move::Stop(pull_s));
                        drawn_back = false;
                    }
                    let long_mm = at.map_or(0.0, |at| distance_mm(at, to_mm));
                    (to_mm, self.speed(plan.index, long_mm, mm3, kind, slow), true)
                }
            };
            let from = at.replace(to).unwrap_or(to);
            let mm = distance_mm(from, to);
            if mm > 0.0 {
                let along = [(to[0] - from[0]) / mm, (to[1] - from[1]) / mm];
                moves.push(Move::Line { along, mm, mm_per_s, is_press });
            }
        }
        seconds(&moves, motion)
    }

    /// Speed of a strand, mm/s.
    fn speed(&self, index: u32, long_mm: f64, mm3: f64, kind: Kind, slow: f64) -> f64 {
        let speeds = &self.job.speeds;
        let wanted = match kind {
            _ if index == 0 => speeds.first_layer,
            Kind::Skirt | Kind::Brim | Kind::Support => speeds.support,
            Kind::InnerWall => speeds.inner_wall,
            Kind::OuterWall => speeds.outer_wall,
            Kind::Thin => speeds.thin,
            Kind::Infill => speeds.infill,
            Kind::Solid => speeds.solid,
        };
        let melting = if mm3 > 0.0 { speeds.mm3_per_s_max * long_mm / mm3 } else { wanted };
        let wanted = wanted.min(melting);
        if slow < 1.0 { (wanted * slow).max(speeds.slowest.min(wanted)) } else { wanted }
    }

    /// Heaters off, nozzle up, motors off when all moves are done.
    pub(super) fn end(mut self, layers: u32) -> Result<WaxWritten, WaxError> {
        self.draw_back();
        self.say("M104 S0");
        if self.job.first_layer.bed_celsius.or(self.job.other_layers.bed_celsius).is_some() {
            self.say("M140 S0");
        }
        self.say("M107");
        let top_mm = (self.z_mm + self.job.end_lift_mm).min(self.job.build_mm[2].max(self.z_mm));
        self.go_up(top_mm);
        self.say("M400");
        self.say("M84");
        let filament_mm = self.wax_mm3 / filament_mm2(self.job);
        self.say(&format!("; filament used [mm] = {filament_mm:.2}"));
        self.say(&format!("; filament used [cm3] = {:.3}", self.wax_mm3 / 1000.0));
        self.say(&format!("; wax of the parts [cm3] = {:.3}", self.part_mm3 / 1000.0));
        self.say(&format!("; estimated printing time (normal mode) = {}", clock(self.print_s)));
        self.flush()?;
        self.out.flush()?;
        Ok(WaxWritten {
            layers,
            volume_ml: self.wax_mm3 / 1000.0,
            part_ml: self.part_mm3 / 1000.0,
            section_ml: 0.0,
            filament_mm,
            print_s: self.print_s,
            bytes: self.bytes,
            findings: Vec::new(),
        })
    }

    fn go_up(&mut self, z_mm: f64) {
        self.text.extend_from_slice(b"G0 Z");
        decimal(&mut self.text, z_mm, 3);
        self.end_move(self.job.speeds.lift);
    }

    /// Moves without wax, drawn back if the way leaves the piece.
    fn travel(&mut self, to: [f64; 2], is_inside: bool) {
        if !is_inside {
            self.draw_back();
        }
        self.text.extend_from_slice(b"G0");
        self.place(to);
        self.end_move(self.job.speeds.travel);
        self.at_mm = Some(to);
    }

    fn press(&mut self, to: [f64; 2], mm3: f64, kind: Kind, mm_per_s: f64) {
        self.prime();
        if self.kind != Some(kind) {
            self.kind = Some(kind);
            self.say(&format!(";TYPE:{}", name(kind)));
        }
        self.e_mm += mm3 / filament_mm2(self.job);
        self.wax_mm3 += mm3;
        if kind.is_part() {
            self.part_mm3 += mm3;
        }
        self.text.extend_from_slice(b"G1");
        self.place(to);
        self.text.extend_from_slice(b" E");
        decimal(&mut self.text, self.e_mm, 5);
        self.end_move(mm_per_s);
        self.at_mm = Some(to);
    }

    fn draw_back(&mut self) {
        if !self.drawn_back && self.at_mm.is_some() && self.job.motion.retract_mm > 0.0 {
            self.drawn_back = true;
            self.filament_move(-self.job.motion.retract_mm);
        }
    }

    fn prime(&mut self) {
        if self.drawn_back {
            self.drawn_back = false;
            self.filament_move(self.job.motion.retract_mm);
        }
    }

    /// Draws the filament back or brings it forward again.
    fn filament_move(&mut self, way_mm: f64) {
        self.e_mm += way_mm;
        self.text.extend_from_slice(b"G1 E");
        decimal(&mut self.text, self.e_mm, 5);
        self.end_move(self.job.motion.retract_mm_per_s);
    }

    fn place(&mut self, [x, y]: [f64; 2]) {
        self.text.extend_from_slice(b" X");
        decimal(&mut self.text, x, 3);
        self.text.extend_from_slice(b" Y");
        decimal(&mut self.text, y, 3);
    }

    /// Ends the line of a move; its speed is said where it changes.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive speed; saturates"
    )]
    fn end_move(&mut self, mm_per_s: f64) {
        let feed = (mm_per_s * 60.0).round().max(1.0) as u64;
        if self.feed != Some(feed) {
            self.feed = Some(feed);
            self.text.extend_from_slice(format!(" F{feed}").as_bytes());
        }
        self.text.push(b'\n');
    }

    fn length_mm(&self, to: [f64; 2]) -> f64 {
        self.at_mm.map_or(0.0, |at| distance_mm(at, to))
    }

    fn say(&mut self, line: &str) {
        debug_assert!(line.len() <= super::LINE_MAX, "{line}");
        self.text.extend_from_slice(line.as_bytes());
        self.text.push(b'\n');
    }

    fn flush(&mut self) -> Result<(), WaxError> {
        self.out.write_all(&self.text)?;
        self.bytes += u64::try_from(self.text.len()).unwrap_or(0);
        self.text.clear();
        Ok(())
    }
}

/// The names that viewers of G-code know.
fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Skirt | Kind::Brim => "Skirt/Brim",
        Kind::Support => "Support material",
        Kind::InnerWall => "Perimeter",
        Kind::OuterWall => "External perimeter",
        Kind::Thin => "Gap fill",
        Kind::Infill => "Internal infill",
        Kind::Solid => "Solid infill",
    }
}

/// Hours, minutes and seconds as PrusaSlicer writes them.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive time; saturates")]
fn clock(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    format!("{}h {}m {}s", whole / 3600, whole / 60 % 60, whole % 60)
}

/// Cross-section of the filament, mm².
fn filament_mm2(job: &WaxJob) -> f64 {
    PI * job.filament_mm * job.filament_mm / 4.0
}

fn distance_mm(from: [f64; 2], to: [f64; 2]) -> f64 {
    (to[0] - from[0]).hypot(to[1] - from[1])
}
