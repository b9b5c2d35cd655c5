//! The unused bytes of one page. Source: <https://www.sqlite.org/fileformat2.html>, sections 1.3 and 1.6.

use std::iter;
use std::ops::Range;

/// What the header of a database file says about its pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Bytes of a page.
    pub(crate) page_size: usize,
    /// Bytes of a page that hold content; the rest is reserved at its end.
    pub(crate) usable: usize,
    /// Whether some pages are maps of pointers, which could be taken for b-tree pages.
    pub(crate) has_pointer_maps: bool,
}

impl Layout {
    /// The length of the header of a file.
    pub(crate) const HEADER: usize = 100;

    /// Reads the header of a file; none if it is none.
    pub(crate) fn read(header: &[u8]) -> Option<Self> {
        if !header.starts_with(b"SQLite format 3\0") {
            return None;
        }
        let page_size = match two(header, 16)? {
            1 => 65_536,
            size if size.is_power_of_two() && size >= 512 => size,
            _ => return None,
        };
        let usable = page_size.checked_sub(usize::from(*header.get(20)?)).filter(|usable| *usable >= 480)?;
        let has_pointer_maps = header.get(52..56)? != [0; 4];
        Some(Self { page_size, usable, has_pointer_maps })
    }

    /// The number of the page that holds the bytes which are used for locks, and nothing else.
    pub(crate) fn lock_page(self) -> u64 {
        0x4000_0000 / self.page_size as u64 + 1
    }
}

/// Overwrites with zeros what no cell of a page uses, and counts the bytes that were not zero before: the gap between
/// the cell pointers and the cells, and the free blocks but for the four bytes that link them.
///
/// `usable` is how many bytes of the page hold content, `is_first` whether it is page 1. A page that is no b-tree page,
/// or one whose bookkeeping does not add up, is left as it is and counts nothing. The caller makes sure that no page
/// number of the file is above `0x01FF_FFFF`, since an overflow page begins with one.
pub(crate) fn erase_page(page: &mut [u8], is_first: bool, usable: usize) -> usize {
    let Some(Unused { gap, free }) = unused(page, is_first, usable) else { return 0 };
    let mut erased = 0;
    for range in iter::once(gap).chain(free) {
        // The question is asked of many bytes at once, and is almost always answered with no.
        if let Some(bytes) = page.get_mut(range)
            && bytes.iter().fold(0, |all, byte| all | *byte) != 0
        {
            erased += bytes.iter().filter(|byte| **byte != 0).count();
            bytes.fill(0);
        }
    }
    erased
}

/// The parts of a page that hold nothing.
struct Unused {
    /// Between the cell pointers and the cells.
    gap: Range<usize>,
    /// The free blocks, each without its link.
    free: Vec<Range<usize>>,
}

/// The unused parts of a b-tree page; none for what is no sound b-tree page.
fn unused(page: &[u8], is_first: bool, usable: usize) -> Option<Unused> {
    let header = if is_first { Layout::HEADER } else { 0 };
    let pointers = match *page.get(header)? {
        2 | 5 => header + 12,
        10 | 13 => header + 8,
        _ => return None,
    };
    let cells = two(page, header + 3)?;
    let content = match two(page, header + 5)? {
        0 => 65_536,
        content => content,
    };
    let gap = pointers.checked_add(cells.checked_mul(2)?)?;
    if usable > page.len() || gap > content || content > usable {
        return None;
    }
    let mut free = Vec::new();
    let mut next = two(page, header + 1)?;
    let mut lowest = content;
    while next != 0 {
        // Each block stands in the content area, behind the one before it, and within the page.
        let size = two(page, next.checked_add(2)?)?;
        let end = next.checked_add(size)?;
        if next < lowest || size < 4 || end > usable {
            return None;
        }
        free.push(next + 4..end);
        lowest = end;
        next = two(page, next)?;
    }
    for cell in 0..cells {
        let start = two(page, pointers + 2 * cell)?;
        // No cell is shorter than four bytes.
        let is_within = start >= content && start.checked_add(4)? <= usable;
        // The link of a free block is no cell either.
        let is_free = free.iter().any(|range: &Range<usize>| (range.start - 4..range.end).contains(&start));
        if !is_within || is_free {
            return None;
        }
    }
    Some(Unused { gap: gap..content, free })
}

