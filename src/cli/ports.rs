//! `sprue ports`: the serial ports of this machine with stable names, and what answers on them.

use std::path::Path;

use anyhow::Context;
use serde::Serialize;

use super::{Failure, print, print_json, runtime, say};
use crate::devices::drivers::marlin::machine_of;
use crate::devices::port::answer::{self, Answer, BAUDS};
use crate::devices::port::found::{self, FoundPort};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A port to ask, instead of all that are found.
    port: Vec<String>,
    /// Say only which ports there are. Asking resets some boards, and writes to whatever is there: don't ask
    /// while something prints.
    #[arg(long)]
    no_ask: bool,
    /// Ask at this rate alone, in bits per second.
    #[arg(long)]
    baud: Option<u32>,
    /// One JSON document on standard output.
    #[arg(long)]
    json: bool,
}

/// One port.
#[derive(Debug, Serialize)]
struct Row {
    /// What to write into the shop file.
    port: String,
    /// What the kernel calls it now.
    path: String,
    by_id: Option<String>,
    by_path: Option<String>,
    /// `vendor:product` of the USB chip.
    usb: Option<String>,
    usb_name: Option<String>,
    usb_serial: Option<String>,
    /// The rate at which it answered.
    baud: Option<u32>,
    /// `machine` for the station in the shop file.
    machine: Option<String>,
    /// The whole answer.
    answer: Option<String>,
    /// Why it could not be asked.
    trouble: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut rows = rows(arguments)?;
    if !arguments.no_ask {
        ask_all(arguments, &mut rows)?;
    }
    if arguments.json {
        return print_json(&rows);
    }
    if rows.is_empty() {
        say("no serial ports: plug a device in, and look at `dmesg` if it doesn't show");
    }
    rows.iter().for_each(|row| print(&row.text(arguments.no_ask)));
    Ok(())
}

fn rows(arguments: &Arguments) -> Result<Vec<Row>, Failure> {
    if !arguments.port.is_empty() {
        return Ok(arguments.port.iter().map(|path| Row::named(path)).collect());
    }
    let found =
        found::list(Path::new("/")).context("can't read the ports of this machine from /sys/class/tty")?;
    Ok(found.into_iter().map(Row::found).collect())
}

fn ask_all(arguments: &Arguments, rows: &mut [Row]) -> Result<(), Failure> {
    let one = arguments.baud.map(|baud| vec![baud]);
    let bauds = one.as_deref().unwrap_or(BAUDS);
    runtime()?.block_on(async {
        for row in rows {
            match answer::ask(&row.path, bauds).await {
                Ok(Some(answer)) => row.take(answer),
                Ok(None) => {}
                Err(error) => row.trouble = Some(error.to_string()),
            }
        }
    });
    Ok(())
}

impl Row {
    fn named(path: &str) -> Self {
        Self {
            port: path.to_owned(),
            path: path.to_owned(),
            by_id: None,
            by_path: None,
            usb: None,
            usb_name: None,
            usb_serial: None,
            baud: None,
            machine: None,
            answer: None,
            trouble: None,
        }
    }

    fn found(port: FoundPort) -> Self {
        let stable = port.stable().to_owned();
        let (usb, usb_name, usb_serial) = match port.usb {
            Some(usb) => (Some(usb.ids), Some(usb.name), usb.serial),
            None => (None, None, None),
        };
        let (by_id, by_path) = (port.by_id, port.by_path);
        Self { port: stable, by_id, by_path, usb, usb_name, usb_serial, ..Self::named(&port.path) }
    }

    fn take(&mut self, answer: Answer) {
        self.baud = Some(answer.baud);
        self.machine = Some(machine_of(&answer.text)).filter(|machine| !machine.is_empty());
        self.answer = Some(answer.text);
    }

    fn text(&self, is_unasked: bool) -> String {
        let what = match (&self.machine, self.baud, &self.trouble) {
            (machine, Some(baud), _) => {
                format!("{} at {baud} baud", machine.as_deref().unwrap_or("a printer without a name"))
            }
            (_, None, Some(trouble)) => trouble.clone(),
            (_, None, None) if is_unasked => self.usb_name.clone().unwrap_or_default(),
            (_, None, None) => "no answer to M115".into(),
        };
        format!("{}  ({})  {what}", self.port, self.path)
    }
}
