//! How a layer is made to differ from the geometry on purpose, so that the cured part does not.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::edges::Segment;
use super::fill::{self, Rule};
use super::offset::{self, Thin};
use super::watch::{Stopped, Watch};
use super::{Bloom, Display, Grey, Layer, Offsets, Settings};
use crate::finding::Finding;
use crate::units::Microns;

/// Thin places of neighbouring layers that are nearer than this are one place for people, mm.
const SAME_PLACE_MM: f64 = 1.0;

/// So many places are named; a technician reads no more, and the last finding says how many there are.
const PLACES_NAMED: usize = 20;

/// What is done to sections and greys. All of it is measured and comes from profiles; [`Shaping::NONE`] is
/// nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Shaping {
    /// Sections moved in or out.
    pub offsets: Offsets,
    /// Weaker light along outlines.
    pub bloom: Option<Bloom>,
    /// Written values instead of coverage; `None` writes coverage.
    pub grey: Option<Grey>,
}

impl Shaping {
    /// Sections and coverage as they are.
    pub const NONE: Shaping = Shaping { offsets: Offsets::NONE, bloom: None, grey: None };
}

/// What a group of parts is shaped with, and where it is told what had to be left out.
#[derive(Clone, Copy)]
pub(super) struct Shaper<'a> {
    pub(super) shaping: &'a Shaping,
    pub(super) noticed: &'a Noticed,
    /// Which group of parts it is.
    pub(super) group: usize,
}

/// Which picture is made of a section.
pub(super) struct Shown<'a> {
    pub(super) display: &'a Display,
    pub(super) rule: Rule,
    pub(super) index: u32,
    /// Which of several heights of the layer.
    pub(super) part: u32,
}

impl<'a> Shaper<'a> {
    /// Shapes nothing.
    pub(super) fn plain(noticed: &'a Noticed) -> Self {
        Self { shaping: &Shaping::NONE, noticed, group: 0 }
    }

    /// Makes a layer of the outline of its section; greys are left to whoever puts groups together.
    pub(super) fn layer(
        &self,
        segments: Vec<Segment>,
        shown: &Shown<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<Layer, Stopped> {
        let &Shown { display, rule, index, part } = shown;
        let place = (index, self.group, part);
        let segments = self.offset(segments, shown, place);
        let layer = fill::fill(&segments, display, rule, index, watch)?;
        let Some(bloom) = self.shaping.bloom.filter(|_| !segments.is_empty()) else { return Ok(layer) };
        let inwards = -i64::from(bloom.margin.0) * 1000;
        match offset::moved(&segments, display.pitch_mm, inwards, Microns(0)) {
            // Places without an inside keep full light: they have none to spare.
            Ok(inner) => Ok(bloom.apply(&layer, &fill::fill(&inner.segments, display, rule, index, watch)?)),
            Err(offset::Open) => {
                self.noticed.open(place);
                Ok(layer)
            }
        }
    }

    fn offset(&self, segments: Vec<Segment>, shown: &Shown<'_>, place: Seen) -> Vec<Segment> {
        let Shaping { offsets, .. } = self.shaping;
        let growth_nm = offsets.of_layer_nm(shown.index);
        if growth_nm == 0 || segments.is_empty() {
            return segments;
        }
        match offset::moved(&segments, shown.display.pitch_mm, growth_nm, offsets.thinnest) {
            Ok(moved) => {
                self.noticed.thin(place, moved.thin);
                moved.segments
            }
            Err(offset::Open) => {
                self.noticed.open(place);
                segments
            }
        }
    }
}

/// Layer, group of parts, and which of several heights of the layer.
type Seen = (u32, usize, u32);

/// What was noticed while layers were made, in any order and on any thread; the same layer says the same.
#[derive(Debug, Default)]
pub(super) struct Noticed {
    layers: Mutex<BTreeMap<Seen, Notice>>,
}

#[derive(Debug)]
enum Notice {
    Thin(Vec<Thin>),
    Open,
}

/// A place over several layers.
struct Place {
    at_mm: [f64; 2],
    gap: bool,
    first: u32,
    last: u32,
}

impl Noticed {
    fn thin(&self, place: Seen, thin: Vec<Thin>) {
        if !thin.is_empty() {
            self.note(place, Notice::Thin(thin));
        }
    }

    fn open(&self, place: Seen) {
        self.note(place, Notice::Open);
    }

    fn note(&self, place: Seen, notice: Notice) {
        // The map is whole after a panic elsewhere: inserts are one step.
        self.layers.lock().unwrap_or_else(PoisonError::into_inner).insert(place, notice);
    }

