//! The hash at the end of a generated name: SHA-256 of the content as JSON, ten letters of it.

use serde_json::{Map, Value as Json};

use super::resource::Resource;
use super::value::{Data, Value};

/// The hash of a ConfigMap, a Secret or any other object, as Kustomize writes it.
pub fn of(resource: &Resource) -> String {
    let value = &resource.value;
    let field = |path: &[&str]| match value.at(path) {
        None => Json::String(String::new()),
        Some(v) => match &v.data {
            Data::Scalar(s) => Json::String(s.text.to_string()),
            _ => v.to_json(),
        },
    };
    // The keys in the order of the alphabet, as Go writes a map.
    let mut map = Map::new();
    let extra = |name: &str, map: &mut Map<String, Json>| {
        if value.get(name).is_some_and(|v| matches!(v.data, Data::Map(_))) {
            map.insert(name.into(), field(&[name]));
        }
    };
    let text = match resource.kind() {
        "ConfigMap" => {
            extra("binaryData", &mut map);
            map.insert("data".into(), field(&["data"]));
            map.insert("kind".into(), "ConfigMap".into());
            // Kustomize looks the name up under a key that never exists, so it plays no part.
            map.insert("name".into(), "".into());
            Json::Object(map)
        }
        "Secret" => {
            map.insert("data".into(), field(&["data"]));
            map.insert("kind".into(), "Secret".into());
            // Kustomize looks the name up under a key that never exists, so it plays no part.
            map.insert("name".into(), "".into());
            extra("stringData", &mut map);
            map.insert("type".into(), field(&["type"]));
            Json::Object(map)
        }
        _ => Value::to_json(value),
    };
    encode(&go_json(&text.to_string()))
}

/// Go escapes these characters in JSON, so that it can stand in HTML.
fn go_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            '\u{7f}' => out.push('\u{7f}'),
            c => out.push(c),
        }
    }
    // serde writes these two by letter, Go by number.
    out.replace("\\b", "\\u0008").replace("\\f", "\\u000c")
}

fn encode(text: &str) -> String {
    let letter = |c: char| match c {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        c => c,
    };
    let digest = sha256(text.as_bytes());
    let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
    hex.chars().take(10).map(letter).collect()
}

/// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
fn constants() -> [u32; 64] {
    let mut found = [0u32; 64];
    let mut n = 2u64;
    let mut count = 0;
    while count < 64 {
        if (2..n).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d)) {
            found[count] = root_fraction(n, 3);
            count += 1;
        }
        n += 1;
    }
    found
}

/// floor(frac(n^(1/k)) * 2^32), by bisection over whole numbers.
fn root_fraction(n: u64, k: u32) -> u32 {
    let target = (n as u128) << (32 * k);
    let (mut low, mut high) = (0u128, 1u128 << 40);
    while low + 1 < high {
        let middle = (low + high) / 2;
        let power = (0..k).try_fold(1u128, |p, _| p.checked_mul(middle));
        if power.is_some_and(|p| p <= target) { low = middle } else { high = middle }
    }
    low as u32
}

/// SHA-256 (FIPS 180-4).
fn sha256(message: &[u8]) -> [u8; 32] {
    static K: std::sync::LazyLock<[u32; 64]> = std::sync::LazyLock::new(constants);
    let mut state = [2u64, 3, 5, 7, 11, 13, 17, 19].map(|p| root_fraction(p, 2));
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend(((message.len() as u64) * 8).to_be_bytes());
    for block in padded.chunks_exact(64) {
        let mut w = [0u32; 64];
        for (i, word) in block.chunks_exact(4).enumerate() {
            w[i] = u32::from_be_bytes([word[0], word[1], word[2], word[3]]);
        }
        for i in 16..64 {
            let s0 = w[i - 15].rotate_right(7) ^ w[i - 15].rotate_right(18) ^ (w[i - 15] >> 3);
            let s1 = w[i - 2].rotate_right(17) ^ w[i - 2].rotate_right(19) ^ (w[i - 2] >> 10);
            w[i] = w[i - 16].wrapping_add(s0).wrapping_add(w[i - 7]).wrapping_add(s1);
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
        for i in 0..64 {
            let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let choice = (e & f) ^ (!e & g);
            let t1 = h.wrapping_add(s1).wrapping_add(choice).wrapping_add(K[i]).wrapping_add(w[i]);
            let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let majority = (a & b) ^ (a & c) ^ (b & c);
            (h, g, f, e, d, c, b, a) =
                (g, f, e, d.wrapping_add(t1), c, b, a, t1.wrapping_add(s0.wrapping_add(majority)));
        }
        for (s, v) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *s = s.wrapping_add(v);
        }
    }
    let mut out = [0; 32];
    for (chunk, word) in out.chunks_exact_mut(4).zip(state) {
        chunk.copy_from_slice(&word.to_be_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_standard() {
        let hex: String = sha256(b"abc").iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
