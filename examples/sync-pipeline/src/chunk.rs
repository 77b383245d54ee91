//! Text to chunks: the pieces that get a vector each.
//!
//! One vector for a whole file says little about any part of it. Chunks end at blank lines where
//! possible; a chunk that has to end elsewhere shares its last lines with the next one.

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The first line, from 1.
    pub first_line: usize,
    /// The last line.
    pub last_line: usize,
    /// The text of these lines, or a part of a line that is too long for one chunk.
    pub text: String,
}

/// Cuts a text into chunks. A text without words has none.
pub fn split(text: &str) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut open: Vec<Piece<'_>> = Vec::new();
    for piece in pieces(text) {
        let bytes: usize = open.iter().map(|piece| piece.text.len()).sum();
        let lines = open.first().map_or(0, |first| piece.line - first.line);
        if lines >= MAX_LINES || (bytes > 0 && bytes + piece.text.len() > MAX_BYTES) {
            let tail = overlap(&open, piece.text.len());
            close(&mut chunks, &open);
            open.drain(..tail);
        } else if piece.text.trim().is_empty() && (lines >= ENOUGH_LINES || bytes >= ENOUGH_BYTES) {
            close(&mut chunks, &open);
            open.clear();
            continue;
        }
        open.push(piece);
    }
    close(&mut chunks, &open);
    chunks
}

/// A line, or a part of one that is longer than a chunk.
#[derive(Clone, Copy)]
struct Piece<'a> {
    line: usize,
    text: &'a str,
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    text.split_inclusive('\n')
        .enumerate()
        .flat_map(|(index, mut rest)| {
            std::iter::from_fn(move || {
                let (text, left) = rest.split_at(prefix(rest, MAX_BYTES).len());
                rest = left;
                (!text.is_empty()).then_some(Piece {
                    line: index + 1,
                    text,
                })
            })
        })
}

/// The longest beginning of a text that has at most so many bytes.
pub(crate) fn prefix(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// From which piece on the closed chunk is repeated in the next one, which begins with `next`
/// bytes of its own.
fn overlap(open: &[Piece<'_>], next: usize) -> usize {
    let mut start = open.len();
    let mut bytes = next;
    while start > 0 && open.len() - start < OVERLAP_LINES {
        bytes += open[start - 1].text.len();
        // Repeating long lines would make every second chunk a repetition.
        if bytes > MAX_BYTES / 2 {
            break;
        }
        start -= 1;
    }
    start
}

fn close(chunks: &mut Vec<Chunk>, open: &[Piece<'_>]) {
    let (Some(first), Some(last)) = (open.first(), open.last()) else {
        return;
    };
    let text: String = open.iter().map(|piece| piece.text).collect();
    if text.chars().any(char::is_alphanumeric) {
        chunks.push(Chunk {
            first_line: first.line,
            last_line: last.line,
            text,
        });
    }
}

const MAX_LINES: usize = 24;
const MAX_BYTES: usize = 1_200;
const ENOUGH_LINES: usize = 8;
const ENOUGH_BYTES: usize = 400;
const OVERLAP_LINES: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[Chunk]) -> Vec<(usize, usize)> {
        chunks
            .iter()
            .map(|chunk| (chunk.first_line, chunk.last_line))
            .collect()
    }

    #[test]
    fn nothing_to_say_makes_no_chunk() {
        assert!(split("").is_empty());
        assert!(split("\n\n  \n---\n").is_empty());
    }

    #[test]
    fn chunks_end_at_a_blank_line_once_they_are_long_enough() {
        let text = format!("{}\n{}", "word\n".repeat(9), "more\n".repeat(3));
        assert_eq!(lines(&split(&text)), [(1, 9), (11, 13)]);
    }

    #[test]
    fn chunks_that_end_elsewhere_overlap() {
        assert_eq!(lines(&split(&"word\n".repeat(40))), [(1, 24), (23, 40)]);
    }

    #[test]
    fn a_line_without_end_is_cut_between_characters() {
        let text = "é".repeat(MAX_BYTES);
        let chunks = split(&text);
        assert!(chunks.iter().all(|chunk| chunk.text.len() <= MAX_BYTES));
        assert_eq!(
            chunks
                .iter()
                .map(|chunk| chunk.text.as_str())
                .collect::<String>(),
            text
        );
    }

    #[test]
    fn no_line_is_lost() {
        let mut text = String::new();
        for n in 1..=200 {
            text += &["line", &n.to_string(), " ", &"x".repeat(n % 90), "\n"].concat();
        }
        let chunks = split(&text);
        assert_eq!(chunks[0].first_line, 1);
        assert_eq!(chunks.last().map(|chunk| chunk.last_line), Some(200));
        for pair in chunks.windows(2) {
            assert!(pair[1].first_line <= pair[0].last_line + 1, "a gap");
            assert!(pair[1].last_line > pair[0].last_line, "no step forward");
        }
    }
}
