//! Messages on the wire: a header that tells the length, and JSON. What is no message is answered and left behind; a header that
//! can't be read ends the session, because nobody knows where the next one begins.

use std::io::{self, BufRead, Read, Write};

use crossbeam_channel::{Receiver, Sender};
use lsp_server::{ErrorCode, Message, Notification, RequestId, Response, ResponseError};
use lsp_types::notification::{self, Notification as _};
use serde_json::{Value, json};

use super::place;

/// Longer messages, in bytes, are not read: no editor opens such a text.
const LIMIT: u64 = 256 << 20;

/// Longer lines, in bytes, are no header's.
const HEADER_LIMIT: u64 = 8 << 10;

/// What came from the client.
#[derive(Debug)]
pub enum Incoming {
    /// A message.
    Message(Message),
    /// Something else, and what is answered to it.
    Nonsense(Outgoing),
}

/// What goes to the client.
#[derive(Debug)]
pub enum Outgoing {
    /// A message.
    Message(Message),
    /// The answer to what has no number that could be read.
    Refusal(ResponseError),
}

/// The next message; nothing at the end of the stream.
///
/// # Errors
/// When the stream can't be read, or the header.
fn read(input: &mut dyn BufRead) -> io::Result<Option<Incoming>> {
    let bad = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    let mut length: Option<u64> = None;
    loop {
        let mut line = Vec::new();
        let read = Read::take(&mut *input, HEADER_LIMIT).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.strip_suffix('\n').ok_or_else(|| bad("a header without an end".into()))?.trim();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| bad(format!("{line:?} is no header")))?;
        if name.trim().eq_ignore_ascii_case("Content-Length") {
            length = Some(value.trim().parse().map_err(|_| bad(format!("{line:?} tells no length")))?);
        }
    }
    let length = length.ok_or_else(|| bad("a header without Content-Length".into()))?;
    let mut body = Read::take(input, length);
    if length > LIMIT {
        let whole = io::copy(&mut body, &mut io::sink())? == length;
        let reason = format!("a message of {length} bytes is longer than {} MiB", LIMIT >> 20);
        return Ok(whole.then(|| Incoming::Nonsense(refusal(ErrorCode::InvalidRequest, reason))));
    }
    // Room is made as the bytes come: the length may be a lie.
    let mut bytes = Vec::new();
    if body.read_to_end(&mut bytes)? as u64 != length {
        return Ok(None);
    }
    Ok(Some(message(&bytes)))
}

fn message(bytes: &[u8]) -> Incoming {
    let mut value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(e) => return Incoming::Nonsense(refusal(ErrorCode::ParseError, format!("this is no JSON: {e}"))),
    };
    if let Some(params) = value.get_mut("params") {
        place::escape_all(params);
    }
    let id = value.get("id").and_then(|id| serde_json::from_value::<RequestId>(id.clone()).ok());
    match serde_json::from_value(value) {
        Ok(message) => Incoming::Message(message),
        Err(_) => {
            let reason = "this is no request, answer or notification".to_string();
            let code = ErrorCode::InvalidRequest;
            Incoming::Nonsense(match id {
                Some(id) => Outgoing::Message(Response::new_err(id, code as i32, reason).into()),
                None => refusal(code, reason),
            })
        }
    }
}

fn refusal(code: ErrorCode, message: String) -> Outgoing {
    Outgoing::Refusal(ResponseError { code: code as i32, message, data: None })
}

/// Whether a message is the client's last.
pub fn is_exit(message: &Message) -> bool {
    matches!(message, Message::Notification(Notification { method, .. }) if method == notification::Exit::METHOD)
}

/// Reads up to the client's last message, or to the end of the stream.
pub fn read_all(input: &mut dyn BufRead, heard: &Sender<io::Result<Incoming>>) {
    while let Some(read) = read(input).transpose() {
        let last = match &read {
            Ok(Incoming::Message(message)) => is_exit(message),
            Ok(Incoming::Nonsense(_)) => false,
            Err(_) => true,
        };
        if heard.send(read).is_err() || last {
            return;
        }
    }
}

/// Writes until nobody has anything to tell any more.
///
/// # Errors
/// When the stream can't be written.
pub fn write_all(output: &mut dyn Write, told: &Receiver<Outgoing>) -> io::Result<()> {
    for outgoing in told {
        match outgoing {
            Outgoing::Message(message) => message.write(&mut &mut *output)?,
            Outgoing::Refusal(error) => {
                let text = json!({"jsonrpc": "2.0", "id": null, "error": error}).to_string();
                write!(output, "Content-Length: {}\r\n\r\n{text}", text.len())?;
                output.flush()?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(text: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{text}", text.len())
    }

    fn words(stream: &str) -> Vec<String> {
        let mut input = stream.as_bytes();
        let mut said = Vec::new();
        loop {
            said.push(match read(&mut input) {
                Ok(Some(Incoming::Message(Message::Request(request)))) => request.method,
                Ok(Some(Incoming::Message(other))) => format!("{other:?}"),
                Ok(Some(Incoming::Nonsense(Outgoing::Refusal(error)))) => error.code.to_string(),
                Ok(Some(Incoming::Nonsense(Outgoing::Message(_)))) => "refused by number".into(),
                Ok(None) => return said,
                Err(e) => {
                    said.push(e.to_string());
                    return said;
                }
            });
        }
    }

    #[test]
    fn what_is_no_message_is_left_behind() {
        let hover = framed(r#"{"jsonrpc":"2.0","id":1,"method":"hover"}"#);
        let stream =
            [framed("{oops"), framed("[1]"), framed(r#"{"id":7,"method":[]}"#), framed("\u{e9}"), hover.clone()]
                .concat();
        assert_eq!(words(&stream), ["-32700", "-32600", "refused by number", "-32700", "hover"]);
        assert_eq!(words(&framed(&"[".repeat(10_000))), ["-32700"], "deep nesting ends nothing");
        assert_eq!(words(&hover[..hover.len() - 1]), [""; 0], "the client is gone");
    }

    #[test]
    fn a_length_that_cannot_be_is_no_reason_to_make_room() {
        assert_eq!(words("Content-Length: 18446744073709551615\r\n\r\n{}"), [""; 0]);
        assert_eq!(words("Content-Length: 200000000\r\n\r\n{}"), [""; 0]);
        assert!(words("Content-Length: -1\r\n\r\n{}")[0].contains("tells no length"));
        assert!(words("Content-Type: x\r\n\r\n{}")[0].contains("without Content-Length"));
        assert!(words("nonsense\r\n\r\n{}")[0].contains("is no header"));
    }
}
