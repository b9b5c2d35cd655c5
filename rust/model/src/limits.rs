//! The one table of limits; the reference page of the documentation is made from it.

/// One limit: its name, its value and what it bounds.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// The name that errors use.
    pub name: &'static str,
    /// The largest value allowed.
    pub value: u64,
    /// What is counted.
    pub unit: &'static str,
    /// What it bounds.
    pub about: &'static str,
}

macro_rules! limits {
    ($($name:ident = $value:literal $unit:literal $about:literal;)*) => {
        $(#[doc = concat!($about, ", in ", $unit, ".")] pub const $name: usize = $value;)*

        /// Every limit.
        pub const LIMITS: &[Limit] = &[
            $(Limit { name: stringify!($name), value: $value, unit: $unit, about: $about },)*
        ];
    };
}

limits! {
    RULE_TEXT = 65_536 "bytes" "the text of a rule";
    DOC_TEXT = 67_108_864 "bytes" "the text of a doc";
    NOTE_TEXT = 65_536 "bytes" "the note of a ref";
    TARGET = 4_096 "bytes" "the target of a ref";
    KEY = 512 "bytes" "a key";
    PROJECT = 512 "bytes" "a project path";
    PROJECT_DEPTH = 16 "segments" "a project path";
    TAG = 128 "bytes" "a tag";
    TAGS = 64 "tags" "the tags of an item";
    NAME = 128 "bytes" "the name of a channel, tier, mode, space or media type";
    MODES = 32 "modes" "the modes of a rule";
    GLOBS = 128 "globs" "the path globs of a rule";
    GLOB = 1_024 "bytes" "a path glob";
    METADATA = 65_536 "bytes" "the metadata of an item, as JSON";
    METADATA_DEPTH = 32 "levels" "the nesting of metadata";
    SOURCE = 4_096 "bytes" "the source of an item";
    PATH = 4_096 "bytes" "the path of a doc";
    TITLE = 1_024 "bytes" "the title of a doc";
    PRIORITY = 1_000 "steps" "a priority, above and below zero";
    BATCH = 1_000_000 "items" "the items of one add_many";
    BATCH_TEXT = 1_073_741_824 "bytes" "the text of one add_many";
    PAGE = 10_000 "items" "a page of list, or of changes";
    K = 10_000 "items" "the k of a search";
    QUERY = 65_536 "bytes" "the text of a query";
    DIMENSION = 4_096 "components" "a vector";
}
