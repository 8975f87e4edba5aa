//! The check sum of Modbus RTU.

/// CRC-16 of a message: polynomial 0xA001 (reflected), start 0xFFFF. Sent low byte first.
///
/// Bit by bit: 256 bytes cost some 20,000 steps, far below the time those bytes take on the line, and no
/// table lies in the flash of a small board.
///
/// Source: Modbus over Serial Line V1.02, section 6.2.2.
#[must_use]
pub const fn crc16(message: &[u8]) -> u16 {
    let mut crc = 0xFFFF_u16;
    let mut index = 0;
    while index < message.len() {
        crc ^= message[index] as u16;
        let mut bit = 0;
        while bit < 8 {
            let carry = crc & 1 == 1;
            crc >>= 1;
            if carry {
                crc ^= 0xA001;
            }
            bit += 1;
        }
        index += 1;
    }
    crc
}
