//! Profiles and the shop file: everything that comes with the program loads, and what is wrong is told with its place.

#![expect(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::wildcard_enum_match_arm,
    clippy::float_cmp,
    reason = "test helpers; the floats are read, not calculated"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sprue::config::{self, Problem, Workshop, builtin};
use sprue::shop::profile::routing::{Elapsed, OnFailure, Window};
use sprue::shop::profile::{ExposureOverride, ProfileKind, Profiles, Tag, resolve_exposure};
use sprue::units::Microns;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn built_in() -> Profiles {
    config::profiles::built_in().unwrap_or_else(|problems| panic!("{}", listed(&problems)))
}

fn listed(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

/// Loads a shop file from a folder of its own; problems name the file as `workshop.toml`.
fn load(text: &str, others: &[(&str, &str)]) -> Result<Workshop, String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in others {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let path = folder.path().join("workshop.toml");
    fs::write(&path, text).unwrap();
    let prefix = format!("{}/", folder.path().display());
    config::load(&path).map_err(|problems| listed(&problems).replace(&prefix, ""))
}

const HEAD: &str = r#"[workshop]
name = "Test"
time_zone = "Europe/Berlin"
routing = "direct-resin-cast"
profiles = ["./profiles"]
"#;

#[test]
fn every_profile_file_is_built_in_and_loads() {
    let mut files = BTreeSet::new();
    for folder in fs::read_dir(root().join("profiles")).unwrap() {
        let folder = folder.unwrap();
        for file in fs::read_dir(folder.path()).unwrap() {
            let path: PathBuf = file.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            files.insert((folder.file_name().to_str().unwrap().to_owned(), stem));
        }
    }
    let listed: BTreeSet<(String, String)> =
        builtin::FILES.iter().map(|file| (file.kind.folder().to_owned(), file.stem.to_owned())).collect();

    assert_eq!(files, listed);
    let profiles = built_in();
    let loaded = profiles.printers.len()
        + profiles.materials.len()
        + profiles.alloys.len()
        + profiles.routings.len()
        + profiles.burnouts.len()
        + profiles.kilns.len();
    assert_eq!(loaded, builtin::FILES.len());
}

#[test]
fn the_stems_that_users_rely_on_exist() {
    let profiles = built_in();

    for printer in ["prusa-sl1", "elegoo-mars-4", "elegoo-saturn-3", "marlin-wax"] {
        profiles.printer(printer).unwrap();
    }
    for material in ["bluecast-x-one", "formlabs-castable-wax", "polycast"] {
        profiles.material(material).unwrap();
    }
    for alloy in ["ag925", "au585-yellow", "au750-yellow", "au750-white-pd", "pt950-ru"] {
        profiles.alloy(alloy).unwrap();
    }
    for routing in ["direct-resin-cast", "wax-cast", "print-only"] {
        profiles.routing(routing).unwrap();
    }
    for kiln in ["eurotherm-2416", "delta-dtb"] {
        profiles.kiln(kiln).unwrap();
    }
    let unknown = profiles.printer("elegoo-mars-5").unwrap_err().to_string();
    assert_eq!(
        unknown,
        "there is no printer profile \"elegoo-mars-5\"; known are: elegoo-mars-4, elegoo-saturn-3, marlin-wax, prusa-sl1"
    );
}

#[test]
fn printers_are_what_their_makers_say() {
    let profiles = built_in();
    let facts = |stem: &str| {
        let resin = profiles.printer(stem).unwrap().resin().unwrap();
        let display = &resin.display;
        (resin.format.as_str(), display.width_px, display.height_px, display.pixel_x_um, display.pixel_y_um)
    };

    assert_eq!(facts("prusa-sl1"), ("sl1", 2560, 1440, 47.25, 47.25));
    assert_eq!(facts("elegoo-mars-4"), ("goo", 8520, 4320, 18.0, 18.0));
    assert_eq!(facts("elegoo-saturn-3"), ("goo", 11520, 5120, 19.0, 24.0));
}

#[test]
fn every_number_says_where_it_comes_from() {
    // A table of numbers has a source beside them or above them.
    fn check(path: &str, table: &toml::Table, covered: bool, bare: &mut Vec<String>) {
        let covered =
            covered || table.get("source").and_then(toml::Value::as_str).is_some_and(|s| s.len() > 10);
        for (key, value) in table {
            let path = format!("{path}.{key}");
            match value {
                toml::Value::Table(inner) => check(&path, inner, covered, bare),
                toml::Value::Array(items) => {
                    for item in items {
                        match item {
                            toml::Value::Table(inner) => check(&path, inner, covered, bare),
                            toml::Value::Integer(_) | toml::Value::Float(_) if !covered => {
                                bare.push(path.clone())
                            }
                            _ => {}
                        }
                    }
                }
                toml::Value::Integer(_) | toml::Value::Float(_) if !covered => bare.push(path),
                _ => {}
            }
        }
    }
    let mut bare = Vec::new();

    for file in builtin::FILES {
        check(
            &format!("{}/{}", file.kind.folder(), file.stem),
            &file.text.parse().unwrap(),
            false,
            &mut bare,
        );
    }

    // The fineness is the name of the alloy, not a measured number.
    bare.retain(|path| !(path.starts_with("alloys/") && path.ends_with(".fineness")));
    assert_eq!(bare, Vec::<String>::new());
}

#[test]
fn no_guess_is_a_process_value() {
    // Guesses (K) and unchecked figures (C) may only be durations of a plan.
    fn drafts(path: &str, value: &toml::Value, found: &mut Vec<String>) {
        match value {
            toml::Value::Table(table) => {
                if table.get("tag").and_then(toml::Value::as_str).is_some_and(|tag| tag == "K" || tag == "C")
                {
                    found.push(path.to_owned());
                }
                for (key, inner) in table {
                    drafts(&format!("{path}.{key}"), inner, found);
                }
            }
            toml::Value::Array(items) => items.iter().for_each(|item| drafts(path, item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();

    for file in builtin::FILES {
        let text: toml::Table = file.text.parse().unwrap();
        drafts(&format!("{}/{}", file.kind.folder(), file.stem), &toml::Value::Table(text), &mut found);
    }

    found.retain(|path| {
        let is_duration = path.ends_with(".attended_minutes") || path.ends_with(".elapsed.minutes");
        // Supports are drawn for a person to look at; no print carries them yet.
        let is_support = path.starts_with("resins/") && path.contains(".supports.");
        !(is_support || path.starts_with("routings/") && is_duration)
    });
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn the_combinations_of_the_sample_shop_can_be_printed() {
    let profiles = built_in();
    let resin = profiles.material("bluecast-x-one").unwrap();
    let wax = profiles.material("polycast").unwrap();

    for (printer, layers) in
        [("prusa-sl1", &[25, 50, 100][..]), ("elegoo-mars-4", &[25, 50]), ("elegoo-saturn-3", &[25, 50])]
    {
        for layer in layers {
            resolve_exposure(printer, ("bluecast-x-one", resin), Microns(*layer), &[]).unwrap();
        }
    }
    assert_eq!(wax.extrusion_for("marlin-wax", Microns(100)).unwrap().nozzle_celsius, 220.0);
    assert!(wax.extrusion_for("marlin-wax", Microns(300)).is_none());
}

#[test]
fn the_exposure_of_the_shop_beats_the_profile() {
    let profiles = built_in();
    let resin = profiles.material("bluecast-x-one").unwrap();
    let own = ExposureOverride {
        printer: "elegoo-mars-4".to_owned(),
        material: "bluecast-x-one".to_owned(),
        layer_um: Microns(50),
        exposure_s: 6.5,
        bottom_exposure_s: 30.0,
        bottom_layers: 4,
        transition_layers: 5,
        correction: None,
        by: "Technician A".to_owned(),
        source: "exposure test of lot 7".to_owned(),
    };
    let ask = |printer: &str, layer: i32| {
        resolve_exposure(printer, ("bluecast-x-one", resin), Microns(layer), std::slice::from_ref(&own))
    };

    let ours = ask("elegoo-mars-4", 50).unwrap();
    assert_eq!((ours.exposure_s, ours.bottom_layers), (6.5, 4));
    assert_eq!(ours.origin, "entered for this workshop by Technician A: exposure test of lot 7");

    let other_layer = ask("elegoo-mars-4", 25).unwrap();
    assert_eq!(other_layer.exposure_s, 6.0);
    assert!(
        other_layer.origin.starts_with("profile bluecast-x-one, tag H: taken over from"),
        "{}",
        other_layer.origin
    );

    let missing = ask("elegoo-saturn-3", 30).unwrap_err();
    assert_eq!(missing.code(), "EXPOSURE_MISSING");
    let text = missing.to_string();
    assert!(text.contains("bluecast-x-one on printer elegoo-saturn-3 at 30 µm"), "{text}");
    assert!(text.contains("elegoo-saturn-3 at 50 µm"), "{text}");
}

#[test]
fn a_draft_exposure_is_refused() {
    let mut resin = built_in().material("bluecast-x-one").unwrap().clone();
    for entry in &mut resin.exposure {
        entry.tag = Tag::K;
    }

    let error = resolve_exposure("prusa-sl1", ("bluecast-x-one", &resin), Microns(50), &[]).unwrap_err();

    assert_eq!(error.code(), "EXPOSURE_DRAFT");
}

#[test]
fn the_default_routing_has_every_step_in_order() {
    let profiles = built_in();
    let routing = profiles.routing("direct-resin-cast").unwrap();
    let stages: Vec<&str> = routing.operation.iter().map(|step| step.stage.as_str()).collect();

    assert_eq!(
        stages,
        [
            "print", "wash", "dry", "cure", "supports", "tree", "invest", "set", "burnout", "cast", "quench",
            "divest", "cut", "finish", "qc"
        ]
    );
    let step = |stage: &str| routing.operation.iter().find(|step| step.stage == stage).unwrap();
    assert!(matches!(step("print").elapsed, Elapsed::From(_)));
    assert!(step("burnout").unattended && !step("cast").unattended);
    assert!(matches!(step("quench").window, Some(Window::From(_))));
    assert_eq!(step("cast").on_failure, OnFailure::Remake);
}

#[test]
fn the_published_burnout_programs_have_their_published_length() {
    let profiles = built_in();

    for (stem, hours) in [("amc-6", 6.0), ("amc-8", 8.0), ("amc-12", 12.0)] {
        assert_eq!(profiles.burnout(stem).unwrap().hold_minutes(), hours * 60.0, "{stem}");
    }
}

#[test]
fn the_sample_workshop_loads() {
    let path = root().join("examples/shop/workshop.toml");
    let shop = config::load(&path).unwrap_or_else(|problems| panic!("{}", listed(&problems)));

    assert_eq!((shop.lines.len(), shop.stations.len(), shop.people.len()), (3, 9, 2));
    assert_eq!(shop.data_dir, root().join("examples/shop").join("./data"));
    assert_eq!(shop.stations[0].abilities, ["print-resin"]);
    assert_eq!(shop.stations[2].abilities, ["print-wax"]);
    // Every step of every routing finds a station and a person.
    for routing in shop.profiles.routings.values() {
        for step in &routing.operation {
            let can = |station: &config::workshop::Station| station.abilities.contains(&step.ability);
            assert!(shop.stations.iter().any(can), "no station can {}", step.ability);
        }
    }
}

#[test]
fn the_smallest_shop_file_is_enough() {
    let shop = load(
        r#"
[workshop]
name = "Bench"
time_zone = "UTC"
routing = "print-only"

[[station]]
name = "bench"
driver = "manual"
"#,
        &[],
    )
    .unwrap();

    assert_eq!(shop.listen.to_string(), "127.0.0.1:7373");
    assert!(shop.stations[0].abilities.contains(&"burnout".to_owned()));
    assert!(
        shop.stations[0].can("cast") && !shop.stations[0].prints(),
        "hands do what no device can, but never print"
    );
    assert!(!shop.panel.open_on_loopback);
}

#[test]
fn a_manual_station_does_what_no_device_can() {
    let text = format!(
        "{HEAD}
[[line]]
name = \"usb-1\"
port = \"tcp://127.0.0.1:4001\"

[[station]]
name = \"resin-1\"
driver = \"chitu\"
profile = \"elegoo-mars-4\"
line = \"usb-1\"

[[station]]
name = \"bench\"
driver = \"manual\"

[[station]]
name = \"wash\"
driver = \"manual\"
abilities = [\"wash\"]
"
    );

    let shop = load(&text, &[]).unwrap();

    // Also what another manual station names.
    assert!(shop.stations[1].abilities.contains(&"wash".to_owned()));
    assert_eq!(shop.stations[2].abilities, ["wash"]);
    assert!(!shop.stations[1].abilities.contains(&"print-resin".to_owned()));
    assert!(shop.stations[1].abilities.contains(&"cast".to_owned()));
}

#[test]
fn a_typo_in_a_key_is_an_error_with_position() {
    let text = format!("{HEAD}\n[[station]]\nname = \"bench\"\ndrivr = \"manual\"\n");

    let problems = load(&text, &[]).unwrap_err();

    assert_eq!(
        problems,
        "workshop.toml:7:1: [[station]] needs the key \"driver\"\n\
         workshop.toml:9:1: unknown key \"drivr\" in [[station]]; expected name, driver, profile, line, unit, \
         material, abilities, capacity\n"
    );
}

#[test]
fn all_problems_are_listed_at_once() {
    let text = r#"[workshop]
name = "Test"
time_zone = "Europe/Berlinn"
listen = "7373"
routing = "direct-resin-casting"

[[line]]
name = "usb-1"
port = "/dev/ttyUSB0"
baud = 115200

[[line]]
name = "rs485"
port = "/dev/ttyUSB1"
baud = 9600

[[station]]
name = "resin-1"
driver = "chitu"
profile = "marlin-wax"
line = "usb-2"
material = "polycast"

[[station]]
name = "resin-1"
driver = "chitu"
profile = "elegoo-mars-4"
line = "usb-1"
material = "formlabs-castable-wax"

[[station]]
name = "kiln-1"
driver = "modbus-kiln"
profile = "eurotherm-2416"
line = "rs485"
unit = 1

[[station]]
name = "kiln-2"
driver = "modbus-kiln"
profile = "eurotherm-2416"
line = "rs485"
unit = 1

[[station]]
name = "bench"
driver = "manuel"

[[station]]
name = "wash"
driver = "manual"
abilities = ["wash", "sing"]

[[person]]
name = "A"
shifts = ["mon-fri 08:00-16:30", "sat 9-13"]

[[webhook]]
url = "ftp://127.0.0.1/hook"
secret_file = "./absent.secret"
events = ["order.*", "Piece"]

[[exposure]]
printer = "elegoo-mars-4"
material = "bluecast-x-one"
layer_um = 50
exposure_s = 6500
bottom_exposure_s = 25.0
bottom_layers = 3
transition_layers = 10
by = "A"

[limits]
order_max_bytes = "1 MiB"
"#;
    let golden = "\
workshop.toml:3:13: \"Europe/Berlinn\" is not a time zone; write an IANA name like Europe/Berlin
workshop.toml:4:10: \"7373\" is not an address; write one like 127.0.0.1:7373
workshop.toml:5:11: there is no routing profile \"direct-resin-casting\"; known are: direct-resin-cast, print-only, wax-cast
workshop.toml:20:11: driver \"chitu\" wants a resin printer with .goo or .ctb files, but profile \"marlin-wax\" is one with gcode files
workshop.toml:21:8: there is no [[line]] named \"usb-2\"; known are: usb-1, rs485
workshop.toml:25:8: a second station named \"resin-1\"
workshop.toml:29:12: no settings are known for material \"formlabs-castable-wax\" on printer \"elegoo-mars-4\"; load another or write a tested [[exposure]]
workshop.toml:43:8: station \"kiln-1\" is on line \"rs485\" as unit 1 already
workshop.toml:47:10: there is no driver \"manuel\"; known are: chitu, manual, marlin, marlin-card, mask, modbus-kiln, sprue-station
workshop.toml:52:22: no routing has a step for \"sing\"; known are: burnout, cast, cure, cut, divest, dry, finish, invest, print-resin, print-wax, qc, quench, set, supports, tree, wash
workshop.toml:56:34: \"9\" is not a time of day; write 00:00 to 24:00
workshop.toml:59:7: \"ftp://127.0.0.1/hook\" is not a web address; write http://… or https://…
workshop.toml:60:15: the secret file ./absent.secret can't be read (No such file or directory (os error 2))
workshop.toml:61:22: \"Piece\" matches no event; write one like order.* or *
workshop.toml:63:1: [[exposure]] needs the key \"source\"
workshop.toml:67:14: exposure_s: 6500 is out of range; write a number from 0.1 to 300
workshop.toml:74:19: order_max_bytes must be a whole number, this is string
";

    let problems = load(text, &[]).unwrap_err();

    assert_eq!(problems, golden);
}

#[test]
fn broken_syntax_is_told_with_its_place() {
    let problems = load("[workshop]\nname = \"Test\ntime_zone = 3 4\n", &[]).unwrap_err();

    assert!(problems.starts_with("workshop.toml:2:"), "{problems}");
    assert!(problems.contains("workshop.toml:3:"), "{problems}");
}

#[test]
fn a_missing_file_is_one_problem() {
    let problems = config::load(Path::new("/nowhere/workshop.toml")).unwrap_err();

    assert_eq!(problems.len(), 1);
    assert!(problems[0].to_string().starts_with("/nowhere/workshop.toml:1:1: this file can't be read"));
}

#[test]
fn the_profiles_of_the_shop_come_first() {
    let alloy =
        builtin::FILES.iter().find(|file| file.kind == ProfileKind::Alloy && file.stem == "ag925").unwrap();
    let own = alloy.text.replace("10.36", "10.4");

    let shop = load(HEAD, &[("profiles/alloys/ag925.toml", &own)]).unwrap();

    assert_eq!(shop.profiles.alloy("ag925").unwrap().density_g_per_cm3.value, 10.4);
    assert_eq!(shop.profiles.alloys.len(), built_in().alloys.len());
}

#[test]
fn wrong_profiles_of_the_shop_are_told_with_their_place() {
    let find = |kind: ProfileKind, stem: &str| {
        builtin::FILES.iter().find(|file| file.kind == kind && file.stem == stem).unwrap().text
    };
    let alloy = find(ProfileKind::Alloy, "ag925").replace("fineness = 925", "finness = 925");
    let printer = find(ProfileKind::Printer, "elegoo-mars-4").replace("retract_mm = 5.0", "retract_mm = 4.0");
    let resin = find(ProfileKind::Resin, "bluecast-x-one").replace("\"prusa-sl1\"", "\"prusa-sl2\"");
    let unsourced = find(ProfileKind::Wax, "polycast").replace(
        "source = \"Polymaker, official print presets (Polymaker-Preset, PolyCast @BBL P2S): filament_density 1.1\"",
        "source = \" \"",
    );

    let problems = load(
        HEAD,
        &[
            ("profiles/alloys/mine.toml", &alloy),
            ("profiles/printers/mine.toml", &printer),
            ("profiles/resins/mine.toml", &resin),
            ("profiles/waxes/mine.toml", &unsourced),
        ],
    )
    .unwrap_err();

    let lines: Vec<&str> = problems.lines().collect();
    assert_eq!(lines.len(), 6, "{problems}");
    assert!(
        lines[0].contains("profiles/alloys/mine.toml:3:1: unknown field `finness`, expected one of"),
        "{problems}"
    );
    assert!(lines[1].contains("profiles/printers/mine.toml:"), "{problems}");
    assert!(lines[1].contains("the way back (4 mm) differs from the way up (5 mm)"), "{problems}");
    assert!(lines[2].contains("no printer profile \"prusa-sl2\"; known are: elegoo-mars-4"), "{problems}");
    assert!(lines[5].contains("profiles/waxes/mine.toml:4:"), "{problems}");
    assert!(lines[5].contains("must not be empty"), "{problems}");
}

#[test]
fn a_webhook_key_is_read_and_never_shown() {
    let text = format!(
        "{HEAD}\n[[webhook]]\nurl = \"http://127.0.0.1:9000/hook\"\nsecret_file = \"./hook.secret\"\nevents = [\"piece.*\"]\n"
    );
    let key = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3\n";

    let shop = load(&text, &[("hook.secret", key)]).unwrap();
    let short = load(&text, &[("hook.secret", "whsec_c2VjcmV0")]).unwrap_err();

    assert_eq!(shop.webhooks[0].secret.0, b"0123456789abcdef01234567");
    assert!(!format!("{shop:?}").contains("48, 49, 50"));
    assert!(short.contains("whsec_ and base64 of 24 to 64 bytes") && !short.contains("c2VjcmV0"), "{short}");
}

#[test]
fn an_exposure_of_the_shop_makes_a_material_usable() {
    let text = format!(
        "{HEAD}
[[line]]
name = \"usb-1\"
port = \"/dev/ttyUSB0\"
baud = 115200

[[station]]
name = \"resin-1\"
driver = \"chitu\"
profile = \"elegoo-mars-4\"
line = \"usb-1\"
material = \"formlabs-castable-wax\"

[[exposure]]
printer = \"elegoo-mars-4\"
material = \"formlabs-castable-wax\"
layer_um = 50
exposure_s = 9
bottom_exposure_s = 40.5
bottom_layers = 5
transition_layers = 5
by = \"Technician A\"
source = \"test of lot 3\"
"
    );

    let shop = load(&text, &[]).unwrap();

    let resin = shop.profiles.material("formlabs-castable-wax").unwrap();
    let stem = "formlabs-castable-wax";
    let found = resolve_exposure("elegoo-mars-4", (stem, resin), Microns(50), &shop.exposure).unwrap();
    assert_eq!((found.exposure_s, found.bottom_exposure_s), (9.0, 40.5));
}

#[test]
fn a_printer_that_may_not_get_so_hot_is_not_loaded() {
    let printer = builtin::FILES.iter().find(|file| file.stem == "marlin-wax").unwrap().text;
    let cooler = printer.replace("nozzle_celsius_max = 260.0", "nozzle_celsius_max = 200.0");
    let text = format!(
        "{HEAD}
[[line]]
name = \"usb-1\"
port = \"/dev/ttyUSB0\"
baud = 250000

[[station]]
name = \"wax-1\"
driver = \"marlin\"
profile = \"marlin-wax\"
line = \"usb-1\"
material = \"polycast\"
"
    );

    let problems = load(&text, &[("profiles/printers/marlin-wax.toml", &cooler)]).unwrap_err();

    assert_eq!(
        problems,
        "workshop.toml:17:12: the settings ask for 220 °C at the nozzle and 55 °C on the plate; printer \
         \"marlin-wax\" may hold 200 and 115\n"
    );
}

#[test]
fn the_documented_shop_file_loads() {
    let text = r#"
[workshop]
name = "Sample atelier"
time_zone = "Europe/Berlin"
listen = "127.0.0.1:7373"
data_dir = "./data"
profiles = ["./profiles"]
routing = "direct-resin-cast"

[[line]]
name = "usb-1"
port = "/dev/serial/by-id/usb-…"
baud = 115200

[[line]]
name = "rs485"
port = "/dev/ttyUSB0"
baud = 9600

[[station]]
name = "resin-1"
driver = "chitu"
profile = "elegoo-mars-4"
line = "usb-1"
material = "bluecast-x-one"

[[station]]
name = "kiln-1"
driver = "modbus-kiln"
profile = "eurotherm-2416"
line = "rs485"
unit = 1

[[station]]
name = "bench"
driver = "manual"

[[person]]
name = "Technician A"
shifts = ["mon-fri 08:00-16:30"]

[[webhook]]
url = "http://127.0.0.1:9000/hook"
secret_file = "./webhook.secret"
events = ["order.*", "piece.*"]

[simulation]
speed = 60
started_at = 2026-11-20T08:00:00Z
started_real = "2026-11-20T09:00:00+01:00"
"#;
    let key = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";

    let shop = load(text, &[("webhook.secret", key)]).unwrap();

    assert_eq!(shop.stations[1].unit, Some(1));
    assert_eq!(shop.webhooks[0].events, ["order.*", "piece.*"]);
    let simulation = shop.simulation.unwrap();
    assert_eq!((simulation.speed, simulation.started_at), (60, simulation.started_real));
}

#[test]
fn a_shop_file_cut_off_anywhere_is_refused_or_read_but_never_a_panic() {
    let text = fs::read_to_string(root().join("examples/shop/workshop.toml")).unwrap();
    let mut refused = 0;

    for end in (0..text.len()).step_by(13).filter(|end| text.is_char_boundary(*end)) {
        refused += usize::from(load(&text[..end], &[]).is_err());
    }

    assert!(refused > 100);
}
