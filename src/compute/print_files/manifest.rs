//! The JSON text of our own picture stacks: a whole job, and the place and values of each layer.

use serde::{Deserialize, Serialize};

use super::container::Container;
use super::told::field;
use super::{
    Exposure, Facts, Format, Job, LayerFacts, Light, Machine, Origin, ReadError, Resin, Separation, Sl1Names,
    Told, WriteError,
};
use crate::slice::{Display, HeightRange, Heights, Orientation};
use crate::units::Microns;

/// Name of the entry.
pub(super) const ENTRY: &str = "manifest.json";

/// Millimetres, micrometres, seconds, millilitres as the keys say; `heights` begins at the plate.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) schema: String,
    width_px: u32,
    height_px: u32,
    pitch_mm: [f64; 2],
    /// Columns run along plate -y, rows along plate -x.
    is_portrait: bool,
    mirror_x: bool,
    mirror_y: bool,
    layer_um: i32,
    heights: Vec<Range>,
    machine: Machine,
    exposure: Exposure,
    separation: Separation,
    light: Light,
    anti_aliasing: u16,
    resin: Resin,
    origin: Origin,
    sl1: Option<Sl1Names>,
    volume_ml: f64,
    print_s: f64,
    pub(super) layers: Vec<LayerEntry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Range {
    from_um: i32,
    layer_um: i32,
}

/// One layer.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LayerEntry {
    /// Its picture.
    pub(super) file: String,
    /// Second material's picture, if the stack has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) support: Option<String>,
    z_um: f64,
    exposure_s: f64,
}

impl LayerEntry {
    pub(super) fn of(job: &Job, index: u32, file: String, support: Option<String>) -> Self {
        let z_um = f64::from(job.heights.top(index).0);
        Self { file, support, z_um, exposure_s: job.exposure_s(index) }
    }
}

impl Manifest {
    pub(super) fn of(schema: &str, job: &Job, layers: Vec<LayerEntry>, volume_ml: f64, print_s: f64) -> Self {
        let display = &job.display;
        let range = |range: HeightRange| Range { from_um: range.from.0, layer_um: range.layer.0 };
        Self {
            schema: schema.to_owned(),
            width_px: display.width_px,
            height_px: display.height_px,
            pitch_mm: display.pitch_mm,
            is_portrait: display.orientation == Orientation::Portrait,
            mirror_x: display.mirror_x,
            mirror_y: display.mirror_y,
            layer_um: job.heights.nominal().0,
            heights: job.heights.ranges().map(range).collect(),
            machine: job.machine.clone(),
            exposure: job.exposure.clone(),
            separation: job.separation,
            light: job.light,
            anti_aliasing: job.anti_aliasing,
            resin: job.resin.clone(),
            origin: job.origin.clone(),
            sl1: job.sl1.clone(),
            volume_ml,
            print_s,
            layers,
        }
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, WriteError> {
        Ok(serde_json::to_vec_pretty(self).map_err(std::io::Error::other)?)
    }

    /// Reads the entry of a stack, within the limits of the container.
    pub(super) fn read(container: &Container<'_>) -> Result<Self, ReadError> {
        // 100,000 layers have some 12 MB of entries.
        let place =
            container.place_of(ENTRY).ok_or_else(|| container.damaged("it holds no manifest.json"))?;
        let bytes = container.read(place, 1 << 24).map_err(|reason| container.damaged(reason))?;
        let read: Self =
            serde_json::from_slice(&bytes).map_err(|error| container.damaged(format!("{ENTRY}: {error}")))?;
        let pitch_is_real = read.pitch_mm.iter().all(|mm| mm.is_finite() && *mm > 0.0);
        if !pitch_is_real || read.width_px == 0 || read.height_px == 0 {
            return Err(container.damaged("the display has no size"));
        }
        Ok(read)
    }

    pub(super) fn display(&self) -> Display {
        Display {
            width_px: self.width_px,
            height_px: self.height_px,
            pitch_mm: self.pitch_mm,
            orientation: if self.is_portrait { Orientation::Portrait } else { Orientation::Landscape },
            mirror_x: self.mirror_x,
            mirror_y: self.mirror_y,
        }
    }

    pub(super) fn facts(&self, format: Format) -> Facts {
        let rounded = |mm: f64| (mm * 1e6).round() / 1e3;
        let said = |layer: &LayerEntry| LayerFacts { z_um: layer.z_um, exposure_s: layer.exposure_s };
        Facts {
            format,
            version: self.schema.clone(),
            resolution_px: [self.width_px, self.height_px],
            pixel_um: self.pitch_mm.map(rounded),
            layer_um: f64::from(self.layer_um),
            machine: self.machine.name.clone(),
            resin: self.resin.name.clone(),
            software: format!("{} {}", self.origin.software, self.origin.version).trim().to_owned(),
            volume_ml: self.volume_ml,
            print_s: self.print_s,
            layers: self.layers.iter().map(said).collect(),
        }
    }

    pub(super) fn told(&self, facts: &Facts) -> Told {
        let ranges: Vec<HeightRange> = self
            .heights
            .iter()
            .map(|range| HeightRange { from: Microns(range.from_um), layer: Microns(range.layer_um) })
            .collect();
        let nominal = Microns(self.layer_um);
        let job = Job {
            machine: self.machine.clone(),
            display: self.display(),
            heights: Heights::with_ranges(nominal, &ranges).unwrap_or_else(|_| Heights::uniform(nominal)),
            exposure: self.exposure.clone(),
            separation: self.separation,
            light: self.light,
            anti_aliasing: self.anti_aliasing,
            resin: self.resin.clone(),
            origin: self.origin.clone(),
            sl1: self.sl1.clone(),
        };
        let silent = [
            (field::SEPARATION, self.separation == Separation::Untold),
            (field::DENSITY, job.resin.density_g_per_ml.is_none()),
            (field::PRICE, job.resin.price_per_ml.is_none()),
            (field::SL1_NAMES, self.sl1.is_none()),
        ];
        let untold = silent.iter().filter(|(_, silent)| *silent).map(|(field, _)| *field).collect();
        Told::of(job, untold, &facts.layers)
    }
}
