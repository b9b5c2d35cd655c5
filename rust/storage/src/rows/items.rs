//! Items: the common row, and the row of the kind.

use std::sync::LazyLock;

use recollect_model::{
    Content, Doc, Error, Fields, Item, ItemId, Kind, Operation, Ref, RefState, Result, Rule, TargetKind, Timestamp,
    Trust,
};

use crate::connection::{Connection, Row};
use crate::rows::chunks;
use crate::value::params;

/// An item as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredItem {
    /// The row id, which chunks, tags and the log refer to.
    pub row: u32,
    /// The commit that made this version.
    pub from_seq: u64,
    /// What that commit did.
    pub operation: Operation,
    /// The item.
    pub item: Item,
}

/// What the row of an item holds beside the [`Item`] itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Links {
    /// The id of its project.
    pub project: u32,
    /// The id of its access class.
    pub access: u32,
    /// BLAKE3-128 of its content.
    pub content_hash: [u8; 16],
    /// The bands of its near-duplicate signature.
    pub signature: Option<[u8; 16]>,
}

/// The columns of an item, in the order that [`read`] expects. Tags are joined by the unit separator, which no tag
/// can contain.
const SELECT: &str = "
    SELECT i.id, i.from_seq, i.operation, i.uid, i.kind, i.version, i.key, p.path,
           (SELECT group_concat(t.name, char(31))
            FROM item_tags it JOIN tags t ON t.id = it.tag WHERE it.item = i.id),
           i.metadata, c.name, a_t.name, i.priority, i.source, i.trust, i.valid_from, i.valid_until, i.expires_at,
           i.created_at, i.created_by, i.updated_at, i.updated_by, i.deleted_at,
           r.applies_to, r.modes, r.always_on,
           d.path, d.title, d.media_type, d.text_hash,
           f.target, f.target_kind, f.note, f.checked_at, f.state
    FROM items i
    JOIN projects p ON p.id = i.project
    JOIN access_classes a ON a.id = i.access
    JOIN tiers a_t ON a_t.id = a.tier
    LEFT JOIN channels c ON c.id = a.channel
    LEFT JOIN rules r ON r.item = i.id
    LEFT JOIN docs d ON d.item = i.id
    LEFT JOIN refs f ON f.item = i.id ";

/// Reads a row of [`SELECT`]. The text of rules and docs is left empty: [`fill_text`] reads it.
fn read(row: &Row<'_>) -> Result<StoredItem> {
    let optional_time = |column| Ok::<_, Error>(row.optional_integer(column)?.map(Timestamp));
    let kind = Kind::from_number(row.integer(4)?)?;
    let content = match kind {
        Kind::Rule => Content::Rule(Rule {
            text: String::new(),
            applies_to: row.json(23)?,
            modes: row.json(24)?,
            always_on: row.integer(25)? != 0,
        }),
        Kind::Doc => Content::Doc(Doc {
            path: row.optional_text(26)?,
            title: row.optional_text(27)?,
            media_type: row.text(28)?,
            content_hash: row.bytes(29)?,
            text: String::new(),
        }),
        Kind::Ref => Content::Ref(Ref {
            target: row.text(30)?,
            target_kind: TargetKind::from_number(row.integer(31)?)?,
            note: row.text(32)?,
            checked_at: optional_time(33)?,
            state: RefState::from_number(row.integer(34)?)?,
        }),
    };
    // Sorted here: an ordered aggregate sets up a sorter for every item, with tags or without.
    let mut tags: Vec<String> =
        row.optional_text(8)?.map_or_else(Vec::new, |tags| tags.split('\u{1f}').map(str::to_owned).collect());
    tags.sort_unstable();
    Ok(StoredItem {
        row: row.id(0)?,
        from_seq: row.unsigned(1)?,
        operation: Operation::from_number(row.integer(2)?)?,
        item: Item {
            id: ItemId::from_bytes(&row.bytes::<16>(3)?)?,
            version: row.id(5)?,
            fields: Fields {
                key: row.optional_text(6)?,
                project: row.text(7)?,
                tags,
                metadata: row.text(9)?,
                channel: row.optional_text(10)?,
                tier: row.text(11)?,
                priority: i32::try_from(row.integer(12)?)
                    .map_err(|_| Error::corrupt("a priority out of range is stored"))?,
                source: row.optional_text(13)?,
                trust: Trust::from_number(row.integer(14)?)?,
                valid_from: optional_time(15)?,
                valid_until: optional_time(16)?,
                expires_at: optional_time(17)?,
            },
            content,
            created_at: Timestamp(row.integer(18)?),
            created_by: row.text(19)?,
            updated_at: Timestamp(row.integer(20)?),
            updated_by: row.text(21)?,
            deleted_at: optional_time(22)?,
        },
    })
}

