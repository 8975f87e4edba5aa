//! Reads the paths of a Rust file: every `use` tree leaf by leaf, and every `a::b` in code.
//!
//! It knows comments, strings, characters and inline modules, and nothing of types.

/// A path in the text, `super` resolved to `crate` where it reaches another module.
pub(super) struct Use {
    /// `crate`, modules and names; or a package and names.
    pub(super) path: Vec<String>,
    /// Counted from 1.
    pub(super) line: usize,
    /// Inside `mod tests { }`.
    pub(super) in_tests: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Name(String),
    /// `::`
    Path,
    Mark(char),
}

#[derive(Debug, Clone)]
struct Token {
    kind: Kind,
    line: usize,
}

/// Every path of a file: of `use` trees one for each leaf, of code each as it stands.
pub(super) fn read(path: &str, text: &str) -> Vec<Use> {
    let tokens = tokens(text);
    let mut reader =
        Reader { tokens: &tokens, file: module_path(path), inline: Vec::new(), depth: 0, uses: Vec::new() };
    let mut at = 0;
    while at < tokens.len() {
        at = reader.step(at);
    }
    reader.uses
}

/// `src/api/v1/orders.rs` is `[api, v1, orders]`.
fn module_path(path: &str) -> Vec<String> {
    let inside = path.trim_start_matches("src/").trim_start_matches("compute/").trim_end_matches(".rs");
    let parts = inside.trim_end_matches("/mod").split('/').map(str::to_owned);
    parts.filter(|part| !["lib", "main", "mod"].contains(&part.as_str())).collect()
}

struct Reader<'a> {
    tokens: &'a [Token],
    file: Vec<String>,
    /// Modules opened inside the file, with the depth of their brace.
    inline: Vec<(String, usize)>,
    depth: usize,
    uses: Vec<Use>,
}

impl Reader<'_> {
    fn step(&mut self, at: usize) -> usize {
        match &self.tokens[at].kind {
            Kind::Mark('{') => self.depth += 1,
            Kind::Mark('}') => self.close(),
            Kind::Name(name) if name == "mod" => self.open_module(at),
            Kind::Name(name) if name == "use" => return self.tree(at + 1, &[]),
            Kind::Name(_) if self.starts_path(at) => return self.tree(at, &[]),
            Kind::Name(_) | Kind::Path | Kind::Mark(_) => {}
        }
        at + 1
    }

    fn open_module(&mut self, at: usize) {
        if let (Some(Kind::Name(name)), Some(Kind::Mark('{'))) = (self.kind(at + 1), self.kind(at + 2)) {
            self.inline.push((name.clone(), self.depth + 1));
        }
    }

    fn close(&mut self) {
        if self.inline.last().is_some_and(|(_, depth)| *depth == self.depth) {
            self.inline.pop();
        }
        self.depth = self.depth.saturating_sub(1);
    }

    fn starts_path(&self, at: usize) -> bool {
        self.kind(at + 1) == Some(&Kind::Path)
    }

    /// Reads a path or a `use` tree from `at` and returns where it ends.
    fn tree(&mut self, at: usize, prefix: &[String]) -> usize {
        let mut path = prefix.to_vec();
        let mut next = at;
        let line = self.tokens.get(at).map_or(0, |token| token.line);
        loop {
            match self.kind(next) {
                Some(Kind::Name(name)) if name != "as" => path.push(name.clone()),
                Some(Kind::Mark('{')) if self.is_after_path(next) || next == at => {
                    return self.group(next, &path);
                }
                Some(Kind::Path) if next == at => {}
                Some(_) | None => break,
            }
            let joined = self.kind(next) == Some(&Kind::Path) || self.kind(next + 1) == Some(&Kind::Path);
            next += 1;
            if !joined {
                break;
            }
            if self.kind(next) == Some(&Kind::Path) {
                next += 1;
            }
        }
        self.note(path, line);
        next.max(at + 1)
    }

    fn group(&mut self, open: usize, prefix: &[String]) -> usize {
        let mut at = open + 1;
        loop {
            match self.kind(at) {
                None => return at,
                Some(Kind::Mark('}')) => return at + 1,
                Some(Kind::Name(name)) if name == "as" => at += 2,
                Some(Kind::Name(_) | Kind::Path | Kind::Mark('{')) => at = self.tree(at, prefix),
                Some(Kind::Mark(_)) => at += 1,
            }
        }
    }

    fn note(&mut self, path: Vec<String>, line: usize) {
        let in_tests = self.inline.iter().any(|(name, _)| name == "tests");
        let path = self.absolute(path);
        self.uses.push(Use { path, line, in_tests });
    }

    /// Resolves `self` and `super` at the head against the module that the path stands in.
    fn absolute(&self, path: Vec<String>) -> Vec<String> {
        let is_relative = path.first().is_some_and(|first| first == "super" || first == "self");
        if !is_relative {
            return path;
        }
        let mut module: Vec<String> = self.file.clone();
        module.extend(self.inline.iter().map(|(name, _)| name.clone()));
        let heads = path.iter().take_while(|part| *part == "super" || *part == "self");
        let ups = heads.clone().filter(|part| *part == "super").count();
        module.truncate(module.len().saturating_sub(ups));
        let rest = path[heads.count()..].iter().cloned();
        ["crate".to_owned()].into_iter().chain(module).chain(rest).collect()
    }

    fn is_after_path(&self, at: usize) -> bool {
        at > 0 && self.kind(at - 1) == Some(&Kind::Path)
    }

    fn kind(&self, at: usize) -> Option<&Kind> {
        self.tokens.get(at).map(|token| &token.kind)
    }
}

