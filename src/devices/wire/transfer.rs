//! The file packets of ChiTu boards, the same in both directions:
//! data, 4 bytes of file offset (little endian), XOR of all bytes before, 0x83.
//!
//! Source: "ChituClientWifiProtocol" as published by the Photonsters project. A packet has no length and no
//! escape: it ends where the sender pauses, and checksum and offset tell whether it is whole.

/// Most bytes of a file in one packet (the source: "256 * 5 or shorter").
pub const DATA_BYTES_MAX: usize = 1280;

/// Bytes of a packet beside the data.
pub const FRAME_BYTES: usize = 6;

const END: u8 = 0x83;

/// A packet of a file.
///
/// `data` is at most `DATA_BYTES_MAX` long.
#[must_use]
pub fn encode(offset: u32, data: &[u8]) -> Vec<u8> {
    let mut packet = Vec::with_capacity(data.len() + FRAME_BYTES);
    packet.extend_from_slice(data);
    packet.extend_from_slice(&offset.to_le_bytes());
    let check = packet.iter().fold(0, |sum, byte| sum ^ byte);
    packet.extend([check, END]);
    packet
}

/// The data of a whole packet for this place of the file; `None` if it is broken, incomplete or for another
/// place.
#[must_use]
pub fn decode(packet: &[u8], offset: u32) -> Option<&[u8]> {
    let (body, tail) = packet.split_at_checked(packet.len().checked_sub(2)?)?;
    let (data, place) = body.split_at_checked(body.len().checked_sub(4)?)?;
    let check = body.iter().fold(0_u8, |sum, byte| sum ^ byte);
    let is_whole = tail == [check, END] && place == offset.to_le_bytes();
    (is_whole && data.len() <= DATA_BYTES_MAX && !data.is_empty()).then_some(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_packet_has_the_published_layout() {
        assert_eq!(encode(0x0102, &[0xaa, 0x55]), [0xaa, 0x55, 0x02, 0x01, 0, 0, 0xaa ^ 0x55 ^ 3, 0x83]);
    }

    proptest! {
        #[test]
        fn packets_come_back_whole_and_no_single_change_goes_unseen(
            data in prop::collection::vec(any::<u8>(), 1..1280), offset: u32, place: prop::sample::Index, bit in 0_u8..8,
        ) {
            let mut packet = encode(offset, &data);
            prop_assert_eq!(decode(&packet, offset), Some(data.as_slice()));
            prop_assert_eq!(decode(&packet, offset.wrapping_add(1)), None);

            let place = place.index(packet.len());
            packet[place] ^= 1 << bit;
            prop_assert_eq!(decode(&packet, offset), None);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..40), offset: u32) {
            let _ = decode(&bytes, offset);
        }
    }
}
