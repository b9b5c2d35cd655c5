//! What the splitter needs to know of a text: where its blocks start, and its headings.

/// What a block is, as far as cutting goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Sentences: a paragraph, a list item, a quote.
    Prose,
    /// Lines that belong together: code, a table, HTML.
    Whole,
    /// A heading outside quotes and lists.
    Heading,
    /// Metadata at the head of the text.
    FrontMatter,
}

impl Kind {
    /// Whether it is there only to introduce what follows.
    pub(crate) fn is_opening(self) -> bool {
        matches!(self, Self::Heading | Self::FrontMatter)
    }
}

/// One block; it reaches to the start of the next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block {
    /// The first byte of its first line (0 for the first block).
    pub(crate) start: usize,
    /// The byte after its last character that is not blank.
    pub(crate) content_end: usize,
    /// How many containers (lists, items, quotes) it stands in; the smaller, the better the place to cut.
    pub(crate) depth: u8,
    pub(crate) kind: Kind,
}

/// A heading that opens a section.
#[derive(Debug)]
pub(crate) struct Heading {
    pub(crate) start: usize,
    /// 1 to 6, 1 the widest.
    pub(crate) rank: u8,
    pub(crate) title: String,
}

/// The blocks of a text in order, at most one a line, none of them blank; empty only when the text is blank.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    pub(crate) blocks: Vec<Block>,
    pub(crate) headings: Vec<Heading>,
}

/// Gathers blocks in the order of the text.
pub(crate) struct OutlineBuilder<'a> {
    text: &'a str,
    outline: Outline,
    /// The start of the line that `scanned` is on; kept so that many blocks on one long line cost one scan of it.
    line_start: usize,
    scanned: usize,
}

impl<'a> OutlineBuilder<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, outline: Outline::default(), line_start: 0, scanned: 0 }
    }

    /// Adds the block whose first character is at byte `at`, and returns the start of its line.
    pub(crate) fn block(&mut self, at: usize, depth: u8, kind: Kind) -> usize {
        if let Some(passed) = self.text.as_bytes().get(self.scanned..at) {
            if let Some(newline) = passed.iter().rposition(|&byte| byte == b'\n' || byte == b'\r') {
                self.line_start = self.scanned + newline + 1;
            }
            self.scanned = at;
        }
        let start = self.line_start;
        self.seal(start);
        match self.outline.blocks.last_mut() {
            // A container and the first block in it: the border is the container's, the nature that of what is in it.
            Some(last) if last.start == start => {
                if kind == Kind::Whole {
                    last.kind = kind;
                }
            }
            _ => self.outline.blocks.push(Block { start, content_end: start, depth, kind }),
        }
        start
    }

    /// Adds a heading whose block was added before.
    pub(crate) fn heading(&mut self, heading: Heading) {
        self.outline.headings.push(heading);
    }

    pub(crate) fn finish(mut self) -> Outline {
        if self.outline.blocks.is_empty() {
            self.outline.blocks.push(Block { start: 0, content_end: 0, depth: 0, kind: Kind::Prose });
        }
        // What stands before the first block is blank, or is a link definition, which is no block.
        if let Some(first) = self.outline.blocks.first_mut() {
            first.start = 0;
        }
        self.seal(self.text.len());
        self.outline
    }

    /// Ends the last block at `end`; a blank one is dropped, so that its blanks fall to the block before.
    fn seal(&mut self, end: usize) {
        let Some(last) = self.outline.blocks.last_mut().filter(|last| last.start < end) else { return };
        let content = self.text.get(last.start..end).unwrap_or_default().trim_end();
        last.content_end = last.start + content.len();
        if content.is_empty() {
            self.outline.blocks.pop();
        }
    }
}
