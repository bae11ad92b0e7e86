//! Random secrets and ids, and their comparison.

use super::storage::Digest;
use std::fmt::Write as _;
use subtle::ConstantTimeEq;

/// 32 random bytes in hex.
pub fn token() -> String {
    let mut bytes = [0u8; 32];
    // Without randomness, tokens could be guessed: better no service at all.
    if getrandom::fill(&mut bytes).is_err() {
        std::process::abort();
    }
    bytes.iter().fold(String::with_capacity(64), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

/// A join code: 16 letters and digits.
pub fn join_code() -> String {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    let token = token();
    let pairs = token.as_bytes().chunks(4).map(|c| {
        c.iter().fold(0usize, |acc, d| acc * 16 + (*d as char).to_digit(16).unwrap_or(0) as usize)
    });
    pairs.map(|n| LETTERS.get(n % LETTERS.len()).map_or('x', |b| *b as char)).collect()
}

pub fn guid() -> String {
    let hex = token();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

/// Compares two secrets in constant time.
pub fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

/// A collision-resistant hash of a list of strings.
pub fn digest(parts: &[&str]) -> Digest {
    use aws_lc_rs::digest::{Context, SHA256};
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part.as_bytes());
    }
    let mut digest = Digest::default();
    for (to, from) in digest.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    digest
}
