//! An opened container of PNG layers, whatever format it is: the settings differ, the layers do not.

use super::container::Container;
use super::png::{self, Packing};
use super::{Facts, PrintFile, Told};
use crate::preview::Picture;
use crate::slice::{Display, Layer, LayerError, LayerSource};

/// Settings read, layers found.
pub(super) struct PngStack<'a> {
    pub(super) container: Container<'a>,
    pub(super) facts: Facts,
    pub(super) told: Told,
    pub(super) display: Display,
    pub(super) packing: Packing,
    /// Place in the container of each layer.
    pub(super) entries: Vec<usize>,
    /// Which names are those of pictures of the plate.
    pub(super) is_preview: fn(&str) -> bool,
}

impl PrintFile for PngStack<'_> {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn job(&self) -> Told {
        self.told.clone()
    }

    fn previews(&self) -> Vec<Picture> {
        self.container.previews(self.is_preview)
    }
}

impl LayerSource for PngStack<'_> {
    fn display(&self) -> Display {
        self.display
    }

    fn layer_count(&self) -> u32 {
        u32::try_from(self.entries.len()).unwrap_or(u32::MAX)
    }

    fn layer(&self, index: u32) -> Result<Layer, LayerError> {
        let found = usize::try_from(index).ok().and_then(|place| self.entries.get(place));
        let &entry = found.ok_or(LayerError::OutOfRange { index, count: self.layer_count() })?;
        let bytes = self.container.layer(entry);
        let runs = bytes.and_then(|bytes| png::decode(&bytes, self.facts.resolution_px, self.packing));
        let runs = runs.map_err(|reason| LayerError::Decode { index, reason })?;
        Ok(runs.finish(index, self.display.pixel_mm2(), 0))
    }
}
