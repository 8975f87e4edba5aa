//! What every writer adds up while layers pass by.

use super::{Job, Written};
use crate::finding::Finding;
use crate::slice::{Display, Layer};

/// One encoded layer and what its file has to know about it.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) index: u32,
    pub(super) bytes: Vec<u8>,
    digest: u64,
    area_mm2: f64,
    open_rows: u32,
}

impl Encoded {
    pub(super) fn of(layer: &Layer, bytes: Vec<u8>) -> Self {
        let Layer { index, area_mm2, open_rows, .. } = *layer;
        Self { index, bytes, digest: layer.digest(), area_mm2, open_rows }
    }

    /// Lit share of the display, 0 to 1.
    pub(super) fn fill(&self, display: &Display) -> f64 {
        let [x, y] = display.plate_mm();
        self.area_mm2 / (x * y)
    }
}

/// Sums over the layers of a file.
#[derive(Debug, Default)]
pub(super) struct Tally {
    digests: Vec<u64>,
    volume_mm3: f64,
    print_s: f64,
    open_rows: u64,
}

impl Tally {
    pub(super) fn add(&mut self, job: &Job, layer: &Encoded) {
        self.digests.push(layer.digest);
        self.volume_mm3 += layer.area_mm2 * job.heights.thickness(layer.index).to_millimeters().0;
        self.print_s += job.layer_s(layer.index, layer.fill(&job.display));
        self.open_rows += u64::from(layer.open_rows);
    }

    pub(super) fn volume_mm3(&self) -> f64 {
        self.volume_mm3
    }

    pub(super) fn volume_ml(&self) -> f64 {
        self.volume_mm3 / 1000.0
    }

    pub(super) fn print_s(&self) -> f64 {
        self.print_s
    }

    pub(super) fn finish(self, bytes: u64, findings: Vec<Finding>) -> Written {
        Written {
            layers: u32::try_from(self.digests.len()).unwrap_or(u32::MAX),
            volume_ml: self.volume_ml(),
            print_s: self.print_s,
            open_rows: self.open_rows,
            digests: self.digests,
            bytes,
            findings,
        }
    }
}
