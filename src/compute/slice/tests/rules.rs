//! What is fixed in writing: counting of layers, complete runs, places on the display, refusals, streams.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use proptest::prelude::*;

use super::super::{
    Control, Display, Heights, Layer, LayerError, LayerSource, Orientation, Part, Plate, PrepareError,
    RunList, Sampling, Settings, StreamError, stream,
};
use super::{centred, layers_of, pixels, settings, solids, unwatched};
use crate::units::Microns;

/// 8 x 6 pixels of 1 mm.
fn small(orientation: Orientation, mirror_x: bool, mirror_y: bool) -> Settings {
    let display =
        Display { width_px: 8, height_px: 6, pitch_mm: [1.0, 1.0], orientation, mirror_x, mirror_y };
    Settings {
        display,
        height_max_mm: 10.0,
        heights: Heights::uniform(Microns(500)),
        sampling: Sampling::Coverage,
    }
}

/// Columns and rows that are lit, of a 2 x 1 mm box near the plate's origin at x 1..3, y 0..1.
fn lit(settings: Settings) -> Vec<(usize, usize)> {
    let mesh = solids::cuboid([1.0, 0.0, 0.0], [3.0, 1.0, 1.0]);
    let parts = [Part { name: "box", mesh: &mesh, offset_mm: [0.0; 3] }];
    let layer = Plate::prepare(&parts, settings).unwrap().layer(0).unwrap();
    let all = pixels(&layer);
    (0..all.len()).filter(|&i| all[i] > 0).map(|i| (i % 8, i / 8)).collect()
}

#[test]
fn the_first_row_is_the_far_side_and_mirrors_flip_it() {
    assert_eq!(lit(small(Orientation::Landscape, false, false)), [(1, 5), (2, 5)]);
    assert_eq!(lit(small(Orientation::Landscape, true, false)), [(5, 5), (6, 5)]);
    assert_eq!(lit(small(Orientation::Landscape, false, true)), [(1, 0), (2, 0)]);
}

#[test]
fn a_portrait_picture_is_a_quarter_turn_and_no_mirror_image() {
    // Columns count along -y, rows along -x.
    assert_eq!(lit(small(Orientation::Portrait, false, false)), [(7, 3), (7, 4)]);
    assert_eq!(lit(small(Orientation::Portrait, true, false)), [(0, 3), (0, 4)]);
    assert_eq!(lit(small(Orientation::Portrait, false, true)), [(7, 1), (7, 2)]);
}

#[test]
fn layers_are_counted_up_but_for_rounding() {
    for (height, layers) in [(2.0, 40), (2.000_001, 40), (2.01, 41), (0.04, 1), (1.999_999, 40)] {
        let mesh = solids::cuboid([0.0; 3], [1.0, 1.0, height]);
        assert_eq!(layers_of(&mesh, settings(Sampling::Centre)).len(), layers, "{height} mm");
    }
}

#[test]
fn a_part_that_does_not_fit_is_named() {
    let mesh = solids::cuboid([0.0; 3], [2.0, 1.0, 4.0]);
    let refused = |offset_mm: [f64; 3]| {
        let parts = [Part { name: "ring 7", mesh: &mesh, offset_mm }];
        Plate::prepare(&parts, small(Orientation::Landscape, false, false)).map(|_| ()).unwrap_err()
    };
    let outside = |side, over_mm| PrepareError::OutsideDisplay { part: "ring 7".to_owned(), side, over_mm };

    assert_eq!(refused([-0.5, 0.0, 0.0]), outside("left", 0.5));
    assert_eq!(refused([6.5, 0.0, 0.0]), outside("right", 0.5));
    assert_eq!(refused([0.0, -0.25, 0.0]), outside("front", 0.25));
    assert_eq!(refused([0.0, 5.25, 0.0]), outside("back", 0.25));
    assert!(matches!(refused([0.0, 0.0, 7.0]), PrepareError::TooHigh { part, .. } if part == "ring 7"));
    assert!(matches!(refused([0.0, 0.0, -1.0]), PrepareError::BelowPlate { part, .. } if part == "ring 7"));
    assert!(matches!(refused([f64::NAN, 0.0, 0.0]), PrepareError::NotFinite { part } if part == "ring 7"));
    assert_eq!(
        Plate::prepare(&[], small(Orientation::Landscape, false, false)).map(|_| ()),
        Err(PrepareError::Empty)
    );
}

