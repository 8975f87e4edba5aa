//! The device families that sprue can talk to, one folder each. A new family is a folder and a line in `ALL`.

use serde::de::DeserializeOwned;

use crate::devices::session::Session;

pub mod chitu;
pub mod marlin;

/// All drivers, in the order of their names.
pub const ALL: &[&Driver] = &[&chitu::DRIVER, &marlin::DRIVER, &marlin::CARD_DRIVER];

/// One device family.
#[derive(Debug)]
pub struct Driver {
    /// What the shop file calls it.
    pub name: &'static str,
    /// What it can do.
    pub capabilities: Capabilities,
    /// Makes a conversation from the settings in the shop file.
    make: fn(&toml::Table) -> Result<Box<dyn Session>, toml::de::Error>,
}

/// What a driver can do; planning refuses the rest before it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// How a print gets to the device.
    pub delivery: Delivery,
    /// `Pause` and `Resume`.
    pub pause: bool,
    /// `Cancel`.
    pub cancel: bool,
    /// The device can be asked, after a restart of the daemon, which print it is doing.
    pub names_its_print: bool,
}

/// How a print gets to the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The device stores the file and prints without the daemon.
    Stored,
    /// The daemon sends line by line; a print ends when the daemon or the line does.
    Streamed,
}

/// A session can't be made. The texts tell a technician what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No driver has this name.
    #[error("there is no driver \"{name}\": use one of {known}")]
    UnknownDriver {
        /// The name.
        name: String,
        /// Those there are.
        known: String,
    },
    /// The settings don't fit the driver.
    #[error("the settings of driver {driver} are wrong")]
    ReadSettings {
        /// The driver.
        driver: &'static str,
        /// Which and why.
        source: toml::de::Error,
    },
}

/// The driver of this name.
///
/// # Errors
/// If there is none; the text names those there are.
pub fn find(name: &str) -> Result<&'static Driver, Error> {
    ALL.iter().copied().find(|driver| driver.name == name).ok_or_else(|| Error::UnknownDriver {
        name: name.to_owned(),
        known: ALL.iter().map(|driver| driver.name).collect::<Vec<_>>().join(", "),
    })
}

impl Driver {
    /// A new conversation.
    ///
    /// # Errors
    /// If the settings are not those of this driver.
    pub fn session(&self, settings: &toml::Table) -> Result<Box<dyn Session>, Error> {
        (self.make)(settings).map_err(|source| Error::ReadSettings { driver: self.name, source })
    }
}

fn read<T: DeserializeOwned>(settings: &toml::Table) -> Result<T, toml::de::Error> {
    settings.clone().try_into()
}
