//! A picture of the plate in comments, as PrusaSlicer writes it and displays of printers read it.
//!
//! Source: PrusaSlicer, `src/libslic3r/GCode/Thumbnails.hpp`: `; thumbnail begin WxH LENGTH`, base64 of a PNG in
//! lines of 78 characters, `; thumbnail end`. Lines are shorter here: readers take any length, the firmware's
//! buffer doesn't.

use crate::preview::Picture;

/// Characters of base64 in a line; with `; ` before them a line fits the firmware.
const LINE_CHARACTERS: usize = 76;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The lines of the comment.
pub(super) fn lines(picture: &Picture) -> Result<Vec<String>, std::io::Error> {
    let text = base64(&png(picture)?);
    let mut lines =
        vec![format!("; thumbnail begin {}x{} {}", picture.width_px, picture.height_px, text.len())];
    lines.extend(
        text.as_bytes().chunks(LINE_CHARACTERS).map(|chunk| format!("; {}", String::from_utf8_lossy(chunk))),
    );
    lines.push("; thumbnail end".to_owned());
    Ok(lines)
}

fn png(picture: &Picture) -> Result<Vec<u8>, std::io::Error> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, picture.width_px, picture.height_px);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(picture.rgb.as_flattened())?;
    writer.finish()?;
    Ok(bytes)
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let sextet = usize::try_from(word >> (18 - 6 * place) & 63).unwrap_or(0);
            text.push(if place <= chunk.len() { char::from(ALPHABET[sextet]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        // RFC 4648, section 10.
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
