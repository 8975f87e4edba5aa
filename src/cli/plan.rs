//! `sprue plan`: plans a published shop instance or a classic flexible job shop, without a workshop.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;
use sprue_compute::schedule::gantt::{Bar, Chart, Lane};
use sprue_compute::schedule::{flexible, workshop};

use super::{Failure, print, print_json, read_file};
use crate::clock::Clock;
use crate::finding::Finding;

/// Pixels from left to right; a month of minutes stays readable.
const PICTURE_WIDTH: i64 = 2_400;
/// Decodes by which the speed of this machine is measured when only a time is given.
const MEASURED: u64 = 64;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A `jwl-1` instance (.json) or a flexible job shop (.fjs, .txt).
    instance: PathBuf,
    /// Where to write the plan.
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// How long to search.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// How many complete plans (or moves of a job shop) to make; then the answer is the same on every machine.
    #[arg(long, conflicts_with = "seconds")]
    decodes: Option<u64>,
    /// The seed of every random choice.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Where to write a picture.
    #[arg(long)]
    svg: Option<PathBuf>,
    /// A plan that is running: what started before `--now` stays, the rest moves as little as possible.
    #[arg(long, requires = "now")]
    previous: Option<PathBuf>,
    /// The minute at which the running plan is taken up.
    #[arg(long, requires = "previous")]
    now: Option<i64>,
    /// Minutes from `--now` on in which nothing moves either.
    #[arg(long, default_value_t = 0, requires = "previous")]
    freeze: i64,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Answer {
    objective: i64,
    weighted_tardiness: i64,
    makespan_s: i64,
    first_answer_ms: f64,
    elapsed_ms: f64,
    proved_optimal: bool,
    late_orders: usize,
    unplaced: usize,
    decodes: u64,
    seed: u64,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if !(0.0..=86_400.0).contains(&arguments.seconds) {
        return Err(Failure::Usage("--seconds must lie between 0 and 86400".to_owned()));
    }
    let bytes = read_file(&arguments.instance)?;
    let text = String::from_utf8(bytes).map_err(|_| refused(&arguments.instance, "it is not text"))?;
    let answer = if text.trim_start().starts_with('{') {
        plan_workshop(arguments, &text)?
    } else {
        plan_job_shop(arguments, &text)?
    };
    if arguments.json {
        return print_json(&answer);
    }
    print(&format!(
        "objective {}, weighted tardiness {}, {} late orders, makespan {} min, {} unplaced",
        answer.objective,
        answer.weighted_tardiness,
        answer.late_orders,
        answer.makespan_s / 60,
        answer.unplaced
    ));
    print(&format!(
        "first answer after {:.1} ms, {:.0} ms in all; the same again: --decodes {} --seed {}",
        answer.first_answer_ms, answer.elapsed_ms, answer.decodes, answer.seed
    ));
    Ok(())
}

fn refused(path: &Path, text: impl ToString) -> Failure {
    Failure::Refused(vec![Finding::error("PLAN_INPUT", path.display().to_string(), text.to_string())])
}

/// Milliseconds since a clock was made.
struct Watch {
    clock: Clock,
}

impl Watch {
    fn start() -> Self {
        Self { clock: Clock::real() }
    }

    fn ms(&self) -> f64 {
        std::time::Duration::from_millis(self.clock.now().tick.0).as_secs_f64() * 1_000.0
    }
}

fn plan_workshop(arguments: &Arguments, text: &str) -> Result<Answer, Failure> {
    let path = &arguments.instance;
    let instance: workshop::Instance =
        serde_json::from_str(text).map_err(|failure| refused(path, failure))?;
    let watch = Watch::start();
    let mut search = match (&arguments.previous, arguments.now) {
        (Some(running), Some(now)) => {
            let bytes = read_file(running)?;
            let plan: workshop::Plan =
                serde_json::from_slice(&bytes).map_err(|failure| refused(running, failure))?;
            let running = workshop::Running { plan: &plan, now, freeze: arguments.freeze };
            workshop::Search::resume(&instance, &running).map_err(|failure| refused(path, failure))?
        }
        (Some(_) | None, Some(_) | None) => {
            workshop::Search::new(&instance).map_err(|failure| refused(path, failure))?
        }
    };
    let first_answer_ms = watch.ms();
    if arguments.previous.is_none() {
        improve(arguments, &mut search, &watch);
    }
    let plan = search.plan();
    let elapsed_ms = watch.ms();
    let violations = workshop::verify(&instance, &plan);
    if !violations.is_empty() {
        let lines = violations.iter().take(20).map(ToString::to_string);
        return Err(Failure::RefusedLines(lines.collect()));
    }
    let score = workshop::score(&instance, &plan);
    save(arguments, &plan)?;
    draw(arguments, || workshop::chart(&instance, &plan))?;
    Ok(Answer {
        objective: score.objective,
        weighted_tardiness: score.weighted_tardiness,
        makespan_s: score.makespan * 60,
        first_answer_ms,
        elapsed_ms,
        proved_optimal: false,
        late_orders: score.late_orders,
        unplaced: plan.unplaced.len(),
        decodes: search.decodes(),
        seed: arguments.seed,
    })
}

