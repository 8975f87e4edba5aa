//! Prefix codes of limited length (RFC 1951, section 3.2.2).

/// A code word, first bit lowest, as deflate sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Code {
    pub(super) bits: u16,
    pub(super) length: u8,
}

/// Lengths of the best prefix code for symbols that occur so often, none over `limit`.
///
/// Counts are flattened until the limit holds: equal counts make at most 9 bits of 286 symbols and 5 of 19.
pub(super) fn code_lengths(counts: &[u32], limit: u8) -> Vec<u8> {
    let mut weights: Vec<u64> = counts.iter().map(|&count| u64::from(count)).collect();
    loop {
        let lengths = tree_depths(&weights);
        if lengths.iter().all(|&length| length <= limit) {
            return lengths;
        }
        for weight in weights.iter_mut().filter(|weight| **weight > 0) {
            *weight = *weight / 4 + 1;
        }
    }
}

/// Depth of each symbol in the tree that joins the two lightest nodes until one is left.
fn tree_depths(weights: &[u64]) -> Vec<u8> {
    let mut leaves: Vec<usize> = (0..weights.len()).filter(|&symbol| weights[symbol] > 0).collect();
    leaves.sort_by_key(|&symbol| weights[symbol]);
    let mut lengths = vec![0_u8; weights.len()];
    if let [only] = leaves[..] {
        lengths[only] = 1;
        return lengths;
    }
    // Nodes: the leaves by weight, then the joints in the order they are made, which is by weight too.
    let mut node_weights: Vec<u64> = leaves.iter().map(|&symbol| weights[symbol]).collect();
    let mut parents = vec![0_usize; leaves.len()];
    let (mut leaf, mut joint) = (0, leaves.len());
    for _ in 1..leaves.len() {
        let parent = node_weights.len();
        let mut sum = 0;
        for _ in 0..2 {
            let take_leaf =
                leaf < leaves.len() && (joint >= parent || node_weights[leaf] <= node_weights[joint]);
            let lightest = if take_leaf { &mut leaf } else { &mut joint };
            sum += node_weights[*lightest];
            parents[*lightest] = parent;
            *lightest += 1;
        }
        node_weights.push(sum);
        parents.push(parent);
    }
    let mut depths = vec![0_u8; node_weights.len()];
    for node in (0..node_weights.len().saturating_sub(1)).rev() {
        depths[node] = depths[parents[node]].saturating_add(1);
    }
    for (&symbol, &depth) in leaves.iter().zip(&depths) {
        lengths[symbol] = depth;
    }
    lengths
}

/// The code words that belong to lengths: shorter first, then by symbol.
pub(super) fn codes(lengths: &[u8]) -> Vec<Code> {
    let mut next = 0_u16;
    let mut codes = vec![Code::default(); lengths.len()];
    for length in 1..=15_u8 {
        for (code, _) in codes.iter_mut().zip(lengths).filter(|(_, own)| **own == length) {
            *code = Code { bits: next.reverse_bits() >> (16 - length), length };
            next += 1;
        }
        next <<= 1;
    }
    codes
}