#[test]
fn the_stream_is_in_order_and_the_same_for_any_number_of_threads() {
    let mesh = solids::torus(9.0, 1.5, 60, 24);
    let parts = [centred(&mesh)];
    let plate = Plate::prepare(&parts, settings(Sampling::Coverage)).unwrap();
    let collect = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let cancel = AtomicBool::new(false);
        let mut layers = Vec::new();
        pool.install(|| {
            stream(&plate, unwatched(&cancel), Layer::clone, |layer| {
                layers.push(layer);
                Ok::<(), ()>(())
            })
        })
        .unwrap();
        layers
    };

    let alone = collect(1);

    assert!(alone.iter().map(|layer| layer.index).eq(0..plate.layer_count()));
    assert_eq!(alone, collect(2));
    assert_eq!(alone, collect(7));
}

#[test]
fn a_stream_stops_when_asked() {
    let mesh = solids::torus(9.0, 1.5, 60, 24);
    let parts = [centred(&mesh)];
    let plate = Plate::prepare(&parts, settings(Sampling::Centre)).unwrap();
    let cancel = AtomicBool::new(false);
    let made = AtomicU32::new(0);

    let ended = stream(
        &plate,
        unwatched(&cancel),
        |_| made.fetch_add(1, Ordering::Relaxed),
        |_| {
            cancel.store(true, Ordering::Relaxed);
            Ok::<(), ()>(())
        },
    );

    assert_eq!(ended, Err(StreamError::Cancelled));
    assert!(made.load(Ordering::Relaxed) < plate.layer_count());
}

/// Layers from nowhere; counts how many of what is made of them are alive.
struct Probe {
    layers: u32,
}

impl LayerSource for Probe {
    fn display(&self) -> Display {
        settings(Sampling::Centre).display
    }

    fn layer_count(&self) -> u32 {
        self.layers
    }

    fn layer(&self, index: u32) -> Result<Layer, LayerError> {
        Ok(RunList::new().finish(index, 1.0, 0))
    }
}

struct Alive<'a>(&'a AtomicU32);

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn a_stream_of_any_length_holds_a_few_layers_of_each_core_and_its_progress_rises() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let cancel = AtomicBool::new(false);
    let (alive, most, shown) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
    let progress = |done: u32, all: u32| {
        assert_eq!(shown.swap(done, Ordering::SeqCst) + 1, done);
        assert_eq!(all, 5000);
    };
    let make = |_: &Layer| {
        most.fetch_max(alive.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        Alive(&alive)
    };

    let control = Control { cancel: &cancel, progress: &progress };
    pool.install(|| stream(&Probe { layers: 5000 }, control, make, |_| Ok::<(), ()>(()))).unwrap();

    assert_eq!(shown.load(Ordering::SeqCst), 5000);
    assert!(most.load(Ordering::SeqCst) <= 2 * 2 * 8, "{} layers at once", most.load(Ordering::SeqCst));
}

