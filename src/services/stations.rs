//! What people say about stations, and what they ask of their devices.

use crate::devices::session::Command;
use crate::services::{Error, Shop};
use crate::shop::event::Event;
use crate::shop::lot::LotContent;
use crate::shop::workshop::Station;

/// A person says that the plate of a station is clear; the next print may start.
///
/// # Errors
/// `NotFound`, `Conflict` while a print is on it.
pub async fn ready(shop: &Shop, actor: &str, name: &str) -> Result<(), Error> {
    let name = station(shop, name)?.name.clone();
    shop.store
        .transact(actor, move |tx| {
            let busy =
                tx.open_operations()?.into_iter().find(|op| op.state.occupies() == Some(name.as_str()));
            if let Some(operation) = busy {
                let text = format!("{} is not free: {} is {}", name, operation.title, operation.state.word());
                return Err(Error::conflict(text));
            }
            tx.record(&Event::StationCleared { station: name }).map_err(Error::from)
        })
        .await?;
    shop.wake.all();
    Ok(())
}

/// A person puts a lot of its material on a station: every print from now on is made of it.
///
/// # Errors
/// `NotFound`; `Conflict` if nobody received such a lot, if it must not be used, or holds another material.
pub async fn load(shop: &Shop, actor: &str, name: &str, label: String) -> Result<(), Error> {
    let station = station(shop, name)?.clone();
    shop.store
        .transact(actor, move |tx| {
            let lot = tx.open_lot(&label)?.ok_or_else(|| {
                Error::conflict(format!("lot {label} is not open here; receive it first, or check the label"))
            })?;
            if let Some(refusal) = lot.refusal(tx.at()) {
                return Err(Error::conflict(refusal));
            }
            let material = match &lot.content {
                LotContent::Resin { material } | LotContent::Wax { material } => material,
                LotContent::Metal { .. } | LotContent::Powder { .. } | LotContent::Other { .. } => {
                    return Err(Error::conflict(format!(
                        "lot {label} is {}, nothing to print with",
                        lot.kind_word()
                    )));
                }
            };
            if station.material.as_ref() != Some(material) {
                let loaded = station.material.as_deref().unwrap_or("no material");
                let text = format!("lot {label} is {material}, {} is set up for {loaded}", station.name);
                return Err(Error::conflict(text));
            }
            tx.record(&Event::StationLoaded { station: station.name, lot: label }).map_err(Error::from)
        })
        .await?;
    Ok(())
}

/// A person pauses a station: nothing new is started, and a running print is paused.
///
/// # Errors
/// `NotFound`.
pub async fn pause(shop: &Shop, actor: &str, name: &str, reason: String) -> Result<(), Error> {
    let name = station(shop, name)?.name.clone();
    let event = Event::StationPaused { station: name.clone(), reason };
    record(shop, actor, event).await?;
    tell_device(shop, &name, Command::Pause);
    Ok(())
}

/// A person puts a station back to work; a paused print goes on.
///
/// # Errors
/// `NotFound`.
pub async fn resume(shop: &Shop, actor: &str, name: &str) -> Result<(), Error> {
    let name = station(shop, name)?.name.clone();
    record(shop, actor, Event::StationResumed { station: name.clone() }).await?;
    tell_device(shop, &name, Command::Resume);
    Ok(())
}

/// A person ends the running print; the device stays usable. What became of it arrives as a fact.
///
/// # Errors
/// `NotFound`, `Conflict` if the station has no device.
pub async fn cancel(shop: &Shop, name: &str) -> Result<(), Error> {
    command(shop, name, Command::Cancel)
}

/// Emergency stop: ahead of all that waits, and nothing new is started until somebody resumes the station.
///
/// # Errors
/// `NotFound`, `Conflict` if the station has no device.
pub async fn stop(shop: &Shop, actor: &str, name: &str) -> Result<(), Error> {
    // The device first: for a person who presses stop, the record can wait.
    command(shop, name, Command::EmergencyStop)?;
    let event = Event::StationPaused { station: name.to_owned(), reason: "emergency stop".to_owned() };
    record(shop, actor, event).await
}

fn command(shop: &Shop, name: &str, command: Command) -> Result<(), Error> {
    let station = station(shop, name)?;
    shop.fleet.send(&station.name, command).map_err(|failure| Error::conflict(failure.to_string()))
}

fn tell_device(shop: &Shop, name: &str, command: Command) {
    // A station without a device, or without a print, has nothing to do; the record says what was meant.
    if let Err(failure) = shop.fleet.send(name, command) {
        tracing::debug!(station.name = name, error = %failure, "no device took the command");
    }
}

async fn record(shop: &Shop, actor: &str, event: Event) -> Result<(), Error> {
    shop.store.transact(actor, move |tx| tx.record(&event).map_err(Error::from)).await?;
    shop.wake.all();
    Ok(())
}

fn station<'a>(shop: &'a Shop, name: &str) -> Result<&'a Station, Error> {
    shop.workshop.station(name).ok_or_else(|| Error::not_found(format!("station {name}")))
}
