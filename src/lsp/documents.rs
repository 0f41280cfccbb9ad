//! The texts that the client has open.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use lsp_types::{TextDocumentContentChangeEvent, Uri};

use super::place;
use super::position::{self, Encoding};
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
#[derive(Clone, Debug, Default)]
pub struct Documents {
    open: BTreeMap<String, Document>,
}

impl Documents {
    /// The client shows a text.
    pub fn open(&mut self, uri: Uri, version: i32, text: String) {
        let path = place::path(&uri).map(|path| overlay::place(&path));
        let source = source(&uri, text);
        self.open.insert(uri.as_str().to_string(), Document { uri, path, version, source });
    }

    /// The client no longer shows a text; what counts then is on disk.
    pub fn close(&mut self, uri: &Uri) -> Option<Document> {
        self.open.remove(uri.as_str())
    }

    /// Changes in the order in which they were made, each against the text that the one before left.
    pub fn change(
        &mut self,
        uri: &Uri,
        version: i32,
        changes: Vec<TextDocumentContentChangeEvent>,
        encoding: Encoding,
    ) {
        let Some(document) = self.open.get_mut(uri.as_str()) else { return };
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
            document.source = source(uri, text);
        }
        document.version = version;
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
        documents.open(uri.clone(), 1, "a: 😀\nb: 2\n".into());
        let at = |l, a, b| Some(Range::new(Position::new(l, a), Position::new(l, b)));
        let changes = vec![change(at(0, 3, 5), "1"), change(at(0, 4, 4), "0"), change(at(1, 0, 1), "c")];
        documents.change(&uri, 2, changes, Encoding::Utf16);
        let document = documents.get(&uri).unwrap();
        assert_eq!((document.source.text(), document.version), ("a: 10\nc: 2\n", 2));
        documents.change(&uri, 3, vec![change(None, "x")], Encoding::Utf16);
        assert_eq!(documents.get(&uri).unwrap().source.text(), "x");
    }

    proptest! {
        #[test]
        fn a_change_at_any_place_never_panics(
            text in "[a-z😀é\r\n]{0,40}", lines in (0u32..9, 0u32..9), columns in (0u32..40, 0u32..40), new in "[x\n]{0,3}",
        ) {
            let uri = Uri::from_str("untitled:a").unwrap();
            let mut documents = Documents::default();
            documents.open(uri.clone(), 1, text);
            let range = Range::new(Position::new(lines.0, columns.0), Position::new(lines.1, columns.1));
            for encoding in [Encoding::Utf16, Encoding::Utf8] {
                documents.change(&uri, 2, vec![change(Some(range), &new)], encoding);
            }
        }
    }
}
