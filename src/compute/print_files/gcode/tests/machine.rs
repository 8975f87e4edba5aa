//! A machine that knows absolute moves: follows the text and keeps what it does.

use std::f64::consts::PI;

/// A straight move that lays wax.
#[derive(Debug, Clone)]
pub(super) struct Stroke {
    pub(super) from: [f64; 2],
    pub(super) to: [f64; 2],
    pub(super) mm3: f64,
    pub(super) mm_per_s: f64,
    pub(super) kind: String,
}

impl Stroke {
    pub(super) fn long_mm(&self) -> f64 {
        (self.to[0] - self.from[0]).hypot(self.to[1] - self.from[1])
    }

    pub(super) fn is_part(&self) -> bool {
        !matches!(self.kind.as_str(), "Skirt/Brim" | "Support material")
    }
}

/// A straight move without wax.
#[derive(Debug, Clone)]
pub(super) struct Hop {
    pub(super) from: [f64; 2],
    pub(super) to: [f64; 2],
    pub(super) is_drawn_back: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Layer {
    pub(super) z_mm: f64,
    pub(super) strokes: Vec<Stroke>,
    pub(super) hops: Vec<Hop>,
}

#[derive(Debug, Default)]
pub(super) struct Machine {
    at: [f64; 4],
    mm_per_s: f64,
    kind: String,
    drawn_back: f64,
    is_absolute: bool,
    is_e_absolute: bool,
    is_metric: bool,
    pub(super) nozzle: f64,
    pub(super) bed: f64,
    pub(super) fan: f64,
    /// Nozzle temperature that was waited for.
    waited: f64,
    pub(super) layers: Vec<Layer>,
    /// Climate at the first wax of each layer: nozzle, bed, fan.
    pub(super) climates: Vec<[f64; 3]>,
    filament_mm2: f64,
}

impl Machine {
    pub(super) fn follow(text: &str, filament_mm: f64) -> Self {
        let mut machine =
            Machine { filament_mm2: PI * filament_mm * filament_mm / 4.0, ..Machine::default() };
        for line in text.lines() {
            machine.line(line);
        }
        machine
    }

    fn line(&mut self, line: &str) {
        if line.starts_with(";LAYER:") {
            self.layers.push(Layer::default());
        } else if let Some(kind) = line.strip_prefix(";TYPE:") {
            self.kind = kind.to_owned();
        }
        let line = line.split(';').next().unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(command) = words.first() else { return };
        let number = |letter: char| -> Option<f64> {
            words[1..].iter().find_map(|word| word.strip_prefix(letter)).map(|text| text.parse().unwrap())
        };
        match *command {
            "G0" | "G1" => self.go(&words),
            "G21" => self.is_metric = true,
            "G90" => self.is_absolute = true,
            "M82" => self.is_e_absolute = true,
            "G92" => self.at[3] = number('E').unwrap(),
            "M104" => self.nozzle = number('S').unwrap(),
            "M109" => {
                self.nozzle = number('S').unwrap();
                self.waited = self.nozzle;
            }
            "M140" | "M190" => self.bed = number('S').unwrap(),
            "M106" => self.fan = number('S').unwrap(),
            "M107" => self.fan = 0.0,
            "G28" | "M400" | "M84" => {}
            other => panic!("a command that the machine doesn't know: {other}"),
        }
    }

    fn go(&mut self, words: &[&str]) {
        assert!(
            self.is_absolute && self.is_e_absolute && self.is_metric,
            "a move before the modes were said"
        );
        let before = self.at;
        for word in &words[1..] {
            let number: f64 = word[1..].parse().unwrap();
            match &word[..1] {
                "F" => self.mm_per_s = number / 60.0,
                axis => self.at["XYZE".find(axis).unwrap()] = number,
            }
        }
        assert!(self.mm_per_s > 0.0, "a move without a speed");
        let pressed = self.at[3] - before[3];
        let (from, to) = ([before[0], before[1]], [self.at[0], self.at[1]]);
        let is_still = (to[0] - from[0]).hypot(to[1] - from[1]) < 1e-9;
        if is_still {
            self.drawn_back -= pressed;
            return;
        }
        assert!(pressed >= 0.0, "{words:?}");
        let is_drawn_back = self.drawn_back > 1e-6;
        let z_mm = self.at[2];
        if pressed > 0.0 {
            assert!(!is_drawn_back, "wax while drawn back: {words:?}");
            assert!(self.waited > 0.0 && self.nozzle > 0.0, "wax before the nozzle was hot");
            if self.layers.last().unwrap().strokes.is_empty() {
                self.climates.push([self.nozzle, self.bed, self.fan]);
            }
            let stroke = Stroke {
                from,
                to,
                mm3: pressed * self.filament_mm2,
                mm_per_s: self.mm_per_s,
                kind: self.kind.clone(),
            };
            let layer = self.layers.last_mut().unwrap();
            layer.z_mm = z_mm;
            layer.strokes.push(stroke);
        } else if self.layers.iter().any(|layer| !layer.strokes.is_empty()) {
            // Before the first wax nothing can drip on anything.
            let layer = self.layers.last_mut().unwrap();
            layer.hops.push(Hop { from, to, is_drawn_back });
        }
    }
}