    pub(super) fn findings(&self, settings: &Settings) -> Vec<Finding> {
        let layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut places: Vec<Place> = Vec::new();
        let mut open = Vec::new();
        for (&(index, _, _), notice) in layers.iter() {
            match notice {
                Notice::Open if open.last() != Some(&index) => open.push(index),
                Notice::Open => {}
                Notice::Thin(thin) => {
                    for thin in thin {
                        let at_mm = settings.display.plate_point_mm(thin.at_px);
                        gather(&mut places, Place { at_mm, gap: thin.gap, first: index, last: index });
                    }
                }
            }
        }
        let mut findings: Vec<Finding> = places.iter().take(PLACES_NAMED).map(finding).collect();
        if let Some(more) = places.len().checked_sub(PLACES_NAMED).filter(|more| *more > 0) {
            let text = format!("{more} more places are too thin for the compensation and keep their size");
            findings.push(Finding::warning("TOO_THIN_MORE", "plate", text));
        }
        findings.extend(open_finding(&open));
        findings
    }
}

fn gather(places: &mut Vec<Place>, new: Place) {
    let near = |place: &&mut Place| {
        let away = (place.at_mm[0] - new.at_mm[0]).hypot(place.at_mm[1] - new.at_mm[1]);
        place.gap == new.gap && place.last + 1 >= new.first && away <= SAME_PLACE_MM
    };
    match places.iter_mut().rev().find(near) {
        Some(place) => (place.last, place.at_mm) = (new.last, new.at_mm),
        None => places.push(new),
    }
}

fn finding(place: &Place) -> Finding {
    let (code, what, cure) = if place.gap {
        ("GAP_TOO_THIN", "a gap", "widen it in the design")
    } else {
        ("WALL_TOO_THIN", "a wall", "thicken it in the design")
    };
    let text = format!(
        "{what} is too thin for the compensation of this material and keeps its size in layers {} to {}; {cure}, or \
         lower the compensation",
        place.first, place.last
    );
    let [x, y] = place.at_mm;
    Finding::warning(code, format!("x {x:.2} mm, y {y:.2} mm, layer {}", place.first), text)
}

fn open_finding(open: &[u32]) -> Option<Finding> {
    let (first, last) = (open.first()?, open.last()?);
    let text = format!(
        "the outline is open in {} layers between {first} and {last}; they are not compensated, repair the mesh",
        open.len()
    );
    Some(Finding::warning("SECTION_OPEN", format!("layer {first}"), text))
}

#[cfg(test)]
mod tests {
    use super::Shaping;
    use crate::slice::tests::{pixels, settings, solids};
    use crate::slice::{
        Bloom, Display, Foot, Grey, Layer, LayerSource, Offsets, Orientation, Part, Plate, PrepareError,
        Sampling, Settings,
    };
    use crate::units::Microns;

    fn shrinking(um: i32) -> Shaping {
        Shaping { offsets: Offsets { xy: Microns(-um), ..Offsets::NONE }, ..Shaping::NONE }
    }

    fn layer(parts: &[Part<'_>], shaping: Shaping, index: u32) -> Layer {
        Plate::prepare_shaped(parts, settings(Sampling::Coverage), shaping, None)
            .unwrap()
            .layer(index)
            .unwrap()
    }

    #[test]
    fn the_first_layers_are_drawn_smaller_and_the_others_as_they_are() {
        let cube = solids::cuboid([10.0, 10.0, 0.0], [14.0, 14.0, 1.0]);
        let parts = [Part { name: "cube", mesh: &cube, offset_mm: [0.0; 3] }];
        let foot = Foot { inward: Microns(100), layers: 2 };
        let shaping = Shaping { offsets: Offsets { foot: Some(foot), ..Offsets::NONE }, ..Shaping::NONE };

        let areas = [0, 1, 2].map(|index| layer(&parts, shaping.clone(), index).area_mm2);

        for (area, side) in areas.iter().zip([3.8_f64, 3.9, 4.0]) {
            assert!((area - side * side).abs() < 2e-3, "{area} for a side of {side}");
        }
        assert_eq!(layer(&parts, shaping, 2), layer(&parts, Shaping::NONE, 2));
    }

    #[test]
    fn a_wire_that_is_kept_is_one_finding_with_its_place_and_layers() {
        let body = solids::cuboid([10.0, 10.0, 0.0], [14.0, 14.0, 0.5]);
        let wire = solids::cuboid([20.0, 30.0, 0.0], [20.08, 30.5, 0.5]);
        let parts = [&body, &wire].map(|mesh| Part { name: "part", mesh, offset_mm: [0.0; 3] });
        let plate = Plate::prepare_shaped(&parts, settings(Sampling::Coverage), shrinking(50), None).unwrap();
        assert_eq!(plate.findings(), []);

        (0..plate.layer_count()).rev().for_each(|index| assert!(plate.layer(index).is_ok()));

        let findings = plate.findings();
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].code, "WALL_TOO_THIN");
        assert_eq!(findings[0].place, "x 20.04 mm, y 30.25 mm, layer 0");
        assert!(findings[0].text.contains("layers 0 to 9"), "{}", findings[0].text);
    }

