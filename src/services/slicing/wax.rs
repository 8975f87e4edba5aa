//! Wax printers: from profiles to strands, and the G-code.

use std::io::{BufWriter, Seek, Write};

use sprue_compute::preview;
use sprue_compute::print_files::gcode::{self, Climate, Speeds, WaxJob};
use sprue_compute::slice::{Control, Part};

use super::from_profile::strand_rules;
use super::{BUFFER, PrintFile, PrintSettings, span_of};
use crate::finding::Finding;
use crate::services::with_causes;
use crate::shop::profile::material::ExtrusionEntry;
use crate::shop::profile::printer::WaxPrinter;

impl PrintSettings {
    fn wax_job(&self, wax: &WaxPrinter, entry: &ExtrusionEntry) -> WaxJob {
        let bed = |celsius: f64| (celsius > 0.0).then_some(celsius);
        let slowed = |mm_per_s: f64| mm_per_s.min(entry.print_mm_per_s);
        let motion = &wax.motion;
        WaxJob {
            build_mm: self.printer.build.size_mm,
            heights: self.heights.clone(),
            rules: strand_rules(wax),
            filament_mm: wax.filament_mm,
            first_layer: Climate {
                nozzle_celsius: entry.first_layer_nozzle_celsius,
                bed_celsius: bed(entry.first_layer_bed_celsius),
                fan_pwm: entry.first_layer_fan_pwm,
            },
            other_layers: Climate {
                nozzle_celsius: entry.nozzle_celsius,
                bed_celsius: bed(entry.bed_celsius),
                fan_pwm: wax.fan_pwm,
            },
            speeds: Speeds {
                first_layer: slowed(wax.first_layer_mm_per_s),
                outer_wall: slowed(motion.outer_wall_mm_per_s),
                inner_wall: slowed(wax.print_mm_per_s),
                thin: slowed(motion.thin_mm_per_s),
                solid: slowed(motion.solid_mm_per_s),
                infill: slowed(motion.infill_mm_per_s),
                support: slowed(motion.support_mm_per_s),
                travel: wax.travel_mm_per_s,
                lift: motion.lift_mm_per_s,
                mm3_per_s_max: entry.flow_mm3_per_s_max,
                layer_s_min: entry.layer_s_min,
                slowest: entry.slowest_mm_per_s,
            },
            motion: gcode::Motion {
                press_mm_per_s2: motion.print_mm_per_s2,
                travel_mm_per_s2: motion.travel_mm_per_s2,
                retract_mm_per_s2: motion.retract_mm_per_s2,
                jerk_mm_per_s: motion.jerk_mm_per_s,
                retract_mm: wax.retract_mm,
                retract_mm_per_s: wax.retract_mm_per_s,
            },
            end_lift_mm: wax.end_lift_mm,
            start_script: wax.start_script.clone(),
            software: concat!("sprue ", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }

    pub(super) fn write_wax(
        &self,
        wax: &WaxPrinter,
        entry: &ExtrusionEntry,
        parts: &[Part<'_>],
        out: &mut (impl Write + Seek + Send),
        control: Control<'_>,
    ) -> Result<PrintFile, Finding> {
        let failed = |text: String| Finding::error("PLATE_NOT_SLICED", "plate", text);
        let job = self.wax_job(wax, entry);
        let (width, height) = gcode::PREVIEW_SIZE;
        let previews = [preview::draw(parts, width, height)];
        let mut buffered = BufWriter::with_capacity(BUFFER, out);
        let written = gcode::write(&job, parts, &previews, &mut buffered, control)
            .map_err(|failure| failed(with_causes(&failure)))?;
        let bytes = buffered.flush().and_then(|()| buffered.stream_position());
        Ok(PrintFile {
            bytes: bytes.map_err(|failure| failed(with_causes(&failure)))?,
            format: "gcode",
            layers: written.layers,
            print_time: span_of(written.print_s),
            volume_ml: written.volume_ml,
            weight_g: self.weight_g(written.volume_ml),
            cost: self.cost(written.volume_ml),
            report: None,
            findings: written.findings,
        })
    }
}