/// By decodes if they are given. Otherwise by the clock, with the speed of this machine measured first, so that
/// the search knows when to become choosy.
fn improve(arguments: &Arguments, search: &mut workshop::Search<'_>, watch: &Watch) {
    let seed = arguments.seed;
    search.settle();
    if let Some(decodes) = arguments.decodes {
        search.improve(workshop::Budget { decodes, seed }, &mut |_| true);
        return;
    }
    let end = arguments.seconds * 1_000.0;
    let before = watch.ms();
    search.improve(workshop::Budget { decodes: MEASURED, seed }, &mut |_| watch.ms() < end);
    let each = ((watch.ms() - before) / 64.0).max(0.001);
    let left = ((end - watch.ms()) / each).clamp(0.0, 1e12);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1e12")]
    let decodes = left as u64;
    search.improve(workshop::Budget { decodes, seed }, &mut |_| watch.ms() < end);
}

fn plan_job_shop(arguments: &Arguments, text: &str) -> Result<Answer, Failure> {
    let path = &arguments.instance;
    let instance = flexible::read(text).map_err(|failure| refused(path, failure))?;
    let watch = Watch::start();
    let mut search = flexible::Search::new(&instance);
    let first_answer_ms = watch.ms();
    let end = arguments.seconds * 1_000.0;
    let moves = arguments.decodes.unwrap_or(u64::MAX);
    let by_clock = arguments.decodes.is_none();
    let bound = flexible::lower_bound(&instance);
    let mut made = 0;
    let seed = arguments.seed;
    while made < moves && search.makespan() > bound && (!by_clock || watch.ms() < end) {
        let budget = flexible::Budget { moves: (moves - made).min(32_768), seed };
        search.improve(budget, &mut |_| !by_clock || watch.ms() < end);
        made += 32_768;
    }
    let plan = search.plan();
    let wrong = flexible::verify(&instance, &plan);
    if !wrong.is_empty() {
        return Err(Failure::RefusedLines(wrong));
    }
    save(arguments, &plan)?;
    draw(arguments, || job_shop_chart(path, &instance, &plan))?;
    Ok(Answer {
        objective: plan.makespan,
        weighted_tardiness: 0,
        makespan_s: plan.makespan,
        first_answer_ms,
        elapsed_ms: watch.ms(),
        proved_optimal: plan.makespan <= bound,
        late_orders: 0,
        unplaced: 0,
        decodes: search.moves(),
        seed,
    })
}

fn save<T: Serialize>(arguments: &Arguments, plan: &T) -> Result<(), Failure> {
    let Some(path) = &arguments.output else { return Ok(()) };
    let bytes = serde_json::to_vec(plan)?;
    Ok(std::fs::write(path, bytes).with_context(|| format!("can't write {}", path.display()))?)
}

fn draw(arguments: &Arguments, chart: impl FnOnce() -> Chart) -> Result<(), Failure> {
    let Some(path) = &arguments.svg else { return Ok(()) };
    let picture = chart().svg(PICTURE_WIDTH);
    Ok(std::fs::write(path, picture).with_context(|| format!("can't write {}", path.display()))?)
}

fn job_shop_chart(path: &Path, instance: &flexible::Instance, plan: &flexible::Plan) -> Chart {
    let lane = |machine: usize| Lane { name: format!("machine {machine}"), ..Lane::default() };
    let mut lanes: Vec<Lane> = (0..instance.machines).map(lane).collect();
    for place in &plan.places {
        if let Some(lane) = lanes.get_mut(place.machine) {
            lane.bars.push(Bar {
                start: place.start,
                end: place.end,
                text: format!("{}.{}", place.job, place.operation),
                tip: format!(
                    "operation {} of job {}, {} to {}",
                    place.operation, place.job, place.start, place.end
                ),
                colour: place.job,
                ..Bar::default()
            });
        }
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let tick = (plan.makespan / 20).max(1);
    let title = format!("{name}: makespan {}; each step {tick}", plan.makespan);
    Chart { title, lanes, tick, tick_name: String::new() }
}
