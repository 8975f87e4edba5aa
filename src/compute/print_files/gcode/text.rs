//! Numbers as text, without the machinery of general formatting: a print has a hundred thousand of them.

/// Adds a number rounded to `places` decimals.
#[expect(clippy::cast_possible_truncation, reason = "places of a printer and lengths of filament are small")]
pub(super) fn decimal(out: &mut Vec<u8>, value: f64, places: u32) {
    let unit = 10_i64.pow(places);
    let whole = (value * 10_f64.powi(places.cast_signed())).round() as i64;
    if whole < 0 {
        out.push(b'-');
    }
    let whole = whole.unsigned_abs();
    let unit = unit.unsigned_abs();
    digits(out, whole / unit, 1);
    if places > 0 {
        out.push(b'.');
        digits(out, whole % unit, places);
    }
}

fn digits(out: &mut Vec<u8>, mut number: u64, least: u32) {
    let mut text = [b'0'; 20];
    let mut at = text.len();
    let mut count = 0;
    while number > 0 || count < least {
        at -= 1;
        text[at] = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        count += 1;
    }
    out.extend_from_slice(&text[at..]);
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn a_number_reads_as_usual_formatting_writes_it() {
        for value in [0.0, 0.0004, 0.0006, 1.0, -1.5, -0.001, 123.456_789, 99_999.999_9, 1e9, -12.0005] {
            for places in [0, 3, 5] {
                let mut text = Vec::new();
                decimal(&mut text, value, places);
                let text = String::from_utf8(text).unwrap();
                let unit = 10_f64.powi(places.cast_signed());
                let back: f64 = text.parse().unwrap();
                assert!((back - value).abs() <= 0.5 / unit + 1e-9, "{value} as {text}");
                let decimals = text.split('.').nth(1).map_or(0, str::len);
                assert_eq!(decimals, usize::try_from(places).unwrap(), "{text}");
            }
        }
    }
}
