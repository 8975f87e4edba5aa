//! The import rules of the daemon: a table, and its test against every path of a file.
//!
//! A name that is re-exported elsewhere counts where it is imported from.

use super::paths::{Use, read};

/// What a tier may import of `src/`. `&["*"]` is everything.
struct Rule {
    tier: &'static str,
    may: &'static [&'static str],
    /// Packages and parts of `std` it must never name.
    never: &'static [&'static str],
}

/// No files, network, processes, threads, clock, randomness, runtime, database, web or geometry.
const PURE: &[&str] = &[
    "axum",
    "getrandom",
    "reqwest",
    "rusqlite",
    "rustix",
    "sprue_compute",
    "sprue_station",
    "sprue_station_protocol",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "tokio",
    "tokio_serial",
];

/// As `PURE`, but it may calculate.
const PURE_BUT_COMPUTE: &[&str] = &[
    "axum",
    "getrandom",
    "reqwest",
    "rusqlite",
    "rustix",
    "sprue_station",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "tokio",
    "tokio_serial",
];

const FRONT: &[&str] =
    &["rusqlite", "rustix", "sprue_compute", "sprue_station", "sprue_station_protocol", "tokio_serial"];

/// Lowest tier first. A module that is not named here may not exist.
const RULES: &[Rule] = &[
    Rule { tier: "units", may: &[], never: &["axum", "rusqlite", "sprue_station", "std::fs", "tokio"] },
    // Re-exports the finding of the calculating package.
    Rule { tier: "finding", may: &[], never: &["axum", "rusqlite", "sprue_station", "std::fs", "tokio"] },
    Rule { tier: "ids", may: &["units"], never: &["axum", "rusqlite", "sprue_station", "std::fs", "tokio"] },
    Rule {
        tier: "clock",
        may: &["units"],
        never: &["axum", "rusqlite", "sprue_compute", "sprue_station", "std::fs"],
    },
    Rule {
        tier: "telemetry",
        may: &["units", "ids", "clock"],
        never: &["rusqlite", "sprue_compute", "sprue_station"],
    },
    Rule { tier: "shop", may: &["units", "ids", "finding"], never: PURE },
    Rule { tier: "casting", may: &["units", "ids", "finding", "shop"], never: PURE },
    Rule { tier: "planning", may: &["units", "ids", "shop"], never: PURE_BUT_COMPUTE },
    Rule {
        tier: "devices",
        may: &["units", "ids"],
        never: &["axum", "reqwest", "rusqlite", "sprue_compute", "sprue_station"],
    },
    Rule {
        tier: "store",
        may: &["units", "ids", "clock", "shop"],
        never: &[
            "axum",
            "reqwest",
            "sprue_compute",
            "sprue_station",
            "sprue_station_protocol",
            "tokio_serial",
        ],
    },
    Rule {
        tier: "services",
        may: &["units", "ids", "clock", "finding", "shop", "casting", "planning", "devices", "store"],
        never: &["axum", "rusqlite", "rustix", "sprue_station", "tokio_serial"],
    },
    Rule { tier: "api", may: &["units", "ids", "finding", "shop", "services"], never: FRONT },
    Rule { tier: "panel", may: &["units", "ids", "finding", "shop", "services"], never: FRONT },
    Rule { tier: "webhooks", may: &["units", "ids", "clock", "services"], never: FRONT },
    Rule {
        tier: "config",
        may: &["units", "ids", "shop", "casting", "planning", "devices"],
        never: &["axum", "rusqlite", "rustix", "sprue_station", "tokio", "tokio_serial"],
    },
    // Plays the whole workshop for `sprue demo`, therefore it sees the daemon from outside and inside.
    Rule {
        tier: "sim",
        may: &[
            "units", "ids", "clock", "shop", "devices", "store", "services", "api", "webhooks", "config",
            "app",
        ],
        never: &["rusqlite"],
    },
    Rule { tier: "app", may: &["*"], never: &[] },
    Rule { tier: "cli", may: &["*"], never: &[] },
    Rule { tier: "main", may: &["*"], never: &[] },
    // The list of modules; it imports nothing.
    Rule { tier: "lib", may: &[], never: PURE },
];

/// The calculating package: no runtime and no world. Its manifest forbids the rest.
const COMPUTE_NEVER: &[&str] = &["std::env", "std::fs", "std::net", "std::process", "tokio"];

/// The tier of a file under `src/`, `None` for the calculating package.
pub(super) fn tier_of(path: &str) -> Option<String> {
    let inside = path.strip_prefix("src/")?;
    let first = inside.split('/').next()?;
    (first != "compute").then(|| first.trim_end_matches(".rs").to_owned())
}

/// The tier has a row.
pub(super) fn is_known(tier: &str) -> bool {
    RULES.iter().any(|rule| rule.tier == tier)
}

/// Each forbidden import as `file:line: ...`.
pub(super) fn check(path: &str, text: &str) -> Vec<String> {
    let uses = read(path, text);
    let Some(tier) = tier_of(path) else { return check_compute(path, &uses) };
    let Some(rule) = RULES.iter().find(|rule| rule.tier == tier) else { return Vec::new() };
    let judged = uses.iter().filter_map(|found| Some((found.line, judge(rule, &found.path)?)));
    let mut problems: Vec<String> =
        judged.map(|(line, problem)| format!("{path}:{line}: {problem}")).collect();
    problems.dedup();
    problems
}

