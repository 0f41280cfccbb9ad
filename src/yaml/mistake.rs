//! The parser's errors in words for people, at the bytes to mend instead of those where reading stopped.

use std::ops::Range;

use granit_parser::ErrorKind;

/// Characters that may follow a backslash in double quotes.
const ESCAPES: &str = "0abt\tnvfre \"/\\N_LPxuU\n\r";

/// What is said of a quote that closes, and was hardly meant to where it does.
const RUN_ON: &str = "this quote is not closed on its line, and the next line is not indented deeper";

/// Longer lines are not repeated.
const SHOWN: usize = 60;

/// What is wrong, and where in the chunk.
pub(super) struct Mistake {
    pub(super) range: Range<usize>,
    pub(super) message: String,
}

/// What was read before the error.
pub(super) struct Before<'t> {
    /// The text of the document.
    pub(super) chunk: &'t str,
    /// The end of the last node that was read.
    pub(super) read: usize,
    /// The last scalar that was read.
    pub(super) last: Option<Leaf>,
    /// The innermost open bracket.
    pub(super) bracket: Option<usize>,
}

/// A scalar.
pub(super) struct Leaf {
    /// Its bytes in the chunk.
    pub(super) range: Range<usize>,
    /// Whether it is written without quotes.
    pub(super) is_plain: bool,
}

