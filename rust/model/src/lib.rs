//! Vocabulary, ids, limits and errors of recollect. No I/O.

mod answers;
mod call;
mod error;
mod id;
mod item;
pub mod limits;
mod project;
mod removal;
mod time;
mod vocabulary;

pub use answers::{
    AddWarning, Added, Change, Deleted, Filter, Hit, Order, Page, Project, Query, SearchAnswer, Space, Subject, Version,
};
pub use call::{Call, CancelToken, Interrupt};
pub use error::{Error, ErrorCode, Result};
pub use id::{ChunkId, ItemId};
pub use item::{Content, Doc, Draft, DraftContent, DraftFields, Field, Fields, Item, Patch, Ref, Rule};
pub use project::{ROOT, Scope, check_project, with_ancestors};
pub use removal::{DeletedMany, Purged, Swept};
pub use time::{Clock, SystemClock, Timestamp};
pub use vocabulary::{Kind, Operation, RefState, TargetKind, Trust};
