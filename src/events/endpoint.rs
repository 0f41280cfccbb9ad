//! ZMQ endpoints: transport, host and port, with the bytes of each.

use std::ops::Range;

use crate::display::excerpt;
use crate::facts::vllm::events;

/// An endpoint, taken apart. Ranges count in the endpoint's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The whole text.
    pub text: String,
    /// `tcp`, `ipc`, `inproc`.
    pub transport: String,
    /// The host of a TCP endpoint, brackets of IPv6 included; the path of others.
    pub host: String,
    /// The host's bytes.
    pub host_range: Range<usize>,
    /// The port of a TCP endpoint.
    pub port: Option<u16>,
    /// The port's bytes.
    pub port_range: Range<usize>,
}

/// Why a text is no endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong, to follow "the endpoint ".
    pub reason: String,
    /// The bytes at fault.
    pub range: Range<usize>,
}

impl Endpoint {
    /// Takes an endpoint apart.
    ///
    /// # Errors
    /// What ZMQ would refuse: no known transport, no host, no port or one out of range.
    pub fn parse(text: &str) -> Result<Endpoint, Malformed> {
        let bad = |reason: &str, range: Range<usize>| Err(Malformed { reason: reason.to_string(), range });
        let Some((transport, address)) = text.split_once("://") else {
            return bad("has no transport such as `tcp://`", 0..text.len());
        };
        let at = transport.len() + 3;
        if !events::table().endpoint.transports.iter().any(|t| t == transport) {
            return bad(
                &format!("has the transport `{}`, which ZMQ does not know", excerpt(transport)),
                0..transport.len(),
            );
        }
        let mut endpoint = Endpoint {
            text: text.to_string(),
            transport: transport.to_string(),
            host: address.to_string(),
            host_range: at..text.len(),
            port: None,
            port_range: text.len()..text.len(),
        };
        if transport != "tcp" {
            return if address.is_empty() { bad("names nothing behind `://`", 0..text.len()) } else { Ok(endpoint) };
        }
        let Some((host, port)) = address.rsplit_once(':').filter(|(_, port)| !port.contains(']')) else {
            return bad("has no port", 0..text.len());
        };
        let port_range = text.len() - port.len()..text.len();
        if host.is_empty() {
            return bad("has no host; `*` listens on every address", 0..text.len());
        }
        if let Some(start) = host.find(['$', ' ']) {
            let range = at + start..at + host.len();
            let part = &host[start..];
            return bad(&format!("has `{}` where a host belongs, and nothing expands it", excerpt(part)), range);
        }
        match port.parse::<u16>() {
            // ZMQ's `*` port is a random one, as 0 is.
            _ if port == "*" => endpoint.port = Some(0),
            Ok(number) => endpoint.port = Some(number),
            Err(_) if port.is_empty() => return bad("has no port", 0..text.len()),
            Err(_) => return bad(&format!("has `{}` where a port number belongs", excerpt(port)), port_range),
        }
        endpoint.host = host.to_string();
        endpoint.host_range = at..at + host.len();
        endpoint.port_range = port_range;
        Ok(endpoint)
    }

    /// Whether it is reached over a network; such an endpoint has a port.
    pub fn is_tcp(&self) -> bool {
        self.port.is_some()
    }

    /// Whether vLLM listens there; it connects otherwise.
    pub fn binds(&self) -> bool {
        events::binds(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_taken_apart() {
        let e = Endpoint::parse("tcp://*:5557").unwrap();
        assert_eq!((e.host.as_str(), e.port, &e.text[e.port_range.clone()]), ("*", Some(5557), "5557"));
        assert_eq!(Endpoint::parse("tcp://[::]:5557").unwrap().host, "[::]");
        assert_eq!(Endpoint::parse("ipc:///tmp/kv").unwrap().port, None);
        assert_eq!(Endpoint::parse("tcp://*:*").unwrap().port, Some(0));
    }

    #[test]
    fn what_zmq_refuses_is_refused_at_its_bytes() {
        for (text, bytes) in [
            ("tcp://*", "tcp://*"),
            ("http://x:1", "http"),
            ("", ""),
            ("tcp://*:70000", "70000"),
            ("tcp://:5557", "tcp://:5557"),
            ("*:5557", "*:5557"),
            ("tcp://[::]", "tcp://[::]"),
            ("tcp://$(POD_IP):5557", "$(POD_IP)"),
        ] {
            let error = Endpoint::parse(text).unwrap_err();
            assert_eq!(&text[error.range], bytes, "{}", error.reason);
        }
    }
}
