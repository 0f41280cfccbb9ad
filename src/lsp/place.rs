//! Files as the protocol names them: `file:` URIs to paths and back.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use lsp_types::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What stands for itself in the path of a URI (RFC 3986, `unreserved` and `/`).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The path of a `file:` URI; none for other schemes (`untitled:`, `git:`), whose texts are on no disk.
pub fn path(uri: &Uri) -> Option<PathBuf> {
    let rest = uri.as_str().strip_prefix("file://")?;
    // What stands before the path is a host, which is this one.
    let path = &rest[rest.find('/')?..];
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let decoded = percent_decode_str(path).decode_utf8().ok()?;
    // `/c:/folder` is a path of Windows.
    let bytes = decoded.as_bytes();
    let drive = bytes.len() > 2 && bytes[1].is_ascii_alphabetic() && bytes[2] == b':';
    Some(PathBuf::from(if drive { &decoded[1..] } else { &decoded }))
}

/// The URI of an absolute path; none where the path is no text.
pub fn uri(path: &Path) -> Option<Uri> {
    let text = path.to_str()?.replace('\\', "/");
    let slash = if text.starts_with('/') { "" } else { "/" };
    Uri::from_str(&format!("file://{slash}{}", utf8_percent_encode(&text, ESCAPED))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_survives_the_way_there_and_back() {
        for text in ["/a/b.yaml", "/with space/é#1?.yaml", "/100%/x:y.yaml"] {
            assert_eq!(path(&uri(Path::new(text)).unwrap()).unwrap(), Path::new(text));
        }
    }

    #[test]
    fn what_is_on_no_disk_has_no_path() {
        for text in ["untitled:Untitled-1", "git:/a/b.yaml?ref"] {
            assert!(path(&Uri::from_str(text).unwrap()).is_none(), "{text}");
        }
        assert_eq!(path(&Uri::from_str("file:///c%3A/x.yaml").unwrap()).unwrap(), Path::new("c:/x.yaml"));
    }
}
