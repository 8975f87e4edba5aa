//! The G-code of printers that show pictures: what happens to each layer.
//!
//! Two dialects share their words: `;<Slice> 3` or `M6054 "4.png"` shows a picture, `M106 S` lights the lamp,
//! `;<Delay> ms`, `;<Takes> ms` or `G4 P` waits, `G0`/`G1 Z` moves, `G90`/`G91` choose how Z counts. Settings are
//! comments: `;key:value`, `;Name = value` or `;(Name = value unit )`.

use std::collections::BTreeMap;

use super::{LayerMotion, Move, Waits};

/// What a text says.
#[derive(Debug, Default)]
pub(super) struct Steps {
    /// Settings by name, without units.
    pub(super) settings: BTreeMap<String, String>,
    /// Each picture that is lit, in order.
    pub(super) layers: Vec<Step>,
    /// Whether heights are absolute.
    pub(super) is_absolute: bool,
}

/// What happens while one picture is shown and until the next.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    /// Height of the platform while the lamp is on, mm, as the text counts.
    pub(super) z_mm: f64,
    /// How long the lamp is on, s.
    pub(super) exposure_s: f64,
    /// Lamp, 0 to 255.
    pub(super) pwm: u8,
    /// Moves and rests after it.
    pub(super) motion: LayerMotion,
}

const NO_MOVE: Move = Move { mm: 0.0, mm_per_min: 0.0 };

impl Steps {
    /// Reads at most `layers_max` pictures.
    pub(super) fn parse(text: &str, layers_max: usize) -> Self {
        let mut state = State::default();
        for line in text.lines().map(str::trim) {
            state.line(line);
            if state.steps.layers.len() > layers_max {
                break;
            }
        }
        state.steps
    }

    /// A setting as a number; units may follow it.
    pub(super) fn number(&self, key: &str) -> Option<f64> {
        let text = self.settings.get(key)?.split_whitespace().next()?;
        let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic() || letter == '/');
        digits.parse::<f64>().ok().filter(|number| number.is_finite())
    }

    /// Heights of the platform above the plate, mm. Relative texts begin one layer above it.
    pub(super) fn heights_mm(&self, layer_mm: f64) -> Vec<f64> {
        let first_mm = self.layers.first().map_or(0.0, |layer| layer.z_mm);
        let above_mm = if self.is_absolute { 0.0 } else { layer_mm - first_mm };
        self.layers.iter().map(|layer| layer.z_mm + above_mm).collect()
    }

    /// Moves of bottom and of normal layers; whether single layers move otherwise. The way back counts as if it led
    /// down to the layer that was lit. `None` if nothing moves.
    pub(super) fn motions(&self, bottom_layers: u32) -> Option<(LayerMotion, LayerMotion, bool)> {
        // What follows the last layer is the end of the print.
        let (_, moving) = self.layers.split_last()?;
        let first_normal = usize::try_from(bottom_layers).ok()?.min(moving.len().checked_sub(1)?);
        let (bottom, normal) = (whole(&moving.first()?.motion), whole(&moving.get(first_normal)?.motion));
        let has_own = moving.iter().enumerate().any(|(index, layer)| {
            let stated = if index < first_normal { &bottom } else { &normal };
            whole(&layer.motion) != *stated
        });
        (normal.lift.mm > 0.0).then_some((bottom, normal, has_own))
    }

    /// Lamp of bottom and of normal layers.
    pub(super) fn lamp(&self, bottom_layers: u32) -> Option<(u8, u8)> {
        let normal = usize::try_from(bottom_layers).ok()?.min(self.layers.len().checked_sub(1)?);
        Some((self.layers.first()?.pwm, self.layers.get(normal)?.pwm))
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.settings.get(key).map(String::as_str).filter(|text| !text.is_empty())
    }
}

/// The text goes down to the next layer; the way back of a job is as long as the lift.
fn whole(motion: &LayerMotion) -> LayerMotion {
    let mut motion = *motion;
    let up_mm = motion.lift.mm + motion.lift_second.mm;
    let down_mm = motion.retract.mm + motion.retract_second.mm;
    let missing_mm = ((up_mm - down_mm) * 1e6).round() / 1e6;
    let last = if motion.retract_second.mm > 0.0 { &mut motion.retract_second } else { &mut motion.retract };
    last.mm = ((last.mm + missing_mm) * 1e6).round() / 1e6;
    motion
}

