//! Everything before the layer table, put together and laid out.

use super::header::{
    HEADER_LEN, Header, MAGIC_CBDDLP, MAGIC_CTB, MAGIC_CTB4, PARAMS_LEN, PICTURE_LEN, Params, PictureBlock,
    Place, RESIN_LEN, ResinBlock, SLICER_LEN, Slicer, VERSION4_LEN, Version4,
};
use super::{CtbVersion, Flavour, PREVIEW_SIZES, light_off_s, picture};
use crate::preview::Picture;
use crate::print_files::fields::{ByteOrder, FieldWriter, single};
use crate::print_files::tally::Tally;
use crate::print_files::{Format, Job, LayerMotion, WriteError, lifts};

/// Length of the notice of version 4. Programs of the vendor put a legal text there that is not ours to write;
/// boards skip it.
const NOTICE_LEN: usize = 320;

/// The blocks in the order of the file.
pub(super) struct Head {
    header: Header,
    /// Large, small.
    pictures: [Option<(PictureBlock, Vec<u8>)>; 2],
    params: Params,
    slicer: Slicer,
    machine: String,
    version4: Option<(Version4, Vec<u8>)>,
    /// With the name of the resin.
    resin: Option<(ResinBlock, String)>,
}

impl Head {
    pub(super) fn new(
        job: &Job,
        flavour: Flavour,
        format: Format,
        layers: u32,
        previews: &[Picture],
    ) -> Result<Self, WriteError> {
        let (bottom, normal) = lifts::motions(job, format)?;
        let last = layers.saturating_sub(1);
        let mut head = Self {
            header: header_of(job, flavour, layers, &normal),
            pictures: PREVIEW_SIZES.map(|size| picture_of(previews, size)),
            params: params_of(job, flavour, &bottom, &normal),
            slicer: slicer_of(job, flavour.version, &bottom, &normal),
            machine: job.machine.name.clone(),
            version4: (flavour.version >= CtbVersion::V4).then(|| version4_of(job, &bottom, &normal, last)),
            resin: (flavour.version >= CtbVersion::V5).then(|| resin_of(job)),
        };
        head.lay_out().ok_or(WriteError::Range { format, field: "text lengths" })?;
        Ok(head)
    }

    /// Where the layer table begins.
    pub(super) fn table_at(&self) -> u32 {
        self.header.table_at
    }

    /// Sets what is known when all layers are written.
    pub(super) fn fill_in(&mut self, job: &Job, tally: &Tally) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a sum of times; saturates"
        )]
        let whole_s = tally.print_s().round() as u32;
        self.header.print_s = whole_s;
        self.params.volume_ml = single(tally.volume_ml());
        self.params.weight_g = single(job.resin.density_g_per_ml.unwrap_or(0.0) * tally.volume_ml());
        self.params.cost = single(job.resin.price_per_ml.unwrap_or(0.0) * tally.volume_ml());
    }

    /// The bytes up to the layer table.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = FieldWriter::new(ByteOrder::Little);
        self.header.encode(&mut out);
        for (block, words) in self.pictures.iter().flatten() {
            block.encode(&mut out);
            out.bytes(words);
        }
        self.params.encode(&mut out);
        self.slicer.encode(&mut out);
        out.bytes(self.machine.as_bytes());
        if let Some((block, notice)) = &self.version4 {
            out.bytes(notice);
            block.encode(&mut out);
        }
        if let Some((block, name)) = &self.resin {
            block.encode(&mut out);
            for text in [name, &self.machine] {
                out.bytes(text.as_bytes());
                out.bytes(&[0]);
            }
        }
        out.finish()
    }

    /// Says to each block where the others come to lie; `None` if that is beyond 4 GiB.
    fn lay_out(&mut self) -> Option<()> {
        let mut layout = Layout { at: HEADER_LEN };
        let [large, small] = &mut self.pictures;
        self.header.large_at = layout.picture(large)?;
        self.header.small_at = layout.picture(small)?;
        self.header.params = layout.block(PARAMS_LEN)?;
        self.header.slicer = layout.block(SLICER_LEN)?;
        self.slicer.machine = layout.bytes(self.machine.as_bytes())?;
        if let Some((block, notice)) = &mut self.version4 {
            block.notice = layout.bytes(notice)?;
            [self.slicer.version4_at, _] = layout.block(VERSION4_LEN)?;
            if let Some((resin, name)) = &mut self.resin {
                [block.resin_at, _] = layout.block(RESIN_LEN)?;
                resin.name = layout.text(name)?;
                resin.kind = [resin.name[0], 0];
                resin.machine = layout.text(&self.machine)?;
            }
        }
        self.header.table_at = layout.at;
        Some(())
    }
}

/// Gives out places one after the other.
struct Layout {
    at: u32,
}

impl Layout {
    fn block(&mut self, length: u32) -> Option<Place> {
        let at = self.at;
        self.at = at.checked_add(length)?;
        Some([at, length])
    }

    fn bytes(&mut self, bytes: &[u8]) -> Option<Place> {
        self.block(u32::try_from(bytes.len()).ok()?)
    }

    /// A text with its zero; the length counts both.
    fn text(&mut self, text: &str) -> Option<Place> {
        self.block(u32::try_from(text.len()).ok()?.checked_add(1)?)
    }