/// Reads the text of a rule or a doc from its chunks.
pub(super) fn fill_text(connection: &Connection, stored: &mut StoredItem) -> Result<()> {
    match &mut stored.item.content {
        Content::Rule(rule) => rule.text = chunks::text_of_item(connection, stored.row)?,
        Content::Doc(doc) => doc.text = chunks::text_of_item(connection, stored.row)?,
        Content::Ref(_) => {}
    }
    Ok(())
}

/// The item of an id, deleted or not.
///
/// # Errors
///
/// `Corrupt` for a malformed row.
pub fn by_id(connection: &Connection, id: ItemId) -> Result<Option<StoredItem>> {
    let mut found = connection.query_one(&BY_ID, params![*id.as_bytes()], read)?;
    if let Some(stored) = &mut found {
        fill_text(connection, stored)?;
    }
    Ok(found)
}

/// The item of a row id, deleted or not, without its text.
///
/// # Errors
///
/// `Corrupt` for a malformed row.
pub fn by_row(connection: &Connection, row: u32) -> Result<Option<StoredItem>> {
    connection.query_one(&BY_ROW, params![row], read)
}

/// The item of a row id, deleted or not, with its text.
///
/// # Errors
///
/// `Corrupt` for a malformed row.
pub fn whole(connection: &Connection, row: u32) -> Result<Option<StoredItem>> {
    let mut found = by_row(connection, row)?;
    if let Some(stored) = &mut found {
        fill_text(connection, stored)?;
    }
    Ok(found)
}

/// The row ids of all items, deleted ones included, ascending.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn rows(connection: &Connection) -> Result<Vec<u32>> {
    connection.query("SELECT id FROM items NOT INDEXED ORDER BY id", params![], |row| row.id(0))
}

/// The live item of a key in a project: of several access classes, the most restricted.
///
/// # Errors
///
/// `Corrupt` for a malformed row.
pub fn by_key(connection: &Connection, kind: Kind, project: u32, key: &str) -> Result<Option<StoredItem>> {
    let mut found = connection.query_one(&BY_KEY, params![key, project, kind.number()], read)?;
    if let Some(stored) = &mut found {
        fill_text(connection, stored)?;
    }
    Ok(found)
}

static BY_ID: LazyLock<String> = LazyLock::new(|| format!("{SELECT} WHERE i.uid = ?1"));
static BY_ROW: LazyLock<String> = LazyLock::new(|| format!("{SELECT} WHERE i.id = ?1"));
static BY_KEY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{SELECT} WHERE i.key = ?1 AND i.project = ?2 AND i.kind = ?3 AND i.deleted_at IS NULL
         ORDER BY a_t.rank DESC, a.channel IS NULL, i.id LIMIT 1"
    )
});

/// The row id of the live item that has a key, in one access class.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn row_of_key(connection: &Connection, kind: Kind, project: u32, access: u32, key: &str) -> Result<Option<u32>> {
    connection.query_one(
        "SELECT id FROM items WHERE key = ?1 AND project = ?2 AND kind = ?3 AND access = ?4 AND deleted_at IS NULL",
        params![key, project, kind.number(), access],
        |row| row.id(0),
    )
}

/// The row id of the oldest live item that has equal content, in one project and access class.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn row_of_content(connection: &Connection, kind: Kind, links: &Links) -> Result<Option<u32>> {
    // Without the hint the planner prefers the index by project and kind, which leads to every item of a project.
    connection.query_one(
        "SELECT id FROM items INDEXED BY items_by_content
         WHERE content_hash = ?1 AND deleted_at IS NULL AND kind = ?2 AND project = ?3 AND access = ?4
         ORDER BY id LIMIT 1",
        params![links.content_hash, kind.number(), links.project, links.access],
        |row| row.id(0),
    )
}