#[derive(Debug, Default)]
struct State {
    steps: Steps,
    z_mm: f64,
    /// Feed rate of the last move.
    mm_per_min: f64,
    is_lit: bool,
    /// A picture is shown.
    is_shown: bool,
}

impl State {
    fn line(&mut self, line: &str) {
        if let Some(comment) = line.strip_prefix(';') {
            return self.comment(comment.trim());
        }
        if let Some(shown) = line.strip_prefix("<Slice>") {
            return self.show(shown.trim());
        }
        let code = line.split(';').next().unwrap_or_default();
        let mut words = code.split_whitespace();
        match words.next().unwrap_or_default() {
            "G90" => self.steps.is_absolute = true,
            "G91" => self.steps.is_absolute = false,
            "G0" | "G1" | "G00" | "G01" => self.go(words),
            "G4" | "G04" => self.wait(letter(words, 'P')),
            "M106" => self.light(letter(words, 'S').unwrap_or(255.0)),
            "M107" => self.light(0.0),
            "M6054" => self.show("picture"),
            _ => {}
        }
    }

    fn comment(&mut self, comment: &str) {
        if let Some(shown) = comment.strip_prefix("<Slice>") {
            self.show(shown.trim());
        } else if let Some(ms) = comment.strip_prefix("<Delay>").or_else(|| comment.strip_prefix("<Takes>")) {
            self.wait(number(ms));
        } else if self.steps.layers.is_empty() {
            let open = comment.trim_start_matches('(').trim_end_matches(')');
            if let Some((key, value)) = open.split_once('=').or_else(|| open.split_once(':')) {
                self.steps.settings.insert(key.trim().to_owned(), value.trim().to_owned());
            }
        }
    }

    fn show(&mut self, what: &str) {
        self.is_shown = !what.eq_ignore_ascii_case("blank");
    }

    fn light(&mut self, pwm: f64) {
        let was_lit = self.is_lit;
        self.is_lit = pwm > 0.0;
        if self.is_lit && !was_lit && self.is_shown {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=255")]
            let pwm = pwm.clamp(0.0, 255.0).round() as u8;
            let waits = Waits { before_lift_s: 0.0, after_lift_s: 0.0, after_retract_s: 0.0 };
            let motion = LayerMotion {
                lift: NO_MOVE,
                lift_second: NO_MOVE,
                retract: NO_MOVE,
                retract_second: NO_MOVE,
                waits,
            };
            self.steps.layers.push(Step { z_mm: self.z_mm, exposure_s: 0.0, pwm, motion });
        }
    }

    fn wait(&mut self, ms: Option<f64>) {
        let seconds = ms.filter(|ms| *ms >= 0.0).unwrap_or(0.0) / 1000.0;
        let Some(layer) = self.steps.layers.last_mut() else { return };
        if self.is_lit {
            layer.exposure_s += seconds;
        } else if layer.motion.retract.mm > 0.0 {
            layer.motion.waits.after_retract_s += seconds;
        } else if layer.motion.lift.mm > 0.0 {
            layer.motion.waits.after_lift_s += seconds;
        } else {
            layer.motion.waits.before_lift_s += seconds;
        }
    }

    fn go<'t>(&mut self, words: impl Iterator<Item = &'t str> + Clone) {
        if let Some(feed) = letter(words.clone(), 'F') {
            self.mm_per_min = feed;
        }
        let Some(z_mm) = letter(words, 'Z') else { return };
        let to_mm = if self.steps.is_absolute { z_mm } else { self.z_mm + z_mm };
        // Sums of decimal ways: a tenth of a nanometre is rounding.
        let to_mm = (to_mm * 1e7).round() / 1e7;
        let way_mm = ((to_mm - self.z_mm) * 1e7).round() / 1e7;
        self.z_mm = to_mm;
        let moved = Move { mm: way_mm.abs(), mm_per_min: self.mm_per_min };
        let Some(layer) = self.steps.layers.last_mut().filter(|_| way_mm != 0.0) else { return };
        let motion = &mut layer.motion;
        let place = match (way_mm > 0.0, motion.lift.mm > 0.0, motion.retract.mm > 0.0) {
            (true, false, _) => &mut motion.lift,
            (true, true, _) => &mut motion.lift_second,
            (false, _, false) => &mut motion.retract,
            (false, _, true) => &mut motion.retract_second,
        };
        *place = moved;
    }
}

fn letter<'t>(mut words: impl Iterator<Item = &'t str>, letter: char) -> Option<f64> {
    words.find_map(|word| number(word.strip_prefix(letter)?))
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}