    /// Offset of a picture, 0 for none.
    fn picture(&mut self, picture: &mut Option<(PictureBlock, Vec<u8>)>) -> Option<u32> {
        let Some((block, words)) = picture else { return Some(0) };
        let [at, _] = self.block(PICTURE_LEN)?;
        block.words = self.bytes(words)?;
        Some(at)
    }
}

fn header_of(job: &Job, flavour: Flavour, layers: u32, normal: &LayerMotion) -> Header {
    let display = &job.display;
    let side = |pixels: u32, pitch_mm: f64| single(f64::from(pixels) * pitch_mm);
    let top_mm = if layers == 0 { 0.0 } else { job.heights.top(layers - 1).to_millimeters().0 };
    Header {
        magic: match flavour.version {
            _ if flavour.in_planes => MAGIC_CBDDLP,
            CtbVersion::V2 | CtbVersion::V3 => MAGIC_CTB,
            CtbVersion::V4 | CtbVersion::V5 => MAGIC_CTB4,
        },
        version: flavour.version.number(),
        bed_mm: [
            side(display.width_px, display.pitch_mm[0]),
            side(display.height_px, display.pitch_mm[1]),
            single(job.machine.build_mm[2]),
        ],
        height_mm: single(top_mm),
        layer_mm: single(job.heights.nominal().to_millimeters().0),
        exposure_s: single(job.exposure.normal_s),
        bottom_exposure_s: single(job.exposure.bottom_s),
        light_off_s: single(light_off_s(normal, flavour.version)),
        bottom_layers: job.exposure.bottom_layers,
        resolution_px: [display.width_px, display.height_px],
        layers,
        projector: u32::from(display.mirror_x),
        planes: u32::from(flavour.planes(job)),
        pwm: u16::from(job.light.pwm),
        bottom_pwm: u16::from(job.light.bottom_pwm),
        ..Header::default()
    }
}

fn picture_of(previews: &[Picture], (width, height): (u32, u32)) -> Option<(PictureBlock, Vec<u8>)> {
    let fitting = previews.iter().find(|one| (one.width_px, one.height_px) == (width, height))?;
    let block = PictureBlock { size_px: [width, height], ..PictureBlock::default() };
    Some((block, picture::encode(&fitting.rgb)))
}

fn params_of(job: &Job, flavour: Flavour, bottom: &LayerMotion, normal: &LayerMotion) -> Params {
    let lift = |motion: &LayerMotion| [single(lifts::way_mm(motion)), single(motion.lift.mm_per_min)];
    Params {
        bottom_lift: lift(bottom),
        lift: lift(normal),
        retract_mm_per_min: single(normal.retract.mm_per_min),
        bottom_light_off_s: single(light_off_s(bottom, flavour.version)),
        light_off_s: single(light_off_s(normal, flavour.version)),
        bottom_layers: job.exposure.bottom_layers,
        mark: if flavour.version == CtbVersion::V2 { 0x1234 } else { 0 },
        ..Params::default()
    }
}

fn slicer_of(job: &Job, version: CtbVersion, bottom: &LayerMotion, normal: &LayerMotion) -> Slicer {
    let minutes = u32::try_from(job.origin.written_at_s.div_euclid(60)).unwrap_or(0);
    let layers_differ = !job.heights.is_uniform() || !job.exposure.ranges.is_empty();
    let plain = Slicer {
        grey_flag: if job.anti_aliasing > 1 { 15 } else { 7 },
        // 0x20 to 0x50.
        layer_settings: if layers_differ { version.number().to_le_bytes()[0] << 4 } else { 0 },
        written_min: minutes,
        anti_aliasing: u32::from(job.anti_aliasing),
        software: match version {
            CtbVersion::V2 | CtbVersion::V3 => 0x0106_0300,
            CtbVersion::V4 => 0x0109_0000,
            CtbVersion::V5 => 0x0200_0000,
        },
        transition_layers: job.exposure.transition_layers,
        ..Slicer::default()
    };
    if version < CtbVersion::V4 {
        return plain;
    }
    Slicer {
        bottom_lift_second: [single(bottom.lift_second.mm), single(bottom.lift_second.mm_per_min)],
        lift_second: [single(normal.lift_second.mm), single(normal.lift_second.mm_per_min)],
        retract_second: [single(normal.retract_second.mm), single(normal.retract_second.mm_per_min)],
        after_lift_s: single(normal.waits.after_lift_s),
        after_retract_s: single(normal.waits.after_retract_s),
        ..plain
    }
}

fn version4_of(
    job: &Job,
    bottom: &LayerMotion,
    normal: &LayerMotion,
    last_layer: u32,
) -> (Version4, Vec<u8>) {
    let block = Version4 {
        bottom_retract_mm_per_min: [bottom.retract, bottom.retract_second]
            .map(|part| single(part.mm_per_min)),
        after_retract_s: single(normal.waits.after_retract_s),
        after_lift_s: single(normal.waits.after_lift_s),
        before_lift_s: single(normal.waits.before_lift_s),
        bottom_retract_second_mm: single(bottom.retract_second.mm),
        last_layer,
        ..Version4::default()
    };
    let mut notice = format!("Written by {} {}.", job.origin.software, job.origin.version).into_bytes();
    notice.resize(NOTICE_LEN, b' ');
    (block, notice)
}

fn resin_of(job: &Job) -> (ResinBlock, String) {
    let density_g_per_ml = single(job.resin.density_g_per_ml.unwrap_or(0.0));
    (ResinBlock { density_g_per_ml, ..ResinBlock::default() }, job.resin.name.clone())
}