fn check_compute(path: &str, uses: &[Use]) -> Vec<String> {
    let is_test = path.ends_with("tests.rs")
        || ["/tests/", "/benches/", "/examples/"].iter().any(|folder| path.contains(folder));
    uses.iter()
        .filter(|found| !is_test && !found.in_tests)
        .filter_map(|found| {
            COMPUTE_NEVER.iter().find(|never| starts_with(&found.path, never)).zip(Some(found))
        })
        .map(|(never, found)| format!("{path}:{}: `sprue-compute` must not import `{never}`", found.line))
        .collect()
}

fn judge(rule: &Rule, path: &[String]) -> Option<String> {
    let tier = rule.tier;
    let [root, rest @ ..] = path else { return None };
    if root == "crate" || root == "sprue" {
        let module = rest.first()?;
        let allowed = *module == tier || rule.may.contains(&"*") || rule.may.contains(&module.as_str());
        // A name in the root that is no module (a macro, `crate::Error`) crosses no wall.
        return (is_known(module) && !allowed).then(|| format!("`{tier}` must not import `{module}`"));
    }
    let never = rule.never.iter().find(|never| starts_with(path, never))?;
    Some(format!("`{tier}` must not import `{never}`"))
}

fn starts_with(path: &[String], prefix: &str) -> bool {
    let mut parts = path.iter();
    prefix.split("::").all(|part| parts.next().is_some_and(|found| found == part))
}

#[cfg(test)]
mod tests {
    use super::check;

    fn reported(path: &str, text: &str) -> Vec<String> {
        check(path, text)
    }

    #[test]
    fn a_planted_import_is_reported_with_file_and_line() {
        let planted = "//! Head.\n\nuse crate::shop::order::Order;\n";
        assert_eq!(
            reported("src/devices/fleet.rs", planted),
            ["src/devices/fleet.rs:3: `devices` must not import `shop`"]
        );
    }

    #[test]
    fn every_way_to_write_an_import_is_seen() {
        let ways = [
            ("src/devices.rs", "pub use crate::{units::Tick, shop::{self, order}};"),
            ("src/devices.rs", "use {crate::shop as trade};"),
            ("src/devices.rs", "fn f() -> crate::shop::Order { g() }"),
            ("src/devices.rs", "fn f() { let x: Vec<crate::shop::Order> = vec![]; }"),
            ("src/devices.rs", "use super::shop;"),
            ("src/devices/drivers/chitu/session.rs", "use super::super::super::super::shop::Order;"),
            ("src/devices/drivers/chitu/mod.rs", "use super::super::super::shop::Order;"),
            ("src/devices/port.rs", "mod tests { use super::super::super::shop::Order; }"),
            ("src/devices/port.rs", "const OPEN: char = '{'; const MARK: char = '\\''; use crate::shop;"),
            ("src/devices/port.rs", "const TEXT: &str = r#\"a \" quote\"#; use crate::shop;"),
            ("src/devices/port.rs", "fn f<'a>(x: &'a str) -> crate::shop::Order<'a> { todo(x) }"),
        ];
        for (path, text) in ways {
            assert_eq!(
                reported(path, text),
                [format!("{path}:1: `devices` must not import `shop`")],
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_not_an_import_is_left_alone() {
        let text = "
            // use crate::shop::Order;
            /* use crate::shop; /* nested */ crate::shop::x */
            const A: &str = \"crate::shop::Order\";
            const B: &str = r#\"use \"crate::shop\" \"#;
            use crate::units::Tick;
            use super::shop;
            use crate::devices::wire;
            fn f() { shop::open(); x.crate_shop(); }
        ";
        assert_eq!(reported("src/devices/port.rs", text), Vec::<String>::new());
    }

    #[test]
    fn packages_and_parts_of_std_are_rules_too() {
        let planted = [
            (
                "src/devices/port.rs",
                "use sprue_compute::mesh::Mesh;",
                "`devices` must not import `sprue_compute`",
            ),
            (
                "src/services/intake.rs",
                "fn f(c: rusqlite::Connection) {}",
                "`services` must not import `rusqlite`",
            ),
            ("src/shop/order.rs", "use std::{fs, fmt};", "`shop` must not import `std::fs`"),
            ("src/api/v1/orders.rs", "use crate::store::Store;", "`api` must not import `store`"),
            (
                "src/compute/mesh.rs",
                "fn f() { std::fs::read(p); }",
                "`sprue-compute` must not import `std::fs`",
            ),
        ];
        for (path, text, problem) in planted {
            assert_eq!(reported(path, text), [format!("{path}:1: {problem}")]);
        }
    }

    #[test]
    fn wiring_and_the_command_line_may_import_everything() {
        let text = "use sprue::store::Store; use crate::{api, sim}; use tokio::net::TcpListener;";
        for path in ["src/app.rs", "src/main.rs", "src/cli/serve.rs"] {
            assert_eq!(reported(path, text), Vec::<String>::new());
        }
    }

    #[test]
    fn the_calculating_package_may_read_files_in_tests() {
        let text = "mod tests { fn f() { std::fs::read(p); } }";
        assert_eq!(reported("src/compute/mesh.rs", text), Vec::<String>::new());
        assert_eq!(reported("src/compute/mesh/tests.rs", "use std::fs;"), Vec::<String>::new());
    }
}
