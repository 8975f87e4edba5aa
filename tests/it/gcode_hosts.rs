//! G-code printers on real pseudo-terminals: found, unplugged, and as fast as the wire.
#![expect(clippy::unwrap_used, reason = "test helpers")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sprue::clock::Clock;
use sprue::devices::pump::Ticks;
use sprue::devices::{Command, Doing, Fact, Fleet, JobName, LineSettings, PortAddress, StationSettings};
use sprue::sim::devices::{Device, Faults, MarlinSim, Record, pty};
use sprue::units::Tick;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

type Facts = mpsc::Receiver<(String, Fact)>;

/// Far above what is needed; the machine may be loaded.
const PATIENCE: Duration = Duration::from_secs(90);

fn ticks() -> Ticks {
    let clock = Clock::real();
    Arc::new(move || clock.tick())
}

fn fleet(path: &Path, driver: &str, settings: &str, ticks: &Ticks) -> (Fleet, Facts) {
    let port = PortAddress::parse(path.to_str().unwrap(), 115_200);
    let line = LineSettings { name: "usb-1".into(), port };
    let station = StationSettings {
        name: "wax-1".into(),
        line: "usb-1".into(),
        driver: driver.into(),
        settings: settings.parse().unwrap(),
    };
    Fleet::start(&[line], &[station], Arc::clone(ticks)).unwrap()
}

async fn until(facts: &mut Facts, mut is_it: impl FnMut(&Fact) -> bool) -> Fact {
    let wait = async {
        loop {
            let (_, fact) = facts.recv().await.unwrap();
            if is_it(&fact) {
                return fact;
            }
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap()
}

fn job() -> JobName {
    JobName("ring-1".into())
}

async fn start(fleet: &Fleet, facts: &mut Facts, program: &str) {
    until(facts, |fact| matches!(fact, Fact::Report(Doing::Idle { .. }))).await;
    fleet.send("wax-1", Command::Load { job: job(), file: program.as_bytes().into() }).unwrap();
    until(facts, |fact| *fact == Fact::Loaded { job: job() }).await;
    fleet.send("wax-1", Command::Start { job: job(), expected: Duration::from_secs(60) }).unwrap();
}

/// Serves a device on its own thread until the token falls.
fn serve(
    mut device: impl Device + 'static,
    link: PathBuf,
    ticks: &Ticks,
    stop: &CancellationToken,
) -> std::thread::JoinHandle<u64> {
    let (ticks, stop) = (Arc::clone(ticks), stop.clone());
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            pty::serve(&mut device, Some(&link), ticks.as_ref(), &stop, &mut |_| {}).await.unwrap()
        });
        cpu_us("/proc/thread-self/stat")
    })
}

