//! Layers made in parallel and handed over in order, with memory for a few layers of each core.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::{Control, Layer, LayerError, LayerSource};

/// Layers that each core makes between two hand-overs: enough to even out light and heavy layers.
const LAYERS_PER_CORE: usize = 8;

/// Why a stream of layers ended early.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StreamError<E> {
    /// The caller asked to stop.
    #[error("stopped")]
    Cancelled,
    /// A layer can't be had.
    #[error("layer can't be made")]
    Layer(#[source] LayerError),
    /// The receiver refused.
    #[error("{0}")]
    Deliver(E),
}

/// Makes every layer, turns it into `T` on any core, and hands the results over in order.
///
/// While one batch is handed over the next is made. The result does not depend on the number of threads.
///
/// # Errors
/// The first error of a layer or of `deliver`, or `Cancelled`.
pub fn stream<T: Send, E: Send>(
    source: &dyn LayerSource,
    control: Control<'_>,
    make: impl Fn(&Layer) -> T + Sync,
    mut deliver: impl FnMut(T) -> Result<(), E> + Send,
) -> Result<(), StreamError<E>> {
    let count = source.layer_count();
    let batch = u32::try_from(rayon::current_num_threads() * LAYERS_PER_CORE).unwrap_or(u32::MAX);
    let made = |from: u32| -> Result<Vec<T>, StreamError<E>> {
        let indices = from..from.saturating_add(batch).min(count);
        indices.into_par_iter().map(|index| one(source, control.cancel, index, &make)).collect()
    };
    let mut ready = made(0)?;
    let mut done = 0;
    while !ready.is_empty() {
        let length = u32::try_from(ready.len()).unwrap_or(u32::MAX);
        let from = done + length;
        let hand_over = || {
            ready.into_iter().try_for_each(|item| {
                done += 1;
                deliver(item).map_err(StreamError::Deliver)?;
                (control.progress)(done, count);
                Ok(())
            })
        };
        let (handed, next) = rayon::join(hand_over, || made(from));
        handed?;
        ready = next?;
    }
    Ok(())
}

fn one<T, E>(
    source: &dyn LayerSource,
    cancel: &AtomicBool,
    index: u32,
    make: &(impl Fn(&Layer) -> T + Sync),
) -> Result<T, StreamError<E>> {
    if cancel.load(Ordering::Relaxed) {
        return Err(StreamError::Cancelled);
    }
    match source.layer(index) {
        Ok(layer) => Ok(make(&layer)),
        Err(LayerError::Cancelled) => Err(StreamError::Cancelled),
        Err(error) => Err(StreamError::Layer(error)),
    }
}
