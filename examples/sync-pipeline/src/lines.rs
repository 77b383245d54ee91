//! Reading input line by line, without trusting it to have line ends.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// One line of the input, without its line end.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// The place in the input, from 1; blank lines count.
    pub number: u64,
    /// The bytes; nothing says that they are text. Of a line that is longer than the limit, so many
    /// and one more.
    pub bytes: Vec<u8>,
}

/// The lines of an input, each held in memory only up to a limit.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    limit: usize,
    number: u64,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    /// Lines of `input`, of which those above `limit` bytes are cut off after one more.
    pub fn new(input: R, limit: usize) -> Self {
        Self {
            input,
            limit,
            number: 0,
        }
    }

    /// The next line, or `None` at the end of the input.
    pub async fn next(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        let mut any = false;
        loop {
            let buffer = self.input.fill_buf().await?;
            if buffer.is_empty() {
                if !any {
                    return Ok(None);
                }
                break;
            }
            any = true;
            let end = buffer.iter().position(|&byte| byte == b'\n');
            let part = &buffer[..end.unwrap_or(buffer.len())];
            let room = (self.limit + 1).saturating_sub(bytes.len());
            bytes.extend_from_slice(&part[..part.len().min(room)]);
            let used = end.map_or(buffer.len(), |end| end + 1);
            self.input.consume(used);
            if end.is_some() {
                break;
            }
        }
        self.number += 1;
        Ok(Some(Line {
            number: self.number,
            bytes,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines_of(input: &[u8], limit: usize) -> Vec<(u64, String)> {
        let mut lines = Lines::new(input, limit);
        let mut all = Vec::new();
        while let Some(line) = lines.next().await.expect("a slice cannot fail") {
            all.push((
                line.number,
                String::from_utf8_lossy(&line.bytes).into_owned(),
            ));
        }
        all
    }

    #[tokio::test]
    async fn blank_lines_count_and_the_last_line_needs_no_line_end() {
        assert_eq!(
            lines_of(b"a\n\nb", 10).await,
            [(1, "a".into()), (2, String::new()), (3, "b".into())]
        );
        assert!(lines_of(b"", 10).await.is_empty());
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_cut_behind_the_limit_and_the_next_one_is_whole() {
        assert_eq!(
            lines_of(b"abcdef\nabcd\ngh\n", 4).await,
            [(1, "abcde".into()), (2, "abcd".into()), (3, "gh".into())]
        );
    }
}
