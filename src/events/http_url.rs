//! HTTP URLs in settings: scheme, host and port, with the bytes of each.

use std::ops::Range;

/// A URL, taken apart as far as kvlint looks at it. Ranges count in the URL's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUrl {
    /// The host, without the brackets of IPv6.
    pub host: String,
    /// The host's bytes.
    pub host_range: Range<usize>,
    /// The port as written, else the scheme's own.
    pub port: u16,
    /// The port's bytes; the host's where none is written.
    pub port_range: Range<usize>,
}

/// Why a text is no URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadUrl {
    /// What is wrong, to follow "the endpoint ".
    pub reason: String,
    /// The bytes at fault.
    pub range: Range<usize>,
}

impl HttpUrl {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// No scheme, another scheme than HTTP's, no host, a port that is no port, or white space.
    pub fn parse(text: &str) -> Result<HttpUrl, BadUrl> {
        let bad = |reason: &str, range: Range<usize>| Err(BadUrl { reason: reason.to_string(), range });
        if let Some((at, c)) = text.char_indices().find(|(_, c)| c.is_whitespace() || c.is_control()) {
            return bad("has white space in it", at..at + c.len_utf8());
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return bad("has no scheme; it starts with `http://` or `https://`", 0..text.len());
        };
        let default = match scheme.to_ascii_lowercase().as_str() {
            "http" => 80,
            "https" => 443,
            _ => return bad(&format!("has the scheme `{scheme}`, which is not HTTP"), 0..scheme.len()),
        };
        let start = scheme.len() + 3;
        let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
        let at = authority.rfind('@').map_or(0, |i| i + 1);
        let (start, authority) = (start + at, &authority[at..]);
        let (host, port) = match authority.rsplit_once(':').filter(|(_, port)| !port.contains(']')) {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        let host_range = start..start + host.len();
        if host.is_empty() {
            return bad("has no host", 0..text.len());
        }
        let (port, port_range) = match port {
            None => (default, host_range.clone()),
            Some(port) => {
                let range = host_range.end + 1..host_range.end + 1 + port.len();
                match port.parse::<u16>() {
                    Ok(number) if number > 0 => (number, range),
                    _ if port.is_empty() => return bad("ends in `:` without a port", host_range.start..range.end),
                    _ => return bad(&format!("has `{port}` where a port number belongs"), range),
                }
            }
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_string();
        Ok(HttpUrl { host: bare, host_range, port, port_range })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let text = "http://my-model.default:8000/v1";
        let url = HttpUrl::parse(text).unwrap();
        assert_eq!((url.host.as_str(), url.port), ("my-model.default", 8000));
        assert_eq!((&text[url.host_range], &text[url.port_range]), ("my-model.default", "8000"));
        let url = HttpUrl::parse("https://[::1]/").unwrap();
        assert_eq!((url.host.as_str(), url.port), ("::1", 443));
        assert_eq!(HttpUrl::parse("http://u:p@host:81?x=@").unwrap().host, "host");
    }

    #[test]
    fn what_is_no_url_is_refused_at_its_bytes() {
        for (text, bytes) in [
            ("my-model:8000", "my-model:8000"),
            ("tcp://x:1", "tcp"),
            ("http://x:port", "port"),
            ("http://x:70000", "70000"),
            ("http://x:", "x:"),
            ("http://:8000", "http://:8000"),
            ("http://a b", " "),
            ("http://é:é", "é"),
            ("", ""),
        ] {
            let error = HttpUrl::parse(text).unwrap_err();
            assert_eq!(&text[error.range], bytes, "{}", error.reason);
        }
    }
}
