//! The fleet with simulated devices on real pseudo-terminals.
#![expect(clippy::unwrap_used, reason = "test helpers")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sprue::clock::Clock;
use sprue::devices::fleet::Seat;
use sprue::devices::port::MemoryLine;
use sprue::devices::port::faults::FaultSettings;
use sprue::devices::pump::Ticks;
use sprue::devices::session::{Input, Output};
use sprue::devices::{
    Command, Doing, Fact, Fleet, JobName, LineSettings, PortAddress, Session, StationSettings,
};
use sprue::sim::devices::record::Entry;
use sprue::sim::devices::{ChituSim, Device, Faults, Kind, MarlinSim, Options, Record, pty, run_device};
use sprue::units::Tick;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

type Facts = mpsc::Receiver<(String, Fact)>;

/// Far above what is needed; the machine may be loaded.
const PATIENCE: Duration = Duration::from_secs(90);

struct Bench {
    folder: tempfile::TempDir,
    ticks: Ticks,
    stop: CancellationToken,
}

impl Bench {
    fn new() -> Self {
        let clock = Clock::real();
        Self {
            folder: tempfile::tempdir().unwrap(),
            ticks: Arc::new(move || clock.tick()),
            stop: CancellationToken::new(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn fleet(&self, stations: &[(&str, &str)]) -> (Fleet, Facts) {
        let mut lines = Vec::new();
        let mut settings = Vec::new();
        for (name, driver) in stations {
            let line = format!("line-{name}");
            let port = PortAddress::parse(self.path(name).to_str().unwrap(), 115_200);
            lines.push(LineSettings { name: line.clone(), port });
            let mut table = toml::Table::new();
            table.insert("poll_ms".into(), toml::Value::Integer(100));
            if *driver == "chitu" {
                table.insert("extension".into(), "goo".into());
                table.insert("reply_ms".into(), toml::Value::Integer(1000));
            }
            let (name, driver) = ((*name).to_owned(), (*driver).to_owned());
            settings.push(StationSettings { name, line, driver, settings: table });
        }
        Fleet::start(&lines, &settings, Arc::clone(&self.ticks)).unwrap()
    }

    /// Serves a simulated device at the path of a station, as `sprue simulate` does.
    fn simulate(&self, kind: Kind, name: &str, faults: &str, speed: u32) -> JoinHandle<()> {
        let options = Options {
            link: Some(self.path(name)),
            seed: 11,
            faults: Faults::parse(faults).unwrap(),
            record: Some(self.path(&format!("{name}.record"))),
            keep: Some(self.path(&format!("{name}.kept"))),
        };
        let (ticks, stop) = (Arc::clone(&self.ticks), self.stop.clone());
        tokio::spawn(async move {
            run_device(kind, &options, Arc::new(move || speed), ticks.as_ref(), &stop, &mut |_| {})
                .await
                .unwrap();
        })
    }

    fn record(&self, name: &str) -> Vec<Entry> {
        let text = std::fs::read_to_string(self.path(&format!("{name}.record"))).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

async fn until(facts: &mut Facts, mut is_it: impl FnMut(&str, &Fact) -> bool) -> Fact {
    let wait = async {
        loop {
            let (station, fact) = facts.recv().await.unwrap();
            if is_it(&station, &fact) {
                return fact;
            }
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap()
}

fn job() -> JobName {
    JobName("ring-1".into())
}

fn is_end(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::Finished { .. } | Fact::Stopped { .. } | Fact::Unclear { .. } | Fact::LoadFailed { .. }
    )
}

fn goo(bytes: usize, seconds: u32) -> Vec<u8> {
    let mut file: Vec<u8> =
        (0..bytes).map(|at| u8::try_from((at * at / 7 + at / 256) % 256).unwrap()).collect();
    file[..12].copy_from_slice(b"V3.0\x07\0\0\0DLP\0");
    file[195_310..195_314].copy_from_slice(&40_u32.to_be_bytes());
    file[195_446..195_450].copy_from_slice(&seconds.to_be_bytes());
    file
}

async fn print(fleet: &Fleet, facts: &mut Facts, station: &str, file: Vec<u8>) -> Fact {
    until(facts, |_, fact| matches!(fact, Fact::Report(Doing::Idle { .. }))).await;
    fleet.send(station, Command::Load { job: job(), file: file.into() }).unwrap();
    let loaded = until(facts, |_, fact| matches!(fact, Fact::Loaded { .. }) || is_end(fact)).await;
    assert_eq!(loaded, Fact::Loaded { job: job() });
    fleet.send(station, Command::Start { job: job(), expected: Duration::from_secs(3600) }).unwrap();
    until(facts, |_, fact| is_end(fact)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_marlin_print_over_a_bad_pty_executes_every_line_once() {
    let bench = Bench::new();
    let sim = bench.simulate(Kind::Marlin, "wax-1", "corrupt=0.01,lose-line=0.01,lose-ok=0.01", 1000);
    let (fleet, mut facts) = bench.fleet(&[("wax-1", "marlin")]);
    let program: String = (0..300).map(|n| format!("G1 X{} Y{} F6000\n", n % 100, n % 70)).collect();

    let end = print(&fleet, &mut facts, "wax-1", program.clone().into_bytes()).await;

    assert_eq!(end, Fact::Finished { job: job() });
    fleet.shutdown().await;
    bench.stop.cancel();
    sim.await.unwrap();
    let hash = sha256(program.as_bytes());
    let record = bench.record("wax-1");
    let [Entry::StreamStarted, Entry::StreamEnded { lines: 300, sha256, .. }] = record.as_slice() else {
        panic!("{record:?}")
    };
    assert_eq!(*sha256, hash);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resin_print_over_a_bad_pty_arrives_byte_for_byte_and_finishes() {
    let bench = Bench::new();
    let sim = bench.simulate(Kind::Chitu, "resin-1", "corrupt=0.01,lose-line=0.01,lose-ok=0.01", 2000);
    let (fleet, mut facts) = bench.fleet(&[("resin-1", "chitu")]);
    let file = goo(200_000, 3600);

    let end = print(&fleet, &mut facts, "resin-1", file.clone()).await;

    assert_eq!(end, Fact::Finished { job: job() });
    let status = fleet.status("resin-1").unwrap();
    assert!(status.is_online() && status.activity == sprue::devices::Activity::Idle, "{status:?}");
    fleet.shutdown().await;
    bench.stop.cancel();
    sim.await.unwrap();
    assert!(std::fs::read(bench.path("resin-1.kept").join("ring-1.goo")).unwrap() == file);
    let name = "ring-1.goo".to_owned();
    let record = bench.record("resin-1");
    assert_eq!(record.last(), Some(&Entry::PrintFinished { name: name.clone(), layers: 40 }));
    let starts =
        record.iter().filter(|entry| **entry == Entry::PrintStarted { name: name.clone(), layers: 40 });
    assert_eq!(starts.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_printer_pulled_twenty_times_is_taken_up_again_each_time() {
    let bench = Bench::new();
    let (fleet, mut facts) = bench.fleet(&[("resin-1", "chitu")]);
    let speed = Arc::new(AtomicU32::new(1));
    let pace = Arc::clone(&speed);
    let sim = ChituSim::new(
        Faults::default(),
        Record::default(),
        Arc::new(move || pace.load(Ordering::Relaxed)),
        None,
    );
    let pulls = Arc::new(AtomicU32::new(0));
    let mut device = Pulled { sim, pulls: Arc::clone(&pulls), left: None };
    let link = bench.path("resin-1");
    let loaded = async {
        until(&mut facts, |_, fact| matches!(fact, Fact::Report(_))).await;
        fleet.send("resin-1", Command::Load { job: job(), file: goo(196_000, 3600).into() }).unwrap();
        until(&mut facts, |_, fact| matches!(fact, Fact::Loaded { .. })).await;
        fleet.send("resin-1", Command::Start { job: job(), expected: Duration::from_secs(3600) }).unwrap();
        until(&mut facts, |_, fact| matches!(fact, Fact::Started { .. })).await;
    };
    until_done(serve(&bench, &mut device, &link), loaded).await;

    device.left = Some(1);
    let pulled = async {
        while pulls.load(Ordering::Relaxed) < 20 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        speed.store(3600, Ordering::Relaxed);
        until(&mut facts, |_, fact| is_end(fact)).await
    };
    let end = until_done(serve(&bench, &mut device, &link), pulled).await;

    assert_eq!(end, Fact::Finished { job: job() });
    assert_eq!(pulls.load(Ordering::Relaxed), 20);
    let entries = device.sim.record().entries();
    assert_eq!(entries.iter().filter(|entry| matches!(entry, Entry::PrintStarted { .. })).count(), 1);
    fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_drops_flips_doubles_and_delays_bytes_costs_time_alone() {
    let bench = Bench::new();
    let line = MemoryLine::default();
    let faults = FaultSettings {
        seed: 5,
        drop: 0.0003,
        flip: 0.0003,
        duplicate: 0.0003,
        delay: 0.001,
        delay_for: Duration::from_millis(100),
        ..FaultSettings::default()
    };
    let port = PortAddress::Faulty { inner: Box::new(PortAddress::Memory(line.clone())), faults };
    let session = sprue::devices::drivers::find("marlin").unwrap().session(&toml::Table::new()).unwrap();
    let line_settings = LineSettings { name: "memory".into(), port };
    let seat = Seat { station: "wax-1".into(), line: line_settings, driver: "marlin", session };
    let mut sim = MarlinSim::new(Faults::default(), Record::default(), Arc::new(|| 1000));
    let program: String = (0..300).map(|n| format!("G1 X{} Y{} F6000\n", n % 100, n % 70)).collect();
    let stream = line.plug_in();

    let (fleet, mut facts) = Fleet::start_seats(vec![seat], Arc::clone(&bench.ticks)).unwrap();
    let driven = print(&fleet, &mut facts, "wax-1", program.clone().into_bytes());
    let end = until_done(wire(&bench, &mut sim, stream), driven).await;

    assert_eq!(end, Fact::Finished { job: job() });
    assert_eq!(sim.executed(), program.lines().collect::<Vec<_>>());
    fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_printer_behind_a_serial_server_comes_back_after_the_connection_was_cut() {
    let bench = Bench::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    let session = sprue::devices::drivers::find("marlin").unwrap().session(&toml::Table::new()).unwrap();
    let line = LineSettings { name: "server".into(), port: PortAddress::parse(&address, 115_200) };
    let seat = Seat { station: "wax-1".into(), line, driver: "marlin", session };
    let (fleet, mut facts) = Fleet::start_seats(vec![seat], Arc::clone(&bench.ticks)).unwrap();
    let mut sim = MarlinSim::new(Faults::default(), Record::default(), Arc::new(|| 1000));

    for _ in 0..3 {
        let (stream, _) = listener.accept().await.unwrap();
        let online = async {
            until(&mut facts, |_, fact| matches!(fact, Fact::Online { .. })).await;
        };
        until_done(wire(&bench, &mut sim, stream), online).await;
        let lost = until(&mut facts, |_, fact| matches!(fact, Fact::Offline { .. })).await;
        assert!(matches!(lost, Fact::Offline { reason } if reason.contains("line server")));
    }
    fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absent_device_is_offline_with_a_reason_and_comes_back_by_itself() {
    let bench = Bench::new();
    let (fleet, mut facts) = bench.fleet(&[("wax-1", "marlin")]);
    let Fact::Offline { reason } = until(&mut facts, |_, _| true).await else { panic!("not offline") };
    assert!(reason.contains("no such port") && reason.contains("line-wax-1"), "{reason}");
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(facts.try_recv().is_err(), "the same reason is told once");
    fleet.send("wax-1", Command::Load { job: job(), file: b"G28".as_slice().into() }).unwrap();
    until(&mut facts, |_, fact| matches!(fact, Fact::LoadFailed { .. })).await;

    let begin = (bench.ticks)();
    let _sim = bench.simulate(Kind::Marlin, "wax-1", "", 100);
    until(&mut facts, |_, fact| matches!(fact, Fact::Online { .. })).await;

    let took = (bench.ticks)().since(begin);
    assert!(took < Duration::from_secs(10), "back after {took:?}");
    assert!(fleet.status("wax-1").unwrap().is_online());
    fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_speaks_nonsense_is_offline_until_it_makes_sense() {
    let bench = Bench::new();
    let (fleet, mut facts) = bench.fleet(&[("wax-1", "marlin")]);
    let sim = MarlinSim::new(Faults::default(), Record::default(), Arc::new(|| 100));
    let mut device = Babbler { sim, until: Tick((bench.ticks)().0 + 9000), said_at: Tick(0), now: Tick(0) };
    let link = bench.path("wax-1");
    let plugged = serve(&bench, &mut device, &link);
    let driven = async {
        let Fact::Offline { reason } = until(
            &mut facts,
            |_, fact| matches!(fact, Fact::Offline { reason } if !reason.contains("no such port")),
        )
        .await
        else {
            panic!("not offline")
        };
        assert!(reason.contains("nonsense") && reason.contains("baud"), "{reason}");
        until(&mut facts, |_, fact| matches!(fact, Fact::Online { .. })).await;
    };
    until_done(plugged, driven).await;
    fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_driver_takes_its_station_and_nothing_else() {
    let bench = Bench::new();
    let _sim = bench.simulate(Kind::Marlin, "wax-1", "", 100);
    let _other = bench.simulate(Kind::Marlin, "wax-2", "", 100);
    let line = |name: &str| LineSettings {
        name: name.to_owned(),
        port: PortAddress::parse(bench.path(name).to_str().unwrap(), 115_200),
    };
    let good = sprue::devices::drivers::find("marlin").unwrap().session(&toml::Table::new()).unwrap();
    let seats = vec![
        Seat { station: "wax-1".into(), line: line("wax-1"), driver: "broken", session: Box::new(Broken) },
        Seat { station: "wax-2".into(), line: line("wax-2"), driver: "marlin", session: good },
    ];
    let (fleet, mut facts) = Fleet::start_seats(seats, Arc::clone(&bench.ticks)).unwrap();

    let mut seen = (false, false);
    until(&mut facts, |station, fact| {
        seen.0 |= station == "wax-1" && matches!(fact, Fact::Fault { code, .. } if code == "driver-failed");
        seen.1 |= station == "wax-2" && matches!(fact, Fact::Online { .. });
        seen == (true, true)
    })
    .await;

    assert!(fleet.status("wax-1").unwrap().is_faulted());
    assert!(fleet.send("wax-1", Command::Query).unwrap_err().to_string().contains("restart sprue"));
    assert!(fleet.status("wax-2").unwrap().is_online());
    fleet.shutdown().await;
}

#[test]
fn settings_that_no_driver_knows_are_refused_by_name() {
    let marlin = sprue::devices::drivers::find("marlin").unwrap();
    let wrong: toml::Table = "pol_ms = 3".parse().unwrap();

    let error = format!("{:#}", anyhow::Error::new(marlin.session(&wrong).err().unwrap()));
    assert!(error.contains("pol_ms"), "{error}");
    assert!(sprue::devices::drivers::find("marlim").unwrap_err().to_string().contains("chitu, marlin"));
    assert!(sprue::devices::drivers::find("chitu").unwrap().session(&toml::Table::new()).is_err());
}

async fn serve(bench: &Bench, device: &mut dyn Device, link: &Path) {
    let ticks = Arc::clone(&bench.ticks);
    pty::serve(device, Some(link), ticks.as_ref(), &bench.stop, &mut |_| {}).await.unwrap();
}

/// Joins a device to any stream; ends when the far end does.
async fn wire(bench: &Bench, device: &mut dyn Device, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut bytes = [0; 1024];
    loop {
        let now = (bench.ticks)();
        device.advance(now);
        stream.write_all(&device.take_output()).await.unwrap();
        let wait = device.wake_at().map_or(Duration::from_millis(500), |tick| tick.since(now));
        tokio::select! {
            biased;
            read = stream.read(&mut bytes) => match read.unwrap() {
                0 => return,
                count => device.receive((bench.ticks)(), &bytes[..count]),
            },
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn until_done<T>(serving: impl Future<Output = ()>, driven: impl Future<Output = T>) -> T {
    tokio::select! {
        () = serving => panic!("the device went away"),
        done = driven => done,
    }
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Says nonsense until it comes to its senses.
struct Babbler {
    sim: MarlinSim,
    until: Tick,
    said_at: Tick,
    now: Tick,
}

impl Device for Babbler {
    fn receive(&mut self, now: Tick, bytes: &[u8]) {
        if now >= self.until {
            self.sim.receive(now, bytes);
        }
    }

    fn advance(&mut self, now: Tick) {
        self.sim.advance(now);
        if now < self.until {
            self.sim.take_output();
        }
        self.now = now;
    }

    fn wake_at(&self) -> Option<Tick> {
        if self.now < self.until {
            Some(self.said_at.after(Duration::from_millis(20)))
        } else {
            self.sim.wake_at()
        }
    }

    fn take_output(&mut self) -> Vec<u8> {
        if self.now >= self.until {
            return self.sim.take_output();
        }
        if self.now < self.said_at.after(Duration::from_millis(20)) {
            return Vec::new();
        }
        self.said_at = self.now;
        vec![0x80, 0xfe, 0x00, 0xf0]
    }

    fn take_unplugged(&mut self) -> Option<Duration> {
        None
    }
}

/// A printer whose plug is pulled twenty times, each time after another number of bytes.
struct Pulled {
    sim: ChituSim,
    pulls: Arc<AtomicU32>,
    left: Option<usize>,
}

impl Device for Pulled {
    fn receive(&mut self, now: Tick, bytes: &[u8]) {
        let heard = self.left.map_or(bytes.len(), |left| left.min(bytes.len()));
        self.sim.receive(now, &bytes[..heard]);
        self.left = self.left.map(|left| left - heard);
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
        if self.left != Some(0) {
            return None;
        }
        let pulls = self.pulls.fetch_add(1, Ordering::Relaxed) + 1;
        self.left = (pulls < 20).then_some(1 + usize::try_from(pulls).unwrap() * 29 % 61);
        Some(Duration::from_millis(50))
    }
}

struct Broken;

impl Session for Broken {
    fn handle(&mut self, _: Tick, input: Input<'_>) {
        assert!(!matches!(input, Input::Opened), "a bug in a driver");
    }

    fn poll(&mut self) -> Output {
        Output::Wait(None)
    }
}