    #[test]
    fn a_pixel_lies_on_the_plate_where_the_part_is_however_the_picture_is_turned() {
        let cube = solids::cuboid([3.0, 1.0, 0.0], [3.5, 1.5, 0.5]);
        let parts = [Part { name: "cube", mesh: &cube, offset_mm: [0.0; 3] }];
        for orientation in [Orientation::Landscape, Orientation::Portrait] {
            for (mirror_x, mirror_y) in [(false, false), (false, true), (true, false), (true, true)] {
                let display = Display {
                    width_px: 50,
                    height_px: 50,
                    pitch_mm: [0.1, 0.1],
                    orientation,
                    mirror_x,
                    mirror_y,
                };
                let settings = Settings { display, ..settings(Sampling::Centre) };
                let picture = pixels(&Plate::prepare(&parts, settings).unwrap().layer(0).unwrap());
                let lit = picture.iter().position(|&value| value == 255).unwrap();

                let [x, y] = display.plate_point_mm([(lit % 50) as f64 + 0.5, (lit / 50) as f64 + 0.5]);

                assert!((3.0..3.5).contains(&x) && (1.0..1.5).contains(&y), "{x} {y} {display:?}");
            }
        }
    }

    #[test]
    fn a_part_that_grows_over_the_edge_is_refused() {
        let cube = solids::cuboid([0.05, 10.0, 0.0], [4.0, 14.0, 1.0]);
        let parts = [Part { name: "cube", mesh: &cube, offset_mm: [0.0; 3] }];
        let at_the_edge = settings(Sampling::Coverage);

        assert!(Plate::prepare(&parts, at_the_edge.clone()).is_ok());
        let refused = Plate::prepare_shaped(&parts, at_the_edge, shrinking(-100), None).unwrap_err();

        assert!(matches!(refused, PrepareError::OutsideDisplay { side: "left", .. }), "{refused:?}");
    }

    #[test]
    fn an_open_outline_is_left_as_it_is_and_told_of() {
        let mut open = solids::cuboid([10.0, 10.0, 0.0], [14.0, 14.0, 0.5]);
        // A triangle of the left side: one that lies along a row of the picture would be closed again.
        let side = open
            .triangles
            .iter()
            .position(|corners| corners.iter().all(|&corner| open.vertices[corner as usize].x < 10.5));
        open.triangles.remove(side.unwrap());
        let parts = [Part { name: "open", mesh: &open, offset_mm: [0.0; 3] }];
        let plate = Plate::prepare_shaped(&parts, settings(Sampling::Coverage), shrinking(50), None).unwrap();

        (0..plate.layer_count()).for_each(|index| assert!(plate.layer(index).is_ok()));

        assert_eq!(plate.findings().last().map(|finding| finding.code.as_str()), Some("SECTION_OPEN"));
    }

    #[test]
    fn a_bloom_border_and_a_floor_change_the_light_and_not_the_area() {
        let cube = solids::cuboid([10.0, 10.0, 0.0], [14.0, 14.0, 0.5]);
        let parts = [Part { name: "cube", mesh: &cube, offset_mm: [0.0; 3] }];
        let plain = layer(&parts, Shaping::NONE, 3);
        let bloom = Some(Bloom { margin: Microns(200), grey: 128 });
        let grey = Some(Grey::through(&[(1, 60), (255, 255)]).unwrap());

        let bloomed = layer(&parts, Shaping { bloom, ..Shaping::NONE }, 3);
        let lifted = layer(&parts, Shaping { grey, ..Shaping::NONE }, 3);

        let expected = (3.6 * 3.6 + (16.0 - 3.6 * 3.6) * 128.0 / 255.0) / 16.0;
        assert!((bloomed.light as f64 / plain.light as f64 - expected).abs() < 2e-3);
        assert!(lifted.light > plain.light);
        for shaped in [bloomed, lifted] {
            assert_eq!(shaped.lit_px, plain.lit_px);
            assert_eq!(shaped.area_mm2.to_bits(), plain.area_mm2.to_bits());
        }
    }
}
