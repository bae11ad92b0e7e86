//! The bytes of a message, or of what surrounds the messages.

/// Larger messages and larger descriptions of a conversation are skipped.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Bytes that are kept of a message or of what surrounds the messages.
#[derive(Default)]
pub struct Capture {
    pub bytes: Vec<u8>,
    /// Everything up to here consists of complete fields.
    pub complete: usize,
    pub is_too_large: bool,
}

impl Capture {
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.complete = 0;
        self.is_too_large = false;
    }

    pub fn add(&mut self, bytes: &[u8]) {
        if self.is_too_large || self.bytes.len() + bytes.len() > MAX_BYTES {
            self.is_too_large = true;
            self.bytes = Vec::new();
            self.complete = 0;
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// An object of the complete fields.
    pub fn object(&self) -> Vec<u8> {
        let mut object = self.bytes.get(..self.complete).unwrap_or_default().to_vec();
        if object.is_empty() {
            object.push(b'{');
        }
        object.push(b'}');
        object
    }
}
