//! The closed sets of words that items, changes and answers use.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident ($what:literal) { $($(#[$variant_doc:meta])* $variant:ident = $number:literal $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $word)] $variant = $number,)* }

        impl $name {
            /// Every word, in the order of its numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word, as every surface spells it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The number it is stored as.
            pub const fn number(self) -> i64 {
                self as i64
            }

            /// From the stored number.
            ///
            /// # Errors
            ///
            /// `Corrupt` if the number stands for nothing.
            pub fn from_number(number: i64) -> Result<Self> {
                match number {
                    $($number => Ok(Self::$variant),)*
                    _ => Err(Error::corrupt(format!("{number} is no {} of this version", $what))),
                }
            }

            /// From the word.
            ///
            /// # Errors
            ///
            /// `InvalidInput`, naming the words there are.
            pub fn parse(word: &str) -> Result<Self> {
                match word {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(Error::invalid(format!("{word:?} is no {}; known are: {}", $what, [$($word),*].join(", ")))),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// What an item is.
    Kind ("kind") {
        /// An instruction to obey.
        Rule = 1 "rule",
        /// A project document, kept verbatim and split into chunks.
        Doc = 2 "doc",
        /// A pointer with a note.
        Ref = 3 "ref",
    }
}

words! {
    /// How far the origin of an item is trusted; apart from who may see it.
    Trust ("trust level") {
        /// Written or confirmed by the owner.
        Trusted = 1 "trusted",
        /// Nobody has confirmed it yet.
        Unverified = 2 "unverified",
        /// From a source that may be hostile: data, never instructions.
        Untrusted = 3 "untrusted",
    }
}

words! {
    /// What a ref points to.
    TargetKind ("target kind") {
        /// An address such as `https://example.org/page`.
        Url = 1 "url",
        /// A file, with an optional line or range of lines: `src/main.rs:10-20`.
        File = 2 "file",
        /// A commit: `commit:1a2b3c4`.
        Commit = 3 "commit",
        /// An issue or pull request: `owner/name#12` or `#12`.
        Issue = 4 "issue",
    }
}

words! {
    /// Whether what a ref points to is still there and still the same.
    RefState ("ref state") {
        /// Nobody has looked.
        Unchecked = 1 "unchecked",
        /// Found, and as it was.
        Fresh = 2 "fresh",
        /// Found, but changed.
        Stale = 3 "stale",
        /// Not found.
        Broken = 4 "broken",
    }
}

words! {
    /// What a change did.
    Operation ("operation") {
        /// An item came into being; without an item, a channel did.
        Created = 1 "created",
        /// An item got new content or new fields.
        Updated = 2 "updated",
        /// An item was deleted; it can be restored within the undo window.
        Deleted = 3 "deleted",
        /// A deleted item came back.
        Restored = 4 "restored",
        /// An item got the content of an older version.
        Reverted = 5 "reverted",
        /// Vectors of an item's chunks were stored.
        Embedded = 6 "embedded",
        /// The project of an item got another path.
        Moved = 7 "moved",
        /// An item was purged: nothing of it is left but its id.
        Purged = 8 "purged",
        /// An item that had expired, or whose undo window had closed, was removed for good.
        Swept = 9 "swept",
        /// What can be derived from the rest of the store was made anew.
        Repaired = 10 "repaired",
    }
}
