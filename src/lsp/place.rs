//! Files as the protocol names them: `file:` URIs to paths and back.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use lsp_types::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

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

/// What a URI may hold beside letters and digits (RFC 3986), but for the brackets around an address, which no file has.
const LEGAL: &[u8] = b"-._~:/?#@!$&'()*+,;=";

/// A URI in which all that none may hold is escaped. Some clients write a path's brackets, blanks and letters as they are.
fn escaped(uri: &str) -> String {
    let bytes = uri.as_bytes();
    let mut text = String::with_capacity(uri.len());
    for (i, byte) in bytes.iter().enumerate() {
        let escape =
            *byte == b'%' && bytes.get(i + 1..i + 3).is_some_and(|code| code.iter().all(u8::is_ascii_hexdigit));
        if escape || byte.is_ascii_alphanumeric() || LEGAL.contains(byte) {
            text.push(char::from(*byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// Escapes every URI of a message: what stands under a key that ends so.
pub fn escape_all(message: &mut Value) {
    match message {
        Value::Object(entries) => entries.iter_mut().for_each(|(key, value)| match value {
            Value::String(uri) if key.ends_with("uri") || key.ends_with("Uri") => *uri = escaped(uri),
            value => escape_all(value),
        }),
        Value::Array(items) => items.iter_mut().for_each(escape_all),
        _ => {}
    }
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
    fn what_a_client_did_not_escape_is_escaped() {
        for (uri, way) in [
            ("file:///a/[id]/b c.yaml", "/a/[id]/b c.yaml"),
            ("file:///a/%5Bid%5D/é.yaml", "/a/[id]/é.yaml"),
            ("file:///100%/{x}.yaml", "/100%/{x}.yaml"),
        ] {
            let mut message = serde_json::json!({"items": [{"targetUri": uri, "text": uri}]});
            escape_all(&mut message);
            let item = &message["items"][0];
            assert_eq!(path(&Uri::from_str(item["targetUri"].as_str().unwrap()).unwrap()).unwrap(), Path::new(way));
            assert_eq!(item["text"], uri, "no URI by its key");
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