/// Inserts an item without its tags and chunks.
///
/// # Errors
///
/// `Conflict` if its key is taken.
pub fn insert(connection: &Connection, stored: &StoredItem, links: &Links) -> Result<()> {
    let StoredItem { row, from_seq, operation, item } = stored;
    let fields = &item.fields;
    connection.execute(
        "INSERT INTO items (id, uid, kind, version, from_seq, operation, key, project, access, metadata, priority, source,
           trust, valid_from, valid_until, expires_at, created_at, created_by, updated_at, updated_by, content_hash, signature)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)",
        params![
            *row,
            *item.id.as_bytes(),
            item.kind().number(),
            item.version,
            *from_seq,
            operation.number(),
            fields.key.as_deref(),
            links.project,
            links.access,
            fields.metadata.as_str(),
            fields.priority,
            fields.source.as_deref(),
            fields.trust.number(),
            fields.valid_from.map(|time| time.0),
            fields.valid_until.map(|time| time.0),
            fields.expires_at.map(|time| time.0),
            item.created_at.0,
            item.created_by.as_str(),
            item.updated_at.0,
            item.updated_by.as_str(),
            links.content_hash,
            links.signature
        ],
    )?;
    write_content(connection, *row, &item.content)
}

/// Replaces the row of an item by another version.
///
/// # Errors
///
/// `Conflict` if its key is taken.
pub fn update(connection: &Connection, stored: &StoredItem, links: &Links) -> Result<()> {
    let StoredItem { row, from_seq, operation, item } = stored;
    let fields = &item.fields;
    connection.execute(
        "UPDATE items SET version = ?2, from_seq = ?3, operation = ?4, key = ?5, project = ?6, access = ?7, metadata = ?8,
           priority = ?9, source = ?10, trust = ?11, valid_from = ?12, valid_until = ?13, expires_at = ?14, updated_at = ?15,
           updated_by = ?16, deleted_at = ?17, content_hash = ?18, signature = ?19
         WHERE id = ?1",
        params![
            *row,
            item.version,
            *from_seq,
            operation.number(),
            fields.key.as_deref(),
            links.project,
            links.access,
            fields.metadata.as_str(),
            fields.priority,
            fields.source.as_deref(),
            fields.trust.number(),
            fields.valid_from.map(|time| time.0),
            fields.valid_until.map(|time| time.0),
            fields.expires_at.map(|time| time.0),
            item.updated_at.0,
            item.updated_by.as_str(),
            item.deleted_at.map(|time| time.0),
            links.content_hash,
            links.signature
        ],
    )?;
    write_content(connection, *row, &item.content)
}

fn write_content(connection: &Connection, row: u32, content: &Content) -> Result<()> {
    match content {
        Content::Rule(rule) => connection.execute(
            "INSERT OR REPLACE INTO rules (item, applies_to, modes, always_on) VALUES (?1, ?2, ?3, ?4)",
            params![row, json(&rule.applies_to)?, json(&rule.modes)?, rule.always_on],
        ),
        Content::Doc(doc) => connection.execute(
            "INSERT OR REPLACE INTO docs (item, path, title, media_type, text_hash) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![row, doc.path.as_deref(), doc.title.as_deref(), doc.media_type.as_str(), doc.content_hash],
        ),
        Content::Ref(reference) => connection.execute(
            "INSERT OR REPLACE INTO refs (item, target, target_kind, note, checked_at, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                row,
                reference.target.as_str(),
                reference.target_kind.number(),
                reference.note.as_str(),
                reference.checked_at.map(|time| time.0),
                reference.state.number()
            ],
        ),
    }?;
    Ok(())
}

/// A list of strings as a JSON array.
///
/// # Errors
///
/// None in practice: strings always have a JSON form.
pub fn json(strings: &[String]) -> Result<String> {
    if strings.is_empty() {
        return Ok("[]".to_owned());
    }
    serde_json::to_string(strings).map_err(|source| Error::internal("strings have no JSON form").with_source(source))
}

/// What links an item to its project, access class and content.
///
/// # Errors
///
/// `NotFound` if there is no such row.
pub fn links(connection: &Connection, row: u32) -> Result<Links> {
    connection
        .query_one("SELECT project, access, content_hash, signature FROM items WHERE id = ?1", params![row], |found| {
            Ok(Links {
                project: found.id(0)?,
                access: found.id(1)?,
                content_hash: found.bytes(2)?,
                signature: found.optional_bytes(3)?,
            })
        })?
        .ok_or_else(|| Error::not_found("the item is gone"))
}

/// The row id of a live item.
///
/// # Errors
///
/// Whatever the query can fail with.
pub fn live_row(connection: &Connection, id: ItemId) -> Result<Option<u32>> {
    connection.query_one("SELECT id FROM items WHERE uid = ?1 AND deleted_at IS NULL", params![*id.as_bytes()], |row| {
        row.id(0)
    })
}
