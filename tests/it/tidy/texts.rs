//! Words that no file of the repository may hold: they would tie the product to one machine or one host.

/// What is looked for, in halves so that this file does not hold it either, and what to do.
const FORBIDDEN: [(&str, &str, &str); 8] = [
    ("/wo", "rk/", "a path of one machine; make it relative"),
    ("/ro", "ot/", "a path of one machine; make it relative"),
    ("crates", ".io", "a registry's host; the package name is enough"),
    ("py", "pi.org", "a registry's host; the package name is enough"),
    ("pythonhosted", ".org", "a registry's host; the package name is enough"),
    ("npm", "js.org", "a registry's host; the package name is enough"),
    ("npm", "js.com", "a registry's host; the package name is enough"),
    ("assis", "tant", "the repository speaks of the product alone"),
];

/// Lock files are written by tools and name where packages come from.
const WRITTEN_BY_TOOLS: [&str; 2] = ["Cargo.lock", "package-lock.json"];

/// Each forbidden word as `file:line: ...`.
pub(super) fn check(path: &str, text: &str) -> Vec<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    if WRITTEN_BY_TOOLS.contains(&name) {
        return Vec::new();
    }
    let mut problems = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.to_lowercase();
        for (head, tail, advice) in FORBIDDEN {
            let word = format!("{head}{tail}");
            if line.contains(&word) {
                problems.push(format!("{path}:{}: `{word}`: {advice}", index + 1));
            }
        }
    }
    problems
}

#[test]
fn a_planted_path_is_reported_with_file_and_line() {
    let text = format!("# fine\nsee /wo{}notes\n", "rk/");
    let problems = check("docs/a.md", &text);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].starts_with("docs/a.md:2: "), "{}", problems[0]);
    assert!(check("firmware/Cargo.lock", &text).is_empty());
}