impl Before<'_> {
    /// Explains an error that the parser places at `at`.
    pub(super) fn explain(&self, kind: &ErrorKind, at: usize, words: &str) -> Mistake {
        use ErrorKind as K;
        if self.chunk.trim_start().starts_with('%') {
            // Kubernetes cuts files at `---` lines, and so do we.
            let line = self.line(self.chunk.len() - self.chunk.trim_start().len());
            return Mistake { range: line, message: "Kubernetes refuses directives: remove this line".into() };
        }
        let found = match kind {
            K::UnclosedQuotedScalar | K::InvalidQuotedScalarIndent | K::DocumentIndicatorInQuotedScalar => {
                let here = matches!(self.chunk.as_bytes().get(at), Some(b'"' | b'\'')).then_some(at);
                here.or_else(|| self.open_quote(at)).map(|quote| (quote..quote + 1, unclosed_quote(kind).to_string()))
            }
            K::TabInBlockIndentation
            | K::TabInIndentation
            | K::TabNotAllowed
            | K::TabAtBlockScalarStart
            | K::TabInPlainScalar
            | K::InvalidBlockEntryWhitespace
            | K::InvalidMappingValueWhitespace => {
                self.tab(at).map(|tab| (tab, "a tab stands here: YAML is indented with spaces".into()))
            }
            K::UnclosedFlowCollection { open } => Some((self.character(at), format!("this `{open}` is not closed"))),
            K::UnexpectedEofFlowSequence
            | K::UnexpectedEofFlowMapping
            | K::BlockEntryInFlowCollection
            | K::InvalidFlowScalarIndent => self.unclosed_bracket(),
            K::ExpectedFlowMappingSeparator
            | K::ExpectedFlowSequenceSeparator
            | K::InvalidColonPlacement
            | K::MappingValueNotAllowed
            | K::UnexpectedEofImplicitFlowMapping => self.in_brackets(at).or_else(|| self.missing_colon(at)),
            K::InvalidTrailingSingleQuotedScalar | K::InvalidTrailingDoubleQuotedScalar => {
                self.run_on_quote(at).map(|quote| (quote..quote + 1, RUN_ON.to_string()))
            }
            K::MismatchedFlowCollectionEnd { open, close } => {
                Some((self.character(at), format!("this `{open}` is closed by `{close}`")))
            }
            K::UnknownQuotedScalarEscape => self.escape(at),
            _ => None,
        };
        let (range, message) = found.unwrap_or_else(|| (self.word(at), self.plainly(kind, at, words)));
        Mistake { range, message }
    }

    /// The errors whose place is right as it is.
    fn plainly(&self, kind: &ErrorKind, at: usize, words: &str) -> String {
        use ErrorKind as K;
        match kind {
            K::UnexpectedCharacter { character: '`' } => "a value can't start with a backtick: put it in quotes".into(),
            K::UnexpectedCharacter { character } => {
                format!("a value can't start with `{character}`: put it in quotes")
            }
            K::MappingValueNotAllowed => {
                "`: ` starts a mapping, which can't stand here: quote the value if it is text".into()
            }
            K::MissingAnchorOrAliasName => {
                let sign = self.chunk.get(at..).and_then(|rest| rest.chars().next()).unwrap_or('&');
                format!("a value can't start with `{sign}`: put it in quotes")
            }
            K::ExpectedBlockMappingKey | K::InvalidIndentation => {
                "this line is indented like no line above it that it could belong to".into()
            }
            K::ExpectedBlockSequenceEntry => {
                "a list item that starts with `- ` was expected here: check the indentation".into()
            }
            K::BlockSequenceEntryNotAllowed => "a list can't start here: put it on lines of its own".into(),
            K::SimpleKeyExpected | K::InvalidSimpleKey => "this is no `key: value`: the `: ` is missing".into(),
            K::InvalidBlockScalarHeader => "the text of a block starts on the line after `|` or `>`".into(),
            K::InvalidBlockScalarIndent => "the blank lines before this text are indented deeper than it".into(),
            K::ZeroBlockScalarIndent => "a block can't be indented by 0".into(),
            K::CommentInterceptedScalar => "a comment stands inside text of several lines: quote the text".into(),
            K::CommentNotSeparated => {
                "a comment needs a blank before its `#`: quote the value if the `#` belongs to it".into()
            }
            K::InvalidTrailingSingleQuotedScalar => {
                "text follows the closing quote: inside `'…'` a quote is written `''`".into()
            }
            K::InvalidTrailingDoubleQuotedScalar => {
                "text follows the closing quote: inside `\"…\"` a quote is written `\\\"`".into()
            }
            K::MisplacedFlowCollectionEnd => "this bracket closes nothing".into(),
            K::RecursionLimitExceeded => "nested too deeply: real manifests stay far below this".into(),
            K::BomInsideDocument => "a byte order mark stands inside the document".into(),
            K::UnexpectedEof | K::UnexpectedEofBlockMapping | K::UnexpectedEofBlockSequence => {
                "the document ends in the middle of a value".into()
            }
            K::PlainScalarStartsWithDashFlowIndicator => {
                "a value can't start with `-` and a bracket: put it in quotes".into()
            }
            K::UndeclaredTagHandle | K::InvalidTagTerminator | K::ExpectedTagBang | K::InvalidGlobalTagCharacter => {
                "this tag is malformed: quote the value if the `!` belongs to it".into()
            }
            K::InvalidDocumentEnd => "text follows the `...` that ends the document".into(),
            _ => words.to_string(),
        }
    }

    /// The quote that the one in front of `at` closes, where that was hardly meant: it stands on a line above, and the line
    /// below it is not indented deeper.
    fn run_on_quote(&self, at: usize) -> Option<usize> {
        let bytes = self.chunk.as_bytes();
        let last = at.checked_sub(1)?;
        let quote = *bytes.get(last)?;
        let opens = |i: usize| bytes[i] == quote && closing_quote(bytes, i + 1, quote) == Some(last);
        let open = (self.read.min(last)..last).find(|&i| opens(i))?;
        let own = self.line(open);
        let next = self.line((own.end + 1).min(self.chunk.len()));
        (own.end < last && self.indent(&next) <= self.indent(&own)).then_some(open)
    }

    /// A line without its `:` is read on into the next, up to the `:` of that: `name a` and below it `labels:`.
    fn missing_colon(&self, at: usize) -> Option<(Range<usize>, String)> {
        let leaf = self.last.as_ref().filter(|leaf| leaf.is_plain && leaf.range.end == at)?;
        let line = self.line(leaf.range.start);
        let before = self.chunk.get(line.start..leaf.range.start)?;
        // A value behind its key is another mistake.
        if line.end >= at || !before.bytes().all(|b| matches!(b, b' ' | b'-')) {
            return None;
        }
        let text = self.chunk.get(leaf.range.start..line.end)?.trim_end();
        let (key, value) = text.split_once(' ').unwrap_or((text, ""));
        let right = if value.is_empty() { format!("{key}:") } else { format!("{key}: {}", value.trim_start()) };
        let shown = if right.len() <= SHOWN {
            format!("a `:` is missing: write `{right}`")
        } else {
            "a `:` is missing in this line".into()
        };
        Some((leaf.range.start..leaf.range.start + text.len(), shown))
    }

    /// What Kubernetes' reader passes over where the parser stops: tabs that indent lines in brackets, and a comment without
    /// a blank in front of it behind a quote or a bracket.
    pub(super) fn passes(&self, kind: &ErrorKind, at: usize) -> Vec<Range<usize>> {
        use ErrorKind as K;
        let bytes = self.chunk.as_bytes();
        match kind {
            K::CommentNotSeparated => {
                let behind = at.checked_sub(1).and_then(|i| bytes.get(i));
                let closed = matches!(behind, Some(b'"' | b'\'' | b']' | b'}'));
                let is_comment = closed && bytes.get(at) == Some(&b'#');
                is_comment.then(|| at..self.line(at).end).into_iter().collect()
            }
            K::TabInBlockIndentation | K::TabInIndentation | K::TabNotAllowed => {
                self.bracket.map(|bracket| self.tabs_in_brackets(bracket, at)).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    /// The tabs in front of lines from that of `at` to the one on which a bracket closes.
    fn tabs_in_brackets(&self, bracket: usize, at: usize) -> Vec<Range<usize>> {
        let bytes = self.chunk.as_bytes();
        let end = closing_bracket(bytes, bracket).unwrap_or(bytes.len());
        let mut found = Vec::new();
        let mut start = self.line(at).start;
        while start < end {
            let blanks = bytes[start..end].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
            let tabs = (start..start + blanks).filter(|&i| bytes[i] == b'\t');
            found.extend(tabs.map(|i| i..i + 1));
            start = self.line(start).end + 1;
        }
        found
    }

    fn unclosed_bracket(&self) -> Option<(Range<usize>, String)> {
        let range = self.character(self.bracket?);
        let bracket = self.chunk.get(range.clone())?;
        Some((range, format!("this `{bracket}` is not closed")))
    }

    /// What follows an item in brackets is wrong: on a line that is not indented deeper than the bracket's, the bracket
    /// was meant to end before; else a comma is missing.
    fn in_brackets(&self, at: usize) -> Option<(Range<usize>, String)> {
        let bracket = self.bracket?;
        let (own, line) = (self.line(bracket), self.line(at));
        if line.start > own.start && self.indent(&line) <= self.indent(&own) {
            return self.unclosed_bracket();
        }
        let closing = if self.chunk.get(bracket..)?.starts_with('[') { ']' } else { '}' };
        let start = if line.start > own.start { line.start + self.indent(&line) } else { at };
        let message = match self.chunk.get(start..) {
            Some(rest) if rest.starts_with(',') => "no value stands before this `,`".to_string(),
            _ => format!("a `,` or `{closing}` was expected before this"),
        };
        let range = if start < self.chunk.len() { self.word(start) } else { return self.unclosed_bracket() };
        Some((range, message))
    }

    /// The first quote after what was read that does not close before `at`.
    fn open_quote(&self, at: usize) -> Option<usize> {
        let bytes = self.chunk.as_bytes();
        let mut i = self.read.min(at);
        let mut start = true;
        while i < at.min(bytes.len()) {
            match bytes[i] {
                b'#' if i == 0 || bytes[i - 1].is_ascii_whitespace() => i = self.line(i).end,
                quote @ (b'"' | b'\'') if start => {
                    let Some(end) = closing_quote(bytes, i + 1, quote).filter(|&end| end < at) else { return Some(i) };
                    i = end;
                    start = false;
                }
                b => start = b.is_ascii_whitespace() || matches!(b, b',' | b'[' | b'{' | b':' | b'?' | b'-'),
            }
            i += 1;
        }
        None
    }

    /// The first escape in the double quotes at `at` that YAML does not know.
    fn escape(&self, at: usize) -> Option<(Range<usize>, String)> {
        let mut characters = self.chunk.get(at..)?.char_indices().skip(1);
        while let Some((i, c)) = characters.next() {
            if c == '\\' {
                let (_, escaped) = characters.next()?;
                if !ESCAPES.contains(escaped) {
                    let range = at + i..at + i + 1 + escaped.len_utf8();
                    return Some((
                        range,
                        format!("`\\{escaped}` is no escape: write `\\\\{escaped}`, or use single quotes"),
                    ));
                }
            } else if c == '"' {
                break;
            }
        }
        None
    }

    /// The tabs at the place, else those before the first word of its line or of the next.
    fn tab(&self, at: usize) -> Option<Range<usize>> {
        let line = self.line(at);
        let rest = self.chunk.get(at..)?;
        let here = rest.starts_with('\t').then_some(at);
        let before = || self.chunk.get(line.start..at).and_then(|t| t.find('\t')).map(|i| line.start + i);
        let start = here.or_else(before).or_else(|| rest.find('\t').map(|i| at + i))?;
        let len = self.chunk[start..].bytes().take_while(|&b| b == b'\t').count();
        Some(start..start + len)
    }

    fn line(&self, at: usize) -> Range<usize> {
        let at = at.min(self.chunk.len());
        let bytes = self.chunk.as_bytes();
        let is_break = |&b: &u8| b == b'\n' || b == b'\r';
        let start = bytes[..at].iter().rposition(is_break).map_or(0, |i| i + 1);
        let end = bytes[at..].iter().position(is_break).map_or(bytes.len(), |i| at + i);
        start..end
    }

    fn indent(&self, line: &Range<usize>) -> usize {
        self.chunk.as_bytes()[line.clone()].iter().take_while(|&&b| b == b' ').count()
    }

    /// The character at a place; empty at the end.
    fn character(&self, at: usize) -> Range<usize> {
        let len = self.chunk.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        at..at + len
    }

    /// The word at a place, on its line; a single character where a blank stands there.
    fn word(&self, at: usize) -> Range<usize> {
        let end = self.line(at).end;
        let len = self.chunk.get(at..end).map_or(0, |rest| rest.find(char::is_whitespace).unwrap_or(rest.len()));
        if len > 0 { at..at + len } else { at..at }
    }
}

fn unclosed_quote(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidQuotedScalarIndent => RUN_ON,
        _ => "this quote is not closed",
    }
}

/// Where a bracket closes, quotes and comments passed over.
fn closing_bracket(bytes: &[u8], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut i = open;
    while i < bytes.len() {
        match bytes[i] {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(i);
                }
            }
            b'#' if i > 0 && bytes[i - 1].is_ascii_whitespace() => {
                i += bytes[i..].iter().take_while(|b| !matches!(b, b'\n' | b'\r')).count();
            }
            quote @ (b'"' | b'\'') if bytes[i - 1].is_ascii_whitespace() || b"[{,:".contains(&bytes[i - 1]) => {
                i = closing_quote(bytes, i + 1, quote)?;
            }
            _ => {}
        }
        i += 1;
    }
    None
}

