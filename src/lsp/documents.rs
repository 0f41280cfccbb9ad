//! The texts that the client has open.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use lsp_types::{TextDocumentContentChangeEvent, Uri};

use super::place;
use super::position::{self, Encoding};
use crate::load::discover::SIZE_LIMIT;
use crate::load::overlay;
use crate::source::{FileId, SourceFile};

/// An open text.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its name to the client.
    pub uri: Uri,
    /// Where it lies on disk or will lie, without links in the folders that exist; none for what was never saved.
    pub path: Option<PathBuf>,
    /// The client's count of changes.
    pub version: i32,
    /// The text, with an index of its lines.
    pub source: Arc<SourceFile>,
}

/// Every open text, by the name that the client gives it.
#[derive(Clone, Debug)]
pub struct Documents {
    open: BTreeMap<String, Document>,
    /// The bytes that one text may have, as a file may.
    limit: usize,
}

impl Default for Documents {
    fn default() -> Documents {
        Documents { open: BTreeMap::new(), limit: SIZE_LIMIT as usize }
    }
}

/// A text that is larger than a file may be: it counts as closed until the client opens it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = SIZE_LIMIT >> 20;
        write!(f, "the text is larger than {limit} MiB: it is not looked at until it is shorter and opened again")
    }
}

impl Documents {
    /// The client shows a text.
    ///
    /// # Errors
    /// When it is larger than a file may be.
    pub fn open(&mut self, uri: Uri, version: i32, text: String) -> Result<(), TooLarge> {
        if text.len() > self.limit {
            self.close(&uri);
            return Err(TooLarge);
        }
        let path = place::path(&uri).map(|path| overlay::place(&path));
        let source = source(&uri, text);
        self.open.insert(uri.as_str().to_string(), Document { uri, path, version, source });
        Ok(())
    }

    /// The client no longer shows a text; what counts then is on disk.
    pub fn close(&mut self, uri: &Uri) -> Option<Document> {
        self.open.remove(uri.as_str())
    }

    /// Changes in the order in which they were made, each against the text that the one before left.
    ///
    /// # Errors
    /// When the text becomes larger than a file may be.
    pub fn change(
        &mut self,
        uri: &Uri,
        version: i32,
        changes: Vec<TextDocumentContentChangeEvent>,
        encoding: Encoding,
    ) -> Result<(), TooLarge> {
        let Some(document) = self.open.get_mut(uri.as_str()) else { return Ok(()) };
        for change in changes {
            let text = match change.range {
                None => change.text,
                Some(range) => {
                    let start = position::offset(&document.source, range.start, encoding);
                    let end = position::offset(&document.source, range.end, encoding).max(start);
                    let old = document.source.text();
                    [&old[..start], &change.text, &old[end..]].concat()
                }
            };
            if text.len() > self.limit {
                self.close(uri);
                return Err(TooLarge);
            }
            document.source = source(uri, text);
        }
        document.version = version;
        Ok(())
    }

    /// An open text.
    pub fn get(&self, uri: &Uri) -> Option<&Document> {
        self.open.get(uri.as_str())
    }

    /// Every open text.
    pub fn iter(&self) -> impl Iterator<Item = &Document> {
        self.open.values()
    }
}

fn source(uri: &Uri, text: String) -> Arc<SourceFile> {
    Arc::new(SourceFile::new(FileId(0), uri.as_str(), text))
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use lsp_types::{Position, Range};
    use proptest::prelude::*;

    use super::*;

    fn change(range: Option<Range>, text: &str) -> TextDocumentContentChangeEvent {
        TextDocumentContentChangeEvent { range, range_length: None, text: text.into() }
    }

    #[test]
    fn changes_apply_one_after_the_other() {
        let uri = Uri::from_str("untitled:a").unwrap();
        let mut documents = Documents::default();
        documents.open(uri.clone(), 1, "a: 😀\nb: 2\n".into()).unwrap();
        let at = |l, a, b| Some(Range::new(Position::new(l, a), Position::new(l, b)));
        let changes = vec![change(at(0, 3, 5), "1"), change(at(0, 4, 4), "0"), change(at(1, 0, 1), "c")];
        documents.change(&uri, 2, changes, Encoding::Utf16).unwrap();
        let document = documents.get(&uri).unwrap();
        assert_eq!((document.source.text(), document.version), ("a: 10\nc: 2\n", 2));
        documents.change(&uri, 3, vec![change(None, "x")], Encoding::Utf16).unwrap();
        assert_eq!(documents.get(&uri).unwrap().source.text(), "x");
    }

    #[test]
    fn a_text_larger_than_a_file_may_be_is_refused_and_not_cut() {
        let uri = Uri::from_str("untitled:a").unwrap();
        let mut documents = Documents { limit: 4, ..Documents::default() };
        assert_eq!(documents.open(uri.clone(), 1, "a: 12".into()), Err(TooLarge));
        assert!(documents.get(&uri).is_none());
        documents.open(uri.clone(), 1, "a: 1".into()).unwrap();
        let end = Some(Range::new(Position::new(0, 4), Position::new(0, 4)));
        assert_eq!(documents.change(&uri, 2, vec![change(end, "2")], Encoding::Utf16), Err(TooLarge));
        assert!(documents.get(&uri).is_none(), "what counts is on disk");
    }

    proptest! {
        #[test]
        fn a_change_at_any_place_never_panics(
            text in "[a-z😀é\r\n]{0,40}", lines in (0u32..9, 0u32..9), columns in (0u32..40, 0u32..40), new in "[x\n]{0,3}",
        ) {
            let uri = Uri::from_str("untitled:a").unwrap();
            let mut documents = Documents::default();
            documents.open(uri.clone(), 1, text).unwrap();
            let range = Range::new(Position::new(lines.0, columns.0), Position::new(lines.1, columns.1));
            for encoding in [Encoding::Utf16, Encoding::Utf8] {
                documents.change(&uri, 2, vec![change(Some(range), &new)], encoding).unwrap();
            }
        }
    }
}