/// User and system time of a process or thread; ticks of 10 ms.
fn cpu_us(stat: &str) -> u64 {
    let text = std::fs::read_to_string(stat).unwrap();
    let (_, rest) = text.rsplit_once(')').unwrap();
    let field = |at: usize| rest.split_whitespace().nth(at).unwrap().parse::<u64>().unwrap();
    (field(11) + field(12)) * 10_000
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sprue_ports_says_which_machine_answers_and_at_which_rate() {
    let folder = tempfile::tempdir().unwrap();
    let (ticks, stop) = (ticks(), CancellationToken::new());
    let link = folder.path().join("printer");
    let sim = MarlinSim::new(Faults::default(), Record::default(), Arc::new(|| 1));
    let thread = serve(sim, link.clone(), &ticks, &stop);
    while !link.exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    let ports = move || {
        let nobody = link.with_file_name("nobody");
        let arguments = ["ports", "--json", link.to_str().unwrap(), nobody.to_str().unwrap()];
        std::process::Command::new(env!("CARGO_BIN_EXE_sprue")).args(arguments).output().unwrap()
    };
    let output = tokio::task::spawn_blocking(ports).await.unwrap();

    stop.cancel();
    thread.join().unwrap();
    assert!(output.status.success(), "{output:?}");
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (rows[0]["machine"].as_str(), rows[0]["baud"].as_u64()),
        (Some("Simulated"), Some(115_200)),
        "{rows}"
    );
    assert!(rows[1]["trouble"].as_str().unwrap().contains("no such port"), "{rows}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pulled_plug_is_seen_at_once_and_the_print_on_the_card_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let (ticks, stop) = (ticks(), CancellationToken::new());
    let link = folder.path().join("printer");
    let pulled_at = Arc::new(AtomicU64::new(0));
    let faults = Faults::parse("unplug-at=5:1").unwrap();
    let sim = MarlinSim::new(faults, Record::default(), Arc::new(|| 1));
    let device = Watched { sim, ticks: Arc::clone(&ticks), pulled_at: Arc::clone(&pulled_at) };
    let thread = serve(device, link.clone(), &ticks, &stop);
    let (fleet, mut facts) = fleet(&link, "marlin-card", "poll_ms = 500", &ticks);
    let program: String = (0..400).map(|n| format!("G1 X{} F600\n", n % 100)).collect();

    start(&fleet, &mut facts, &program).await;
    until(&mut facts, |fact| matches!(fact, Fact::Offline { .. })).await;
    let seen = ticks();
    let cpu = cpu_us("/proc/self/stat");
    let report = until(&mut facts, |fact| matches!(fact, Fact::Report(_))).await;
    let back = ticks();

    let unplugged = Tick(pulled_at.load(Ordering::Relaxed));
    assert!(seen.since(unplugged) < Duration::from_millis(500), "seen after {:?}", seen.since(unplugged));
    // It was away for a second.
    assert!(back.since(unplugged) < Duration::from_secs(4), "back after {:?}", back.since(unplugged));
    assert_eq!(report, Fact::Report(Doing::Printing { job: Some(job()), paused: false }));
    let spent = cpu_us("/proc/self/stat") - cpu;
    println!(
        "seen after {:?}, back after {:?}, {spent} us of CPU meanwhile",
        seen.since(unplugged),
        back.since(unplugged)
    );
    fleet.shutdown().await;
    stop.cancel();
    thread.join().unwrap();
}

/// Lines per second against a printer that answers at once, and CPU per line. With `SPRUE_PRINTCORE` (a Python
/// that has printrun) its printcore streams the same lines to the same printer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures; run alone with --ignored --nocapture"]
async fn streaming_speed() {
    for (name, is_advanced, settings) in
        [("one line in flight", false, ""), ("window", true, "window_lines = 16\nbuffer_bytes = 4096")]
    {
        let lines = 20_000;
        let program: String =
            (0..lines).map(|n| format!("G1 X100.650 Y{}.999 E0.12340\n", 100 + n % 100)).collect();
        let folder = tempfile::tempdir().unwrap();
        let (ticks, stop) = (ticks(), CancellationToken::new());
        let link = folder.path().join("printer");
        let thread = serve(Instantly { is_advanced, ..Instantly::default() }, link.clone(), &ticks, &stop);
        let (fleet, mut facts) = fleet(&link, "marlin", settings, &ticks);
        let cpu = cpu_us("/proc/self/stat");
        start(&fleet, &mut facts, &program).await;
        let begin = ticks();
        until(&mut facts, |fact| *fact == Fact::Finished { job: job() }).await;
        let took = ticks().since(begin);
        let all = cpu_us("/proc/self/stat") - cpu;
        fleet.shutdown().await;
        if let Ok(python) = std::env::var("SPRUE_PRINTCORE")
            .and_then(|python| if is_advanced { Err(std::env::VarError::NotPresent) } else { Ok(python) })
        {
            let peer = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/printcore_stream.py");
            let output = std::process::Command::new(python).arg(peer).arg(&link).output().unwrap();
            println!(
                "printcore: {}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        stop.cancel();
        let printer = thread.join().unwrap();
        let per_second = f64::from(lines) / took.as_secs_f64();
        println!(
            "sprue, {name}: {per_second:.0} lines/s; {all} us CPU with the printer, which took {printer} us in all"
        );
    }
}

/// A printer that notes when its plug was pulled.
struct Watched {
    sim: MarlinSim,
    ticks: Ticks,
    pulled_at: Arc<AtomicU64>,
}

impl Device for Watched {
    fn receive(&mut self, now: Tick, bytes: &[u8]) {
        self.sim.receive(now, bytes);
    }

    fn advance(&mut self, now: Tick) {
        self.sim.advance(now);
    }

    fn wake_at(&self) -> Option<Tick> {
        self.sim.wake_at()
    }

    fn take_output(&mut self) -> Vec<u8> {
        self.sim.take_output()
    }

    fn take_unplugged(&mut self) -> Option<Duration> {
        let away = self.sim.take_unplugged()?;
        self.pulled_at.store((self.ticks)().0, Ordering::Relaxed);
        Some(away)
    }
}

/// A printer that answers every line at once.
#[derive(Default)]
struct Instantly {
    is_advanced: bool,
    line: Vec<u8>,
    output: Vec<u8>,
}

impl Device for Instantly {
    fn receive(&mut self, _: Tick, bytes: &[u8]) {
        for &byte in bytes {
            if byte != b'\n' {
                self.line.push(byte);
                continue;
            }
            let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
            if line.contains("M115") {
                self.output.extend(b"FIRMWARE_NAME:Marlin MACHINE_TYPE:Instant\n");
            } else if line.contains("M114") {
                self.output.extend(b"X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0\n");
            }
            let number = line.strip_prefix('N').and_then(|rest| rest.split(' ').next());
            match number.filter(|_| self.is_advanced) {
                Some(number) => self.output.extend(format!("ok N{number} P15 B31\n").into_bytes()),
                None if line.trim().is_empty() => {}
                None => self.output.extend(b"ok\n"),
            }
        }
    }

    fn advance(&mut self, _: Tick) {}

    fn wake_at(&self) -> Option<Tick> {
        None
    }

    fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    fn take_unplugged(&mut self) -> Option<Duration> {
        None
    }
}
