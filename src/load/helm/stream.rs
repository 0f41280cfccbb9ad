//! What `helm template` prints, taken apart: each part says in `# Source:` which file of which chart it was made from.

use std::ops::Range;

/// A part of rendered text that was made from one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The file, as helm names it: `<chart>/templates/x.yaml`, `<chart>/charts/<sub>/templates/x.yaml`.
    pub source: String,
    /// The bytes after the `# Source:` line, up to the next part.
    pub body: Range<usize>,
    /// The line, from 0, that the body starts in.
    pub first_line: usize,
}

/// The line that names the file.
const SOURCE: &str = "# Source: ";

/// Takes rendered text apart. Text before the first `# Source:` belongs to no file; a document that is not the first of its
/// file's (`--debug`, or several documents written to one file) stays in the section above it.
pub fn sections(text: &str) -> Vec<Section> {
    let mut found: Vec<Section> = Vec::new();
    let mut after_marker = true;
    let mut marker = 0;
    let mut at = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let content = line.trim_end_matches(['\n', '\r']);
        if content.starts_with("---") {
            after_marker = content.trim_end() == "---";
            marker = at;
        } else if after_marker && let Some(source) = content.strip_prefix(SOURCE) {
            if let Some(last) = found.last_mut() {
                last.body.end = marker.max(last.body.start);
            }
            let body = at + line.len()..text.len();
            found.push(Section { source: source.trim().to_string(), body, first_line: number + 1 });
            after_marker = false;
        } else {
            after_marker = after_marker && content.trim().is_empty();
        }
        at += line.len();
    }
    found
}

/// The index of the section that holds a byte.
pub fn section_at(sections: &[Section], offset: usize) -> Option<usize> {
    let index = sections.partition_point(|s| s.body.start <= offset).checked_sub(1)?;
    // The end of a section is where its last line ends: a finding about what is missing may stand there.
    sections.get(index).filter(|s| offset <= s.body.end).map(|_| index)
}

/// Whether a renderer wrote the text.
pub fn is_rendered(text: &str) -> bool {
    text.lines().take(50).any(|line| line.starts_with(SOURCE))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "---\n# Source: a/crds/x.yaml\nkind: X\n---\n# Source: a/charts/b/templates/y.yaml\n# Source: none\nkind: Y\n---\n\
                        kind: Z\n---\n# Source: a/templates/z.yaml\n";

    #[test]
    fn each_part_knows_its_file_and_its_bytes() {
        let found = sections(TEXT);
        let parts: Vec<_> = found.iter().map(|s| (s.source.as_str(), &TEXT[s.body.clone()], s.first_line)).collect();
        assert_eq!(
            parts,
            [
                ("a/crds/x.yaml", "kind: X\n", 2),
                ("a/charts/b/templates/y.yaml", "# Source: none\nkind: Y\n---\nkind: Z\n", 5),
                ("a/templates/z.yaml", "", 11),
            ]
        );
        assert_eq!(section_at(&found, TEXT.find("kind: Y").unwrap()), Some(1));
        assert_eq!(section_at(&found, 0), None);
        assert!(is_rendered(TEXT) && !is_rendered("kind: X\n"));
    }

    proptest::proptest! {
        /// Sections lie in the text, in order, and do not overlap.
        #[test]
        fn sections_do_not_overlap(text in "(---|# Source: [a/.]{0,5}|\n|kind: X| |\u{e9}){0,30}") {
            let found = sections(&text);
            for pair in found.windows(2) {
                proptest::prop_assert!(pair[0].body.end <= pair[1].body.start);
            }
            for section in &found {
                proptest::prop_assert!(text.get(section.body.clone()).is_some());
                proptest::prop_assert_eq!(text[..section.body.start].matches('\n').count().max(section.first_line), section.first_line);
            }
        }
    }
}
