//! The mask that some programs put over `.ctb` layers.
//!
//! A stream of 32-bit words, made from the key in the header and the number of the layer, is xored over the
//! bytes. It protects nothing, but files of others have it; key 0 means that the bytes are plain.
//!
//! Source: catibo, `doc/cbddlp-ctb.adoc`, "the 86 cipher"; with the constant of its code and of uv3dp (the
//! document ends it in ...24).

/// Takes the mask off, or puts it on: both are the same.
pub(super) fn mask(bytes: &mut [u8], key: u32, layer: u32) {
    let step = key.wrapping_mul(0x2D83_CDAC).wrapping_add(0xD8A8_3423);
    let mut word = layer.wrapping_mul(0x1E15_30CD).wrapping_add(0xEC3D_47CD).wrapping_mul(step);
    for chunk in bytes.chunks_mut(4) {
        for (byte, key) in chunk.iter_mut().zip(word.to_le_bytes()) {
            *byte ^= key;
        }
        word = word.wrapping_add(step);
    }
}
