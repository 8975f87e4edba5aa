//! The layers of a plate that is still being changed: moving, adding or dropping a part costs that part only.
//!
//! Parts that may touch are sliced together, as [`super::Plate`] does; the layers of each such group are kept. A
//! group whose parts and places are the same as before is taken over as it is. Layers of the whole plate are put
//! together when they are asked for. Memory: 8 bytes for each run.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rayon::prelude::*;

use super::groups::{Group, group, merge};
use super::shaping::{Noticed, Shaper};
use super::watch::Watch;
use super::{Display, Layer, LayerError, LayerSource, Part, PrepareError, Settings, places};
use crate::mesh::Mesh;

/// A part of a plate that is changed now and then.
#[derive(Debug, Clone)]
pub struct PlacedPart {
    /// Name for errors: the technician must find it.
    pub name: String,
    /// Surface; every shell oriented. Two parts with the same allocation have the same surface.
    pub mesh: Arc<Mesh>,
    /// Added to each vertex, mm.
    pub offset_mm: [f64; 3],
}

/// What an update did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Updated {
    /// Groups of parts that were taken over.
    pub kept_groups: usize,
    /// Layers that were made, of all groups together.
    pub made_layers: usize,
}

/// Sliced parts, and the plate that they make.
#[derive(Debug, Clone)]
pub struct PlateSlices {
    settings: Settings,
    groups: Vec<SlicedGroup>,
    layers: u32,
}

#[derive(Debug, Clone)]
struct SlicedGroup {
    parts: Vec<PlacedPart>,
    layers: Arc<Vec<Layer>>,
}

impl PlateSlices {
    /// A plate without parts. Bad settings are found by the first update.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, groups: Vec::new(), layers: 0 }
    }

    /// Makes it the plate of exactly these parts. Only groups with a part that is new, or elsewhere, or lost a
    /// neighbour are sliced. After an error the plate is as it was.
    ///
    /// # Errors
    /// Those of [`super::Plate::prepare`], and [`PrepareError::Cancelled`] soon after `cancel` is set.
    pub fn update(&mut self, parts: &[PlacedPart], cancel: &AtomicBool) -> Result<Updated, PrepareError> {
        let borrowed: Vec<Part<'_>> = parts.iter().map(PlacedPart::as_part).collect();
        let watch = &mut Watch::over(Some(cancel));
        let placed = places(&borrowed, &self.settings, 0.0, watch)?;
        let mut updated = Updated { kept_groups: 0, made_layers: 0 };
        let mut groups = Vec::new();
        for members in group(&placed.bounds, self.settings.display.pitch_mm, 0.0) {
            let count = placed.layers_of(&members, &self.settings)?;
            let members: Vec<PlacedPart> =
                members.iter().map(|&member| parts[placed.parts[member]].clone()).collect();
            if let Some(kept) = self.groups.iter().find(|group| group.is_of(&members)) {
                updated.kept_groups += 1;
                groups.push(kept.clone());
            } else {
                let made = self.slice(members, count, cancel)?;
                updated.made_layers += made.layers.len();
                groups.push(made);
            }
        }
        let layers = groups.iter().map(|group| group.layers.len()).max().unwrap_or(0);
        self.layers = u32::try_from(layers).unwrap_or(u32::MAX);
        self.groups = groups;
        Ok(updated)
    }

    fn slice(
        &self,
        members: Vec<PlacedPart>,
        count: u32,
        cancel: &AtomicBool,
    ) -> Result<SlicedGroup, PrepareError> {
        let parts = members.iter().map(PlacedPart::as_part).collect();
        let group = Group::of(parts, &self.settings, count, &mut Watch::over(Some(cancel)))?;
        let noticed = Noticed::default();
        let layers = (0..count)
            .into_par_iter()
            .map(|index| {
                group.layer(&self.settings, Shaper::plain(&noticed), index, &mut Watch::over(Some(cancel)))
            })
            .collect::<Result<Vec<Layer>, _>>()?;
        drop(group);
        Ok(SlicedGroup { parts: members, layers: Arc::new(layers) })
    }
}

impl LayerSource for PlateSlices {
    fn display(&self) -> Display {
        self.settings.display
    }

    fn layer_count(&self) -> u32 {
        self.layers
    }

    fn layer(&self, index: u32) -> Result<Layer, LayerError> {
        let at = super::usize_of(index);
        let layers: Vec<&Layer> = self.groups.iter().filter_map(|group| group.layers.get(at)).collect();
        match layers[..] {
            [] => Err(LayerError::OutOfRange { index, count: self.layers }),
            [only] => Ok(only.clone()),
            _ => Ok(merge(&layers, index, &self.settings)),
        }
    }
}

impl PlacedPart {
    fn as_part(&self) -> Part<'_> {
        Part { name: &self.name, mesh: &self.mesh, offset_mm: self.offset_mm }
    }

    fn shows_the_same(&self, other: &Self) -> bool {
        let bits = |part: &Self| part.offset_mm.map(f64::to_bits);
        Arc::ptr_eq(&self.mesh, &other.mesh) && bits(self) == bits(other)
    }
}

impl SlicedGroup {
    fn is_of(&self, parts: &[PlacedPart]) -> bool {
        self.parts.len() == parts.len()
            && self.parts.iter().zip(parts).all(|(own, part)| own.shows_the_same(part))
    }
}