/// Where quotes that were opened before `from` close.
fn closing_quote(bytes: &[u8], from: usize, quote: u8) -> Option<usize> {
    let mut i = from;
    while i < bytes.len() {
        match bytes[i] {
            b'\\' if quote == b'"' => i += 1,
            b'\'' if quote == b'\'' && bytes.get(i + 1) == Some(&b'\'') => i += 1,
            b if b == quote => return Some(i),
            _ => {}
        }
        i += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::source::{FileId, SourceFile};
    use crate::yaml;

    /// The text under the caret, its line from 1, and the message.
    #[track_caller]
    fn mistake(text: &str) -> (String, usize, String) {
        let source = Arc::new(SourceFile::new(FileId(0), "a.yaml", text));
        let stream = yaml::parse(&source);
        let error = stream.documents.iter().find_map(|d| d.content.as_ref().err()).expect("a broken document");
        (source.slice(error.span).into(), source.line_column(error.span.start).line, error.message.clone())
    }

    #[test]
    fn what_is_not_closed_is_shown_where_it_opens() {
        for (text, open, line) in [
            ("a:\n  name: \"model\nb: 1\n", "\"", 2),
            ("a: 'x\nb: it's\nc: 1\n", "'", 1),
            ("a: 'it''s' # '\nb: \"\n", "\"", 2),
            ("a: [1, 2\nb: 3\n", "[", 1),
            ("a: {x: 1\nb: 3\n", "{", 1),
            ("a:\n  - [1,\n    2\n", "[", 2),
            ("{\"a\": {\"b\": 1}", "{", 1),
        ] {
            let (under, at, message) = mistake(text);
            assert_eq!((under.as_str(), at), (open, line), "{text:?}: {message}");
            assert!(message.contains("not closed"), "{text:?}: {message}");
        }
    }

    #[test]
    fn a_missing_comma_is_told_from_a_missing_bracket() {
        let (under, line, message) = mistake("{\n  \"a\": 1\n  \"b\": 2\n}\n");
        assert_eq!((under.as_str(), line), ("\"b\":", 3), "{message}");
        assert!(message.contains("`,` or `}`"), "{message}");
    }

    #[test]
    fn tabs_are_underlined() {
        for text in ["a:\n\tb: 1\n", "a:\n  b: 1\n\tc: 2\n"] {
            let (under, _, message) = mistake(text);
            assert_eq!(under, "\t", "{message}");
            assert!(message.contains("tab"), "{message}");
        }
    }

    #[test]
    fn signs_that_need_quotes_say_so() {
        for (text, under) in [("a: @x\n", "@x"), ("a: `x`\n", "`x`"), ("a: & b\n", "&"), ("a: *.yaml\n", "*.yaml")] {
            let (found, _, message) = mistake(text);
            assert_eq!(found, under, "{message}");
            assert!(message.contains("quotes"), "{message}");
        }
    }

    proptest::proptest! {
        /// Whatever is wrong, the place is text of the file.
        #[test]
        fn every_place_lies_in_the_text(text in "[-a:'\"\\[\\]{},#&*!|>%@`\\\\ \t\n\r\u{e9}?.]{0,40}") {
            let source = Arc::new(SourceFile::new(FileId(0), "a.yaml", text.clone()));
            for document in yaml::parse(&source).documents {
                if let Err(error) = document.content {
                    let (start, end) = (error.span.start as usize, error.span.end as usize);
                    proptest::prop_assert!(start <= end && text.get(start..end).is_some(), "{:?}", error);
                    proptest::prop_assert!(!error.message.is_empty());
                }
            }
        }
    }

    #[test]
    fn directives_are_refused() {
        assert_eq!(mistake("%YAML 1.2\n---\na: 1\n").0, "%YAML 1.2");
    }

    #[test]
    fn a_bad_escape_is_underlined_in_its_quotes() {
        assert_eq!(mistake("a: \"x \\d\"\n").0, "\\d");
    }
}
