//! Answers requests for the register map. A write is carried out whole or refused whole.

use embedded_hal::digital::OutputPin;
use sprue_station_protocol::map::{
    ACKNOWLEDGE_ADDRESS, COMMAND_ADDRESS, Command, REPORT_ADDRESS, REPORT_COUNT,
};
use sprue_station_protocol::modbus::server::{Ask, Asked};
use sprue_station_protocol::modbus::{Exception, Frame, Words};

use crate::control::{Refusal, Station};

/// Carries a request out and makes the answer.
pub fn serve<H: OutputPin, C: OutputPin>(station: &mut Station<H, C>, now_ms: u64, asked: &Asked) -> Frame {
    match carry_out(station, now_ms, asked) {
        Ok(frame) => frame,
        Err(exception) => asked.answer_exception(exception),
    }
}

fn carry_out<H: OutputPin, C: OutputPin>(
    station: &mut Station<H, C>,
    now_ms: u64,
    asked: &Asked,
) -> Result<Frame, Exception> {
    match asked.ask()? {
        Ask::Read { address, count } => read(station, asked, address, count),
        Ask::WriteCoil { .. } => Err(Exception::IllegalAddress),
        Ask::Write { address, values } => {
            write(station, now_ms, address, values)?;
            Ok(asked.answer_written())
        }
        Ask::ReadWrite { address, count, write_address, values } => {
            report_range(address, count)?;
            write(station, now_ms, write_address, values)?;
            read(station, asked, address, count)
        }
    }
}

fn read<H: OutputPin, C: OutputPin>(
    station: &Station<H, C>,
    asked: &Asked,
    address: u16,
    count: u16,
) -> Result<Frame, Exception> {
    let (from, to) = report_range(address, count)?;
    Ok(asked.answer_registers(&station.report().encode()[from..to]))
}

fn report_range(address: u16, count: u16) -> Result<(usize, usize), Exception> {
    let from = address.checked_sub(REPORT_ADDRESS).ok_or(Exception::IllegalAddress)?;
    match from.checked_add(count) {
        Some(to) if to <= REPORT_COUNT => Ok((usize::from(from), usize::from(to))),
        Some(_) | None => Err(Exception::IllegalAddress),
    }
}

fn write<H: OutputPin, C: OutputPin>(
    station: &mut Station<H, C>,
    now_ms: u64,
    address: u16,
    values: Words<'_>,
) -> Result<(), Exception> {
    match (address, values.len()) {
        (COMMAND_ADDRESS, 1) => {
            station.look(values.get(0).ok_or(Exception::IllegalValue)?);
            Ok(())
        }
        (COMMAND_ADDRESS, _) => {
            let command = Command::decode(values).ok_or(Exception::IllegalValue)?;
            station.command(now_ms, &command).map_err(exception)
        }
        (ACKNOWLEDGE_ADDRESS, 1) => {
            let number = values.get(0).ok_or(Exception::IllegalValue)?;
            station.acknowledge(number).map_err(exception)
        }
        _ => Err(Exception::IllegalAddress),
    }
}

fn exception(refusal: Refusal) -> Exception {
    match refusal {
        Refusal::Setpoint | Refusal::Ceiling | Refusal::FaultNumber => Exception::IllegalValue,
        Refusal::CauseRemains => Exception::DeviceBusy,
    }
}
