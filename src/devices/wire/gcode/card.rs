//! What firmware says of its card: the texts of Marlin's `cardreader.cpp`, as recorded.

use super::Card;

/// Reads one line; `None` if it isn't about a card.
pub(super) fn parse(line: &str) -> Option<Card> {
    let line = line.trim();
    if line.starts_with("Writing to file:") {
        return Some(Card::Writing);
    }
    if line.starts_with("Done saving file") {
        return Some(Card::Saved);
    }
    if line.starts_with("Done printing file") {
        return Some(Card::Done);
    }
    if line == "Not SD printing" || line == "SD print not active" {
        return Some(Card::Idle);
    }
    if line == "Begin file list" {
        return Some(Card::ListBegins);
    }
    if line == "End file list" {
        return Some(Card::ListEnds);
    }
    named(line).or_else(|| failed(line)).or_else(|| listed(line))
}

fn named(line: &str) -> Option<Card> {
    if let Some(rest) = line.strip_prefix("File opened:") {
        let (name, bytes) = rest.split_once("Size:")?;
        return Some(Card::Opened { name: capitals(name)?, bytes: bytes.trim().parse().ok()? });
    }
    if let Some(rest) = line.strip_prefix("SD printing byte") {
        let (done, total) = rest.trim().split_once('/')?;
        return Some(Card::Printing { done: done.parse().ok()?, total: total.parse().ok()? });
    }
    let rest = line.strip_prefix("Current file:")?.trim();
    // With long names the short one stands first.
    Some(Card::Current(rest.split_whitespace().next().filter(|name| *name != "(no").and_then(capitals)))
}

fn failed(line: &str) -> Option<Card> {
    let opening = ["open failed", "cannot open", "Cannot open"].iter().any(|text| line.contains(text));
    if opening {
        return Some(Card::OpenFailed);
    }
    let texts = [
        "No SD card",
        "No media",
        "SD init fail",
        "error writing to file",
        "volume.init failed",
        "openRoot failed",
    ];
    texts.iter().any(|text| line.contains(text)).then(|| Card::Failed(line.to_owned()))
}

/// `RING-1.GCO 12345`, in a list.
fn listed(line: &str) -> Option<Card> {
    let mut words = line.split_whitespace();
    let name = words.next().filter(|name| name.contains('.') && !name.contains(':'))?;
    let bytes = words.next()?.parse().ok()?;
    Some(Card::File { name: capitals(name)?, bytes })
}

fn capitals(name: &str) -> Option<String> {
    let name = name.trim().trim_start_matches('/');
    let is_name = !name.is_empty() && name.len() <= 64 && name.chars().all(|c| c.is_ascii_graphic());
    is_name.then(|| name.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_card_says_is_understood() {
        let name = || "RING-1.GCO".to_owned();
        assert_eq!(
            parse("File opened: ring-1.gco Size: 420"),
            Some(Card::Opened { name: name(), bytes: 420 })
        );
        assert_eq!(parse("RING-1.GCO 420"), Some(Card::File { name: name(), bytes: 420 }));
        assert_eq!(parse("SD printing byte 12/420"), Some(Card::Printing { done: 12, total: 420 }));
        assert_eq!(parse("Current file: RING-1.GCO ring-1.gcode"), Some(Card::Current(Some(name()))));
        assert_eq!(parse("Current file: (no file)"), Some(Card::Current(None)));
        assert_eq!(parse("Not SD printing"), Some(Card::Idle));
        assert_eq!(parse("open failed, File: ring-1.gco."), Some(Card::OpenFailed));
        assert!(matches!(parse("error writing to file"), Some(Card::Failed(_))));
        assert_eq!(parse("SD printing byte x/y"), None);
        assert_eq!(parse("X:1.00 Y:2.00 Z:3.00"), None);
    }
}
