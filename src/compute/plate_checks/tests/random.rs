//! Random blocks of voxels: what is found is what a flood finds.

use proptest::prelude::*;

use super::voxels::{LAYER_MM, PITCH_MM, Voxels, pocket_key};
use super::{STRICT, checked};
use crate::plate_checks::links::Cut;
use crate::plate_checks::section::Section;
use crate::plate_checks::{Base, Closed, IslandKind, IslandRule, PlateReport, Rules, thin};
use crate::slice::LayerSource;

/// Blocks from nearly dark to nearly full.
fn block() -> impl Strategy<Value = Voxels> {
    (1..9_usize, 1..9_usize, 1..7_usize, 0.1..0.9).prop_flat_map(|(width, height, layers, share)| {
        prop::collection::vec(prop::bool::weighted(share), width * height * layers)
            .prop_map(move |lit| Voxels { size: [width, height, layers], lit })
    })
}

/// A pixel's number in the block from its place on the plate.
fn voxel_at(block: &Voxels, layer: u32, [x, y]: [f64; 2]) -> usize {
    let [column, row] = [x, y].map(|mm| whole((mm / PITCH_MM).floor()));
    (layer as usize * block.size[1] + row) * block.size[0] + column
}

fn voxels_of(volume_ml: f64) -> usize {
    whole((volume_ml * 1000.0 / (PITCH_MM * PITCH_MM * LAYER_MM)).round())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and not negative")]
fn whole(number: f64) -> usize {
    number as usize
}

fn px(count: usize) -> u32 {
    u32::try_from(count).unwrap()
}

fn same_pockets(block: &Voxels, report: &PlateReport) -> Result<(), TestCaseError> {
    let mut found: Vec<_> = report
        .pockets
        .iter()
        .map(|p| pocket_key(p.closed, p.opening, p.first_layer, p.last_layer, voxels_of(p.volume_ml)))
        .collect();
    let mut expected: Vec<_> = block
        .pockets()
        .into_iter()
        .map(|(first, last, opening, voxels)| pocket_key(opening.closed(), opening, first, last, voxels))
        .collect();
    found.sort();
    expected.sort();
    prop_assert_eq!(found, expected);
    let traps = report.pockets.iter().filter(|pocket| pocket.closed == Closed::ForEver);
    let trapped: usize = traps.map(|pocket| voxels_of(pocket.volume_ml)).sum();
    prop_assert_eq!(trapped, block.trapped());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn no_island_is_missed_and_none_is_made_up(block in block(), raised: bool, reach in 0..3_u32) {
        let base = if raised { Base::Raised } else { Base::OnPlate };
        let islands = IslandRule { reach_px: reach, ..IslandRule::STRICT };
        let report = checked(&block, &block.scene(), &Rules { base, islands, ..STRICT });

        let expected = block.islands(reach as usize, raised);
        prop_assert_eq!(report.counts.free_islands, expected.len() as u64);
        let mut left = expected;
        for island in &report.islands {
            prop_assert_eq!(island.kind, IslandKind::Free);
            let voxel = voxel_at(&block, island.layer, island.at_mm);
            let place = left.iter().position(|(_, area)| area.binary_search(&voxel).is_ok());
            prop_assert!(place.is_some(), "{:?} is no island", island);
            let (layer, area) = left.swap_remove(place.unwrap());
            prop_assert_eq!((island.layer, island.px), (layer, area.len() as u64));
            if reach == 0 && !raised {
                prop_assert_eq!(island.joins_layer, block.joins(voxel));
            }
        }
        prop_assert!(left.is_empty());
    }

    #[test]
    fn every_cup_and_every_trap_is_what_a_flood_finds(block in block()) {
        same_pockets(&block, &checked(&block, &block.scene(), &STRICT))?;
    }

    #[test]
    fn a_closed_box_is_a_trap_whatever_is_in_it(inner in block()) {
        let [width, height, layers] = inner.size;
        let size = [width + 4, height + 4, layers + 2];
        let mut lit = Vec::new();
        for z in 0..size[2] {
            for y in 0..size[1] {
                for x in 0..size[0] {
                    let border = x == 0 || y == 0 || x + 1 == size[0] || y + 1 == size[1];
                    let inside = x > 1 && y > 1 && x < width + 2 && y < height + 2 && z > 0 && z <= layers;
                    let solid = || inner.lit[((z - 1) * height + y - 2) * width + x - 2];
                    lit.push(!border && (!inside || solid()));
                }
            }
        }
        let block = Voxels { size, lit };
        let report = checked(&block, &block.scene(), &STRICT);
        same_pockets(&block, &report)?;
        prop_assert!(report.pockets.iter().all(|pocket| pocket.closed == Closed::ForEver));
    }

    #[test]
    fn thin_is_what_no_square_covers(block in block(), across in 1..5_usize, down in 1..5_usize) {
        let [width, height, _] = block.size;
        let layer = block.layer(0).unwrap();
        let section = Section::of(&layer, [width, height].map(px), 128);
        let cut = Cut::of(section);
        let thin = thin::residue(&cut, [px(across), px(down)]);

        let lit = |x: usize, y: usize| x < width && y < height && block.lit[y * width + x];
        let square = |x: usize, y: usize| (y..y + down).all(|y| (x..x + across).all(|x| lit(x, y)));
        let covered = |x: usize, y: usize| {
            (y.saturating_sub(down - 1)..=y)
                .any(|top| (x.saturating_sub(across - 1)..=x).any(|left| square(left, top)))
        };
        let left = Voxels {
            size: [width, height, 1],
            lit: (0..width * height)
                .map(|i| lit(i % width, i / width) && !covered(i % width, i / width))
                .collect(),
        };
        // Corners of thick areas are left out.
        let whole = Voxels { size: [width, height, 1], lit: block.lit[..width * height].to_vec() };
        let wholes = whole.islands(0, true);
        let mut expected = vec![false; width * height];
        for (_, area) in left.islands(0, true) {
            let is_whole = wholes.iter().any(|(_, whole)| *whole == area);
            if is_whole || area.len() as f64 > 0.3 * (across * down) as f64 {
                area.iter().for_each(|&pixel| expected[pixel] = true);
            }
        }
        let mut found = vec![false; width * height];
        for row in thin.rows() {
            for ends in thin.row(row).chunks_exact(2) {
                (ends[0]..ends[1]).for_each(|x| found[row as usize * width + x as usize] = true);
            }
        }
        prop_assert_eq!(found, expected);
    }
}
