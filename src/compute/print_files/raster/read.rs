//! Reads 1-bit stacks.

use crate::preview::Picture;
use crate::print_files::container::Container;
use crate::print_files::manifest::{self, Manifest};
use crate::print_files::png::{self, Packing};
use crate::print_files::{Facts, Format, Limits, PrintFile, ReadError, Told};
use crate::slice::{Display, Layer, LayerError, LayerSource, RunList};

/// An opened stack. As a source of layers it shows the build wax.
pub(in crate::print_files) struct RasterFile<'a> {
    container: Container<'a>,
    facts: Facts,
    told: Told,
    display: Display,
    build: Vec<usize>,
    /// `None` where a layer has no support.
    support: Vec<Option<usize>>,
}

/// Whether the names in a container are those of a 1-bit stack.
pub(in crate::print_files) fn is_raster(container: &Container<'_>) -> bool {
    container.place_of(manifest::ENTRY).is_some()
        && container.names().any(|(_, name)| name.starts_with("build/"))
}

impl<'a> RasterFile<'a> {
    pub(in crate::print_files) fn open(container: Container<'a>, limits: &Limits) -> Result<Self, ReadError> {
        let container = container.of(Format::Raster);
        let manifest = Manifest::read(&container)?;
        if manifest.schema != super::SCHEMA {
            return Err(container.damaged(format!("its manifest is a {:?}", manifest.schema)));
        }
        let display = manifest.display();
        if display.pixels() > limits.pixels_max {
            return Err(ReadError::OverLimit { format: Format::Raster, what: "the resolution" });
        }
        if manifest.layers.len() > usize::try_from(limits.layers_max).unwrap_or(usize::MAX) {
            return Err(ReadError::OverLimit { format: Format::Raster, what: "the number of layers" });
        }
        let place = |file: &String| {
            container.place_of(file).ok_or_else(|| container.damaged(format!("it holds no {file}")))
        };
        let layers = manifest.layers.iter();
        let build = layers.clone().map(|layer| place(&layer.file)).collect::<Result<_, _>>()?;
        let support =
            layers.map(|layer| layer.support.as_ref().map(place).transpose()).collect::<Result<_, _>>()?;
        let facts = manifest.facts(Format::Raster);
        let told = manifest.told(&facts);
        Ok(Self { container, facts, told, display, build, support })
    }

    fn mask(&self, index: u32, entry: usize) -> Result<Layer, LayerError> {
        let size = [self.display.width_px, self.display.height_px];
        let bytes = self.container.layer(entry);
        let runs = bytes.and_then(|bytes| png::decode(&bytes, size, Packing::Plain));
        let runs = runs.map_err(|reason| LayerError::Decode { index, reason })?;
        Ok(runs.finish(index, self.display.pixel_mm2(), 0))
    }
}

impl PrintFile for RasterFile<'_> {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn job(&self) -> Told {
        self.told.clone()
    }

    fn previews(&self) -> Vec<Picture> {
        self.container.previews(|name| name.starts_with("preview"))
    }

    fn support_layer(&self, index: u32) -> Option<Result<Layer, LayerError>> {
        let place = usize::try_from(index).ok()?;
        if self.support.iter().all(Option::is_none) {
            return None;
        }
        Some(match self.support.get(place) {
            Some(Some(entry)) => self.mask(index, *entry),
            Some(None) => {
                let mut dark = RunList::new();
                let pixels = u32::try_from(self.display.pixels()).unwrap_or(u32::MAX);
                dark.push(0, pixels);
                Ok(dark.finish(index, self.display.pixel_mm2(), 0))
            }
            None => Err(LayerError::OutOfRange { index, count: self.layer_count() }),
        })
    }
}

impl LayerSource for RasterFile<'_> {
    fn display(&self) -> Display {
        self.display
    }

    fn layer_count(&self) -> u32 {
        u32::try_from(self.build.len()).unwrap_or(u32::MAX)
    }

    fn layer(&self, index: u32) -> Result<Layer, LayerError> {
        let found = usize::try_from(index).ok().and_then(|place| self.build.get(place));
        let &entry = found.ok_or(LayerError::OutOfRange { index, count: self.layer_count() })?;
        self.mask(index, entry)
    }
}
