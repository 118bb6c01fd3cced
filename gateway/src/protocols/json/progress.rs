//! Whether a JSON value that comes in pieces is whole: brackets are counted, nothing else is checked.

#[derive(Debug, Default)]
pub struct JsonProgress {
    depth: usize,
    has_begun: bool,
    is_in_string: bool,
    is_after_backslash: bool,
}

impl JsonProgress {
    pub fn push(&mut self, piece: &str) {
        for byte in piece.bytes() {
            match (self.is_in_string, byte) {
                (true, _) => self.in_string(byte),
                (false, b'"') => self.is_in_string = true,
                (false, b'{' | b'[') => {
                    self.depth += 1;
                    self.has_begun = true;
                }
                (false, b'}' | b']') => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
    }

    fn in_string(&mut self, byte: u8) {
        let is_escaped = std::mem::take(&mut self.is_after_backslash);
        match byte {
            _ if is_escaped => {}
            b'\\' => self.is_after_backslash = true,
            b'"' => self.is_in_string = false,
            _ => {}
        }
    }

    /// Whether an object or array began and ended.
    pub fn is_whole(&self) -> bool {
        self.has_begun && self.depth == 0 && !self.is_in_string
    }
}
