//! What a ChiTu board answers, one reader for each question. A line that doesn't fit the question is late or
//! garbled and is passed over.

/// The answer to `M4000`, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) done: u64,
    /// 0 when no file is open.
    pub(super) total: u64,
    pub(super) paused: bool,
}

impl Status {
    pub(super) fn is_idle(self) -> bool {
        self.total == 0
    }

    /// At least 99 %: what must have been seen before the end of a print is called its end.
    pub(super) fn is_near_end(self) -> bool {
        self.total > 0 && u128::from(self.done) * 100 >= u128::from(self.total) * 99
    }
}

/// `ok B:0/0 … D:cur/total/paused T:secs`. `None` if it is no status or doesn't add up.
pub(super) fn status(line: &str) -> Option<Status> {
    let rest = line.strip_prefix("ok")?;
    let field = rest.split_whitespace().find_map(|word| word.strip_prefix("D:"))?;
    let mut numbers = field.split('/').map(|number| number.parse::<u64>().ok());
    let (done, total, paused) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let adds_up = numbers.next().is_none() && done <= total && paused <= 1;
    adds_up.then_some(Status { done, total, paused: paused == 1 })
}

/// The answer to `M27`, from boards whose status lacks the progress: `SD printing byte 0/58349339`.
pub(super) fn position(line: &str) -> Option<Status> {
    if line.eq_ignore_ascii_case("not sd printing") {
        return Some(Status { done: 0, total: 0, paused: false });
    }
    let (done, total) = line.strip_prefix("SD printing byte ")?.split_once('/')?;
    let (done, total) = (done.trim().parse().ok()?, total.trim().parse().ok()?);
    (done <= total).then_some(Status { done, total, paused: false })
}

/// A plain `ok`, perhaps with a number, but none of the other answers.
pub(super) fn is_plain_ok(line: &str) -> bool {
    line == "ok"
        || line.strip_prefix("ok N").is_some_and(|n| n.trim_start_matches(':').parse::<u32>().is_ok())
}

/// `ok V4.2.20.3_LCDM`.
pub(super) fn version(line: &str) -> Option<&str> {
    line.strip_prefix("ok ").map(str::trim).filter(|text| text.starts_with('V') && text.len() <= 80)
}

/// `ok '/name'`; empty if none is selected.
pub(super) fn selected(line: &str) -> Option<String> {
    let name = line.strip_prefix("ok '")?.strip_suffix('\'')?;
    Some(name.trim_start_matches('/').to_owned())
}

/// `ok L:3128340`.
pub(super) fn length(line: &str) -> Option<u64> {
    line.strip_prefix("ok L:")?.trim().parse().ok()
}

/// `resend 32432`.
pub(super) fn resend(line: &str) -> Option<u32> {
    line.strip_prefix("resend ")?.trim().parse().ok()
}

/// `Error…` and the boards' own `//############Error!…`.
pub(super) fn error(line: &str) -> Option<&str> {
    let at = line.find("Error")?;
    let is_error = line.chars().take(at).all(|c| matches!(c, '/' | '#' | ' '));
    is_error.then(|| line.get(at..).unwrap_or_default())
}

/// The size of a file in a line of the list: `name size`.
pub(super) fn listed_size(line: &str, name: &str) -> Option<u64> {
    let (listed, size) = line.rsplit_once(' ')?;
    let listed = listed.trim().trim_start_matches('/');
    listed.eq_ignore_ascii_case(name).then(|| size.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn published_replies_are_read_and_foreign_ones_passed_over() {
        let line = "ok B:0/0 E1:0/0 E2:0/0 X:0.000 Y:0.000 Z:0.000 F:0/0 D:12/345/1 T:9";
        assert_eq!(status(line), Some(Status { done: 12, total: 345, paused: true }));
        assert_eq!(status("ok B:0/0 D:346/345/0 T:9"), None);
        assert_eq!(status("ok D:1/2"), None);
        assert!(!is_plain_ok(line) && is_plain_ok("ok") && is_plain_ok("ok N:0"));
        assert_eq!(version("ok V4.2.20.3_LCDM"), Some("V4.2.20.3_LCDM"));
        assert_eq!(selected("ok '/ring-1.goo'"), Some("ring-1.goo".into()));
        assert_eq!(length("ok L:3128340"), Some(3_128_340));
        assert_eq!(resend("resend 32432"), Some(32_432));
        assert_eq!(error("//############Error!cann't open file"), Some("Error!cann't open file"));
        assert_eq!(error("ok Error"), None);
        assert_eq!(listed_size("ring-1.goo 34343", "ring-1.goo"), Some(34_343));
        assert_eq!(listed_size("other-ring-1.goo 34343", "ring-1.goo"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "(ok|resend|Error)?\\PC{0,100}") {
            let _ = (status(&text), version(&text), selected(&text), length(&text), resend(&text), error(&text));
            let _ = (is_plain_ok(&text), listed_size(&text, "a"));
        }
    }
}