/// Names, `::` and single marks, with comments, strings and characters left out.
fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < bytes.len() {
        let end = token_end(bytes, at);
        let piece = &text[at..end];
        let first = bytes[at];
        if first.is_ascii_alphabetic() || first == b'_' {
            if !is_string(bytes, at) {
                found.push(Token { kind: Kind::Name(piece.trim_start_matches("r#").to_owned()), line });
            }
        } else if piece == "::" {
            found.push(Token { kind: Kind::Path, line });
        } else if end == at + 1 && first.is_ascii_punctuation() {
            found.push(Token { kind: Kind::Mark(char::from(first)), line });
        }
        line += piece.bytes().filter(|byte| *byte == b'\n').count();
        at = end;
    }
    found
}

fn token_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let len = match rest {
        [b'/', b'/', ..] => rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => block_comment(rest),
        [b':', b':', ..] => 2,
        [b'"', ..] => quoted(rest),
        [b'\'', ..] => character(rest),
        [first, ..] if first.is_ascii_alphanumeric() || *first == b'_' => word_or_string(rest),
        [first, ..] if !first.is_ascii() => rest.iter().take_while(|byte| !byte.is_ascii()).count(),
        _ => 1,
    };
    at + len
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of a string with escapes, from its opening mark on.
fn quoted(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != b'"' {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// A character such as `'{'`, or the mark before a lifetime.
fn character(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        let end = rest.iter().skip(3).position(|byte| *byte == b'\'');
        return end.map_or(rest.len(), |end| end + 4);
    }
    let end = rest.iter().take(6).skip(2).position(|byte| *byte == b'\'');
    let one_character =
        |end: &usize| std::str::from_utf8(&rest[1..end + 2]).is_ok_and(|c| c.chars().count() == 1);
    end.filter(one_character).map_or(1, |end| end + 3)
}

/// A name or number, a raw name, or a string with a prefix (`b"`, `r#"`, `c"`).
fn word_or_string(rest: &[u8]) -> usize {
    let word = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    if !is_string(rest, 0) {
        let raw_name = &rest[..word] == b"r" && rest.get(1) == Some(&b'#');
        return if raw_name { 2 + word_or_string(&rest[2..]) } else { word };
    }
    if !rest[..word].contains(&b'r') {
        return word + quoted(&rest[word..]);
    }
    let hashes = rest[word..].iter().take_while(|byte| **byte == b'#').count();
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let body = word + hashes + 1;
    let end = rest[body..].windows(close.len()).position(|window| window == close);
    end.map_or(rest.len(), |end| body + end + close.len())
}

/// A prefix of a string stands here: `b"`, `r"`, `r#"`, `br"`, `c"`.
fn is_string(bytes: &[u8], at: usize) -> bool {
    let rest = &bytes[at..];
    let word = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    let hashes = rest[word..].iter().take_while(|byte| **byte == b'#').count();
    let is_prefix = [&b"b"[..], b"c", b"r", b"br", b"cr"].contains(&&rest[..word]);
    is_prefix && rest.get(word + hashes) == Some(&b'"') && (hashes == 0 || rest[..word].contains(&b'r'))
}