/// A number of two bytes, the high one first.
fn two(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    const SIZE: usize = 512;

    fn put(page: &mut [u8], at: usize, number: usize) {
        page[at..at + 2].copy_from_slice(&(number as u16).to_be_bytes());
    }

    /// A leaf of a table with two cells and one free block of sixteen bytes, all other bytes `filler`.
    fn leaf(filler: u8, offset: usize) -> Vec<u8> {
        let mut page = vec![filler; SIZE];
        page[offset] = 13;
        put(&mut page, offset + 1, 440);
        put(&mut page, offset + 3, 2);
        put(&mut page, offset + 5, 400);
        put(&mut page, offset + 8, 400);
        put(&mut page, offset + 10, 480);
        put(&mut page, 440, 0);
        put(&mut page, 442, 16);
        page
    }

    #[test]
    fn the_gap_and_the_bodies_of_free_blocks_become_zero_and_nothing_else_does() {
        for (is_first, offset) in [(false, 0), (true, 100)] {
            let before = leaf(0xAB, offset);
            let mut page = before.clone();
            assert_eq!(erase_page(&mut page, is_first, SIZE), 400 - (offset + 12) + 12);
            for (at, (is, was)) in page.iter().zip(&before).enumerate() {
                let is_unused = (offset + 12..400).contains(&at) || (444..456).contains(&at);
                assert_eq!(*is, if is_unused { 0 } else { *was }, "byte {at}");
            }
            assert_eq!(erase_page(&mut page, is_first, SIZE), 0, "the second time there is nothing left");
        }
    }

    #[test]
    fn an_empty_leaf_of_the_largest_page_says_nought_for_its_end() {
        let mut page = vec![7; 65_536];
        page[..8].copy_from_slice(&[13, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(erase_page(&mut page, false, 65_536), 65_536 - 8);
    }

    #[test]
    fn a_page_that_does_not_add_up_is_left_alone() {
        type Damage = (&'static str, fn(&mut [u8]));
        let breaks: [Damage; 9] = [
            ("an overflow page", |page| page[..4].fill(0)),
            ("an unknown type", |page| page[0] = 3),
            ("cells before the pointers", |page| put(page, 5, 11)),
            ("content beyond the page", |page| put(page, 5, 513)),
            ("a cell in the gap", |page| put(page, 8, 399)),
            ("a cell beyond the page", |page| put(page, 10, 509)),
            ("a cell in a free block", |page| put(page, 10, 442)),
            ("a free block in the gap", |page| put(page, 1, 300)),
            ("a chain of free blocks that goes round", |page| put(page, 440, 440)),
        ];
        for (what, damage) in breaks {
            let mut page = leaf(0xAB, 0);
            damage(&mut page);
            let before = page.clone();
            assert_eq!(erase_page(&mut page, false, SIZE), 0, "{what}");
            assert_eq!(page, before, "{what}");
        }
    }

    #[test]
    fn a_header_is_read_as_it_is_written() {
        let mut header = vec![0; 100];
        header[..16].copy_from_slice(b"SQLite format 3\0");
        put(&mut header, 16, 4_096);
        let layout = Layout::read(&header).unwrap();
        assert_eq!(layout, Layout { page_size: 4_096, usable: 4_096, has_pointer_maps: false });
        assert_eq!(layout.lock_page(), 262_145);
        put(&mut header, 16, 1);
        (header[20], header[55]) = (32, 4);
        assert_eq!(
            Layout::read(&header).unwrap(),
            Layout { page_size: 65_536, usable: 65_504, has_pointer_maps: true }
        );
        put(&mut header, 16, 1_000);
        assert_eq!(Layout::read(&header), None);
        assert_eq!(Layout::read(&header[..99]), None);
    }

    proptest! {
        /// Whatever the bytes are: no panic, and never more than what lies between the ends of a page.
        #[test]
        fn any_bytes_do_no_harm(
            mut page in proptest::collection::vec(any::<u8>(), 0..700),
            kind in proptest::sample::select(vec![2_u8, 5, 10, 13]),
            is_first: bool,
            usable in 0..700_usize,
        ) {
            let header = if is_first { 100 } else { 0 };
            if page.len() > header {
                page[header] = kind;
            }
            let before = page.clone();
            let erased = erase_page(&mut page, is_first, usable);
            prop_assert_eq!(erased, page.iter().zip(&before).filter(|(is, was)| is != was).count());
            prop_assert!(page.iter().zip(&before).all(|(is, was)| is == was || *is == 0));
            prop_assert_eq!(&page[..header.min(page.len())], &before[..header.min(before.len())]);
        }
    }
}
