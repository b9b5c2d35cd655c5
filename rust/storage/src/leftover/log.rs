//! The marks in a write-ahead log. Format: <https://www.sqlite.org/fileformat2.html>, section 4.

use std::io::{ErrorKind, Read};

use super::mark::{Mark, PAGE};

/// The first and the last mark, of those that were read, that committed transactions of a log left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) first: Mark,
    pub(super) last: Mark,
}

/// Reads a log as libSQL does: to the first frame that does not follow from the one before it; but no further than to
/// commit `enough`. None for a log without a whole transaction that wrote the mark.
pub(super) fn read_marks(mut log: impl Read, enough: u64) -> std::io::Result<Option<Marks>> {
    let mut header = [0; 32];
    if !fill(&mut log, &mut header)? {
        return Ok(None);
    }
    let (magic, page_size) = (number(&header, 0), number(&header, 8));
    let is_size = page_size.is_power_of_two() && (512..=65_536).contains(&page_size);
    if magic & !1 != 0x377F_0682 || !is_size {
        return Ok(None);
    }
    let mut sum = Checksum { high_first: magic & 1 == 1, sums: (0, 0) };
    sum.add(header.get(..24).unwrap_or_default());
    if sum.sums != (number(&header, 24), number(&header, 28)) {
        return Ok(None);
    }
    let mut marks: Option<Marks> = None;
    let mut uncommitted: Option<Mark> = None;
    let mut frame = vec![0; 24 + page_size as usize];
    while fill(&mut log, &mut frame)? {
        let (head, page) = frame.split_at(24);
        sum.add(head.get(..8).unwrap_or_default());
        sum.add(page);
        let is_next = head.get(8..16) == header.get(16..24) && sum.sums == (number(head, 16), number(head, 20));
        if !is_next {
            break;
        }
        if number(head, 0) == PAGE {
            uncommitted = Mark::read(page);
        }
        // The frame that ends a transaction says how long the file is then.
        if number(head, 4) != 0
            && let Some(mark) = uncommitted.take()
        {
            marks = Some(Marks { first: marks.map_or(mark, |marks| marks.first), last: mark });
            if mark.seq >= enough {
                break;
            }
        }
    }
    Ok(marks)
}

/// Fills the buffer; false when the log ends before.
fn fill(log: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<bool> {
    match log.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes)
}

/// The running checksum of a log.
struct Checksum {
    high_first: bool,
    sums: (u32, u32),
}

impl Checksum {
    fn add(&mut self, bytes: &[u8]) {
        let word = |bytes: [u8; 4]| if self.high_first { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        let (mut first, mut second) = self.sums;
        for pair in bytes.chunks_exact(8) {
            if let [a, b, c, d, e, f, g, h] = *pair {
                first = first.wrapping_add(word([a, b, c, d])).wrapping_add(second);
                second = second.wrapping_add(word([e, f, g, h])).wrapping_add(first);
            }
        }
        self.sums = (first, second);
    }
}