#[test]
fn preparing_and_a_heavy_layer_stop_when_asked() {
    let mesh = solids::torus(9.0, 1.5, 60, 24);
    let parts = [centred(&mesh)];
    let cancel = AtomicBool::new(false);
    for sampling in [Sampling::Centre, Sampling::Coverage, Sampling::Supersampled { samples: 4 }] {
        cancel.store(false, Ordering::Relaxed);
        let plate = Plate::prepare_until(&parts, settings(sampling), &cancel).unwrap();
        assert!(plate.layer(3).is_ok());

        cancel.store(true, Ordering::Relaxed);

        assert_eq!(plate.layer(3), Err(LayerError::Cancelled));
        let again = Plate::prepare_until(&parts, settings(sampling), &cancel);
        assert_eq!(again.map(|_| ()), Err(PrepareError::Cancelled));
        let ended = stream(&plate, unwatched(&AtomicBool::new(false)), |_| (), |()| Ok::<(), ()>(()));
        assert_eq!(ended, Err(StreamError::Cancelled));
    }
}

/// Thousands of outlines cross each row: the marks of all rows at once would not fit a band.
#[test]
fn outlines_across_the_whole_display_are_done_in_bands() {
    let mut wall = solids::cuboid([0.1, 0.1, 0.0], [0.2, 67.0, 0.5]);
    let one = wall.clone();
    for step in 1..8_u8 {
        wall = solids::joined(&wall, &solids::moved(&one, [f64::from(step) * 0.3, 0.0, 0.0]));
    }
    let faces = wall.triangles.clone();
    for _ in 0..400 {
        wall.triangles.extend_from_slice(&faces);
    }
    let parts = [Part { name: "walls", mesh: &wall, offset_mm: [1.0, 0.2, 0.0] }];
    for sampling in [Sampling::Centre, Sampling::Coverage] {
        let layer = Plate::prepare(&parts, settings(sampling)).unwrap().layer(4).unwrap();
        let exact = 8.0 * 0.1 * 66.9;
        assert!((layer.area_mm2 - exact).abs() < 0.06 * exact, "{} mm2", layer.area_mm2);
        assert_eq!(layer.open_rows, 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Boxes anywhere, any turn inside out: the union is what a count of centres says.
    #[test]
    fn any_pile_of_boxes_unites_and_fills_the_display_exactly(
        boxes in prop::collection::vec((0.0..6.0_f64, 0.0..4.0_f64, 0.1..2.0_f64, 0.1..2.0_f64), 1..6)
    ) {
        let meshes: Vec<_> = boxes.iter()
            .map(|&(x, y, w, d)| solids::cuboid([x, y, 0.0], [x + w, y + d, 1.0])).collect();
        let parts: Vec<_> = meshes.iter()
            .map(|mesh| Part { name: "box", mesh, offset_mm: [0.0; 3] }).collect();
        let mut fine = small(Orientation::Landscape, false, false);
        fine.display = Display { width_px: 160, height_px: 120, pitch_mm: [0.05, 0.05], ..fine.display };
        let coverage = Plate::prepare(&parts, fine.clone()).unwrap().layer(0).unwrap();
        fine.sampling = Sampling::Centre;
        let centres = Plate::prepare(&parts, fine.clone()).unwrap().layer(0).unwrap();

        let (grey, hard) = (pixels(&coverage), pixels(&centres));
        prop_assert_eq!(grey.len(), 160 * 120);
        prop_assert_eq!(hard.len(), 160 * 120);
        prop_assert!(coverage.runs.windows(2).all(|pair| pair[0].value != pair[1].value));
        for (place, (&grey, &hard)) in grey.iter().zip(&hard).enumerate() {
            let x = ((place % 160) as f64 + 0.5) * 0.05;
            let y = (120.0 - (place / 160) as f64 - 0.5) * 0.05;
            let inside = |&(bx, by, w, d): &(f64, f64, f64, f64)|
                (bx + w - x).min(x - bx).min(by + d - y).min(y - by);
            let depth = boxes.iter().map(inside).fold(f64::MIN, f64::max);
            if depth.abs() > 1e-4 {
                prop_assert_eq!(hard == 255, depth > 0.0, "pixel {}", place);
            }
            if depth.abs() > 0.0251 {
                prop_assert_eq!(grey, if depth > 0.0 { 255 } else { 0 }, "pixel {}", place);
            }
        }
    }
}
