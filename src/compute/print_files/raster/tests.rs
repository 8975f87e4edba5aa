use std::io::Cursor;
use std::sync::atomic::AtomicBool;

use crate::print_files::tests::{display, entry, job, pixels_of, samples_by_library, written};
use crate::print_files::{Format, Limits, open, write_raster};
use crate::slice::tests::unwatched;
use crate::slice::{Display, Layer, LayerError, LayerSource, RunList};

/// A bar of each layer's own place.
struct Bars {
    count: u32,
    from: u32,
    length: u32,
    value: u8,
}

impl LayerSource for Bars {
    fn display(&self) -> Display {
        display()
    }

    fn layer_count(&self) -> u32 {
        self.count
    }

    fn layer(&self, index: u32) -> Result<Layer, LayerError> {
        let from = self.from + index * 7;
        let mut list = RunList::new();
        list.push(0, from);
        list.push(self.value, self.length);
        list.push(0, 2400 - from - self.length);
        Ok(list.finish(index, display().pixel_mm2(), 0))
    }
}

#[test]
fn a_layer_has_a_black_and_white_picture_for_each_wax() {
    let build = Bars { count: 4, from: 100, length: 333, value: 255 };
    let support = Bars { count: 3, from: 50, length: 100, value: 255 };
    let cancel = AtomicBool::new(false);
    let mut out = Cursor::new(Vec::new());

    let outcome = write_raster(&job(), &build, Some(&support), &[], &mut out, unwatched(&cancel)).unwrap();
    let bytes = out.into_inner();

    assert!(outcome.findings.is_empty());
    let (samples, colour, depth) = samples_by_library(&entry(&bytes, "support/00002.png"));
    assert_eq!((colour, depth), (::png::ColorType::Grayscale, ::png::BitDepth::One));
    // 60 columns are seven bytes and a half.
    let is_lit = |place: usize| samples[place / 60 * 8 + place % 60 / 8] & (0x80 >> (place % 60 % 8)) != 0;
    let lit: Vec<usize> = (0..2400).filter(|&place| is_lit(place)).collect();
    assert_eq!(lit, (57..107).collect::<Vec<_>>(), "from 57 on, and the build wax begins at 107");

    let file = open(&bytes, &Limits::GENEROUS).unwrap();
    assert_eq!(file.facts().format, Format::Raster);
    let read = file.support_layer(1).unwrap().unwrap();
    assert_eq!(pixels_of(&read.runs).iter().filter(|value| **value == 255).count(), 50);
    assert_eq!(file.support_layer(3).unwrap().unwrap().lit_px, 0, "the support ended");
    assert_eq!(file.layer(3).unwrap().digest(), build.layer(3).unwrap().digest());
}

#[test]
fn grey_is_cut_at_half_and_said() {
    for (value, lit) in [(127, 0), (128, 333)] {
        let build = Bars { count: 1, from: 0, length: 333, value };
        let cancel = AtomicBool::new(false);
        let mut out = Cursor::new(Vec::new());

        let outcome = write_raster(&job(), &build, None, &[], &mut out, unwatched(&cancel)).unwrap();

        assert_eq!(outcome.findings.len(), 1);
        let bytes = out.into_inner();
        let file = open(&bytes, &Limits::GENEROUS).unwrap();
        assert_eq!(file.layer(0).unwrap().lit_px, lit);
        assert!(file.support_layer(0).is_none());
    }
}

#[test]
fn a_support_mask_of_another_size_is_refused() {
    let (bytes, _) = written(Format::Goo, &job());
    let other = open(&bytes, &Limits::GENEROUS).unwrap();
    let mut narrow = job();
    narrow.display.width_px = 59;
    let (bytes, _) = written(Format::Goo, &narrow);
    let support = open(&bytes, &Limits::GENEROUS).unwrap();
    let cancel = AtomicBool::new(false);

    let refused = write_raster(
        &job(),
        other.as_ref(),
        Some(support.as_ref()),
        &[],
        Cursor::new(Vec::new()),
        unwatched(&cancel),
    );

    assert!(refused.unwrap_err().to_string().contains("size of the support mask"));
}
