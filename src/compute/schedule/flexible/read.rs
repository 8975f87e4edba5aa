//! Reads the classic text format: `jobs machines`, then per job the number of operations, and per operation the
//! number of machines and pairs `machine duration`.

use super::{Choice, Instance, Operation};

/// More operations than any published instance has by far.
const OPERATIONS_MAX: usize = 100_000;
/// Choices of all operations together.
const CHOICES_MAX: usize = 4_000_000;
/// Sums of durations must not overflow.
const DURATION_MAX: i64 = 1 << 32;

/// Why a file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It isn't numbers.
    #[error("{0:?} is not a whole number; the file should hold numbers only")]
    Number(String),
    /// It ends too early.
    #[error("the file ends in the middle of a job; is it complete?")]
    Short,
    /// A number is beyond any sense.
    #[error("{0} is out of range")]
    Range(&'static str),
}

/// Reads an instance. Machines may count from 0 or from 1.
///
/// # Errors
/// If it isn't such a file, or too large.
pub fn read(text: &str) -> Result<Instance, Error> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let mut head = lines.next().ok_or(Error::Short)?.split_whitespace();
    let jobs = count(head.next(), OPERATIONS_MAX, "the number of jobs")?;
    let machines = count(head.next(), OPERATIONS_MAX, "the number of machines")?;
    let mut numbers = lines.flat_map(str::split_whitespace);
    let (mut operations, mut choices) = (0, 0);
    let mut instance = Instance { machines, jobs: Vec::new() };
    for _ in 0..jobs {
        let length = count(numbers.next(), OPERATIONS_MAX, "the number of operations")?;
        operations += length;
        let mut job = Vec::new();
        for _ in 0..length {
            let able = count(numbers.next(), machines, "the number of machines of an operation")?;
            choices += able;
            if operations > OPERATIONS_MAX || choices > CHOICES_MAX || able == 0 {
                return Err(Error::Range("the number of operations or of their machines"));
            }
            let one = |_| {
                let machine = count(numbers.next(), machines, "a machine")?;
                Ok(Choice { machine, duration: duration(numbers.next())? })
            };
            job.push(Operation { choices: (0..able).map(one).collect::<Result<_, _>>()? });
        }
        instance.jobs.push(job);
    }
    count_from_zero(&mut instance)?;
    Ok(instance)
}

fn count(word: Option<&str>, max: usize, what: &'static str) -> Result<usize, Error> {
    let word = word.ok_or(Error::Short)?;
    let number = word.parse::<usize>().map_err(|_| Error::Number(word.chars().take(20).collect()))?;
    if number <= max { Ok(number) } else { Err(Error::Range(what)) }
}

fn duration(word: Option<&str>) -> Result<i64, Error> {
    let word = word.ok_or(Error::Short)?;
    let number = word.parse::<i64>().map_err(|_| Error::Number(word.chars().take(20).collect()))?;
    if (0..=DURATION_MAX).contains(&number) { Ok(number) } else { Err(Error::Range("a duration")) }
}

/// A file that never says machine 0 but names the last one by its count counts from 1.
fn count_from_zero(instance: &mut Instance) -> Result<(), Error> {
    let all = || instance.jobs.iter().flatten().flat_map(|operation| &operation.choices);
    let (least, most) = (all().map(|c| c.machine).min(), all().map(|c| c.machine).max());
    if most.is_none_or(|most| most < instance.machines) {
        return Ok(());
    }
    if least == Some(0) {
        return Err(Error::Range("a machine"));
    }
    let choices = instance.jobs.iter_mut().flatten().flat_map(|operation| &mut operation.choices);
    choices.for_each(|choice| choice.machine -= 1);
    Ok(())
}
