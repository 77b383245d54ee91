//! A bounded view of a text of any length.

use std::borrow::Cow;
use std::fmt;

use super::USUAL;

/// The first and the last bytes of a long text, which is where messages say what happened: the
/// outermost words first, the root cause last.
pub(super) fn ends(text: &[u8]) -> Cow<'_, [u8]> {
    if text.len() <= 2 * END {
        return Cow::Borrowed(text);
    }
    let mut both = Vec::with_capacity(2 * END + 1);
    both.extend_from_slice(&text[..END]);
    both.push(b'\n');
    both.extend_from_slice(&text[text.len() - END..]);
    Cow::Owned(both)
}

/// Takes in what a `Display` writes and keeps no more than [`ends`] would.
///
/// Text of usual length stays on the stack.
pub(in crate::classify) struct Window {
    start: [u8; USUAL],
    len: usize,
    spill: Option<Spill>,
}

/// What does not fit into the start.
struct Spill {
    head: Vec<u8>,
    /// A ring of the last `END` bytes once the head is full.
    tail: Vec<u8>,
    oldest: usize,
    /// Something between the two is left out.
    is_cut: bool,
}

impl Window {
    /// Runs `write` on an empty window and gives what it wrote to `read`.
    ///
    /// What a failing `Display` wrote before it failed counts.
    pub(in crate::classify) fn of<R>(value: &dyn fmt::Display, read: impl FnOnce(&[u8]) -> R) -> R {
        let mut window = Self {
            start: [0; USUAL],
            len: 0,
            spill: None,
        };
        let _ = fmt::write(&mut window, format_args!("{value}"));
        match window.spill {
            None => read(&window.start[..window.len]),
            Some(spill) => read(&spill.joined()),
        }
    }
}

impl fmt::Write for Window {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let part = part.as_bytes();
        if self.spill.is_none() {
            let end = self.len + part.len();
            if let Some(room) = self.start.get_mut(self.len..end) {
                room.copy_from_slice(part);
                self.len = end;
                return Ok(());
            }
        }
        let start = &self.start[..self.len];
        self.spill
            .get_or_insert_with(|| Spill::after(start))
            .push(part);
        Ok(())
    }
}

impl Spill {
    fn after(start: &[u8]) -> Self {
        let mut head = Vec::with_capacity(2 * USUAL);
        head.extend_from_slice(start);
        Self {
            head,
            tail: Vec::new(),
            oldest: 0,
            is_cut: false,
        }
    }

    fn push(&mut self, part: &[u8]) {
        let (first, rest) = part.split_at(part.len().min(END - self.head.len()));
        self.head.extend_from_slice(first);
        self.is_cut |= self.tail.len() + rest.len() > END;
        // Of a part longer than the ring only its end can stay.
        for &byte in &rest[rest.len().saturating_sub(END)..] {
            if self.tail.len() < END {
                self.tail.push(byte);
            } else {
                self.tail[self.oldest] = byte;
                self.oldest = (self.oldest + 1) % END;
            }
        }
    }

    fn joined(mut self) -> Vec<u8> {
        self.tail.rotate_left(self.oldest);
        // No word goes on from the one into the other.
        self.head.extend(self.is_cut.then_some(b'\n'));
        self.head.append(&mut self.tail);
        self.head
    }
}

/// How much of each end of a long text is read. The text of an HTTP error with its headers and
/// a short body fits; a dumped document does not, and need not.
const END: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_keeps_its_two_ends() {
        let long = format!("start {} end", "x".repeat(100_000));
        let kept = Window::of(&long, <[u8]>::to_vec);
        assert_eq!(kept, *ends(long.as_bytes()));
        assert!(kept.starts_with(b"start x") && kept.ends_with(b"x end"));
        for length in [2 * END - 1, 2 * END, 2 * END + 1] {
            let long = "ab".repeat(length);
            let long = &long[..length];
            let kept = Window::of(&long, <[u8]>::to_vec);
            assert_eq!(kept, *ends(long.as_bytes()), "{length}");
        }
    }

    #[test]
    fn a_text_that_arrives_in_many_parts_is_the_same_text() {
        struct Parts(usize);
        impl fmt::Display for Parts {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (0..self.0).try_for_each(|i| write!(f, "{i},"))
            }
        }
        for parts in [0, 1, 100, 200, 500, 1_700] {
            let whole = Parts(parts).to_string();
            assert!(whole.len() < 2 * END);
            assert_eq!(Window::of(&Parts(parts), <[u8]>::to_vec), whole.as_bytes());
        }
        let whole = Parts(20_000).to_string();
        let kept = Window::of(&Parts(20_000), <[u8]>::to_vec);
        assert_eq!(kept, *ends(whole.as_bytes()));
    }
}
