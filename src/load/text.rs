//! Bytes to text: UTF-8, and UTF-16 where a byte order mark says so.

/// How a file was encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// UTF-16 with a byte order mark. Offsets in the text are not offsets in the file.
    Utf16,
}

/// A file's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The text, byte order mark included.
    pub text: String,
    /// How it was encoded.
    pub encoding: Encoding,
}

/// Why bytes are not text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Offset of the first bad byte in the file.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
    /// The text with replacement characters, to show the place.
    pub lossy: String,
    /// Offset of the place in `lossy`.
    pub lossy_offset: usize,
}

/// Decodes a file.
///
/// # Errors
/// Where the bytes are not UTF-8 (or UTF-16 with a byte order mark), or hold a control character that YAML forbids
/// everywhere, as binary files do.
pub fn decode(bytes: Vec<u8>) -> Result<Decoded, DecodeError> {
    let (text, encoding) = match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => (utf16(rest, u16::from_le_bytes)?, Encoding::Utf16),
        [0xfe, 0xff, rest @ ..] => (utf16(rest, u16::from_be_bytes)?, Encoding::Utf16),
        _ => match String::from_utf8(bytes) {
            Ok(text) => (text, Encoding::Utf8),
            Err(e) => {
                let offset = e.utf8_error().valid_up_to();
                let message = format!("byte {offset} is not UTF-8");
                let lossy = String::from_utf8_lossy(e.as_bytes()).into_owned();
                return Err(DecodeError { offset, message, lossy, lossy_offset: offset });
            }
        },
    };
    if let Some((offset, c)) = forbidden(&text) {
        let message = format!("control character U+{:04X}: YAML allows none", u32::from(c));
        return Err(DecodeError { offset, message, lossy_offset: offset, lossy: text });
    }
    Ok(Decoded { text, encoding })
}

/// A file's text, with replacement characters where [`decode`] would refuse it.
pub fn lossy(bytes: Vec<u8>) -> String {
    decode(bytes).map_or_else(|e| e.lossy, |decoded| decoded.text)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, DecodeError> {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let decoded: Result<String, _> = char::decode_utf16(units.clone()).collect();
    match decoded {
        Ok(text) if bytes.len().is_multiple_of(2) => Ok(text),
        _ => {
            let lossy: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
            let place = lossy.find(char::REPLACEMENT_CHARACTER).unwrap_or(lossy.len());
            let message = "the file starts as UTF-16 but is not UTF-16 throughout".to_string();
            Err(DecodeError { offset: bytes.len(), message, lossy, lossy_offset: place })
        }
    }
}

/// The first character that no YAML document may hold.
fn forbidden(text: &str) -> Option<(usize, char)> {
    let bad = |b: u8| (b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r')) || b == 0x7f;
    // Whole blocks without a branch, which the compiler turns into vector instructions; nearly all have no such byte.
    let block = text.as_bytes().chunks(256).position(|block| block.iter().fold(false, |any, &b| any | bad(b)))?;
    let start = block * 256;
    let offset = start + text.as_bytes()[start..].iter().position(|&b| bad(b))?;
    Some((offset, text[offset..].chars().next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf16_is_read_where_a_mark_says_so() {
        let bytes: Vec<u8> = [0xfeff_u16, 'a' as u16, 'é' as u16].iter().flat_map(|u| u.to_le_bytes()).collect();
        assert_eq!(decode(bytes.clone()), Ok(Decoded { text: "aé".into(), encoding: Encoding::Utf16 }));
        assert!(decode(bytes[..5].to_vec()).is_err());
    }

    #[test]
    fn the_first_bad_byte_is_named() {
        assert_eq!(decode(b"a: \xe9".to_vec()).unwrap_err().offset, 3);
        assert_eq!(decode(b"a: \x07".to_vec()).unwrap_err().offset, 3);
    }
}
