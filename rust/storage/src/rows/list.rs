//! Lists and counts: filters compiled to SQL, pages by keyset.

use recollect_model::{Error, Filter, ItemId, Kind, Order, Result, Scope, Timestamp};

use crate::connection::Connection;
use crate::rows::items::{self, StoredItem};
use crate::rows::{access, projects, tags};
use crate::value::{Value, params};

/// Asks for the row ids of items, with the tables that the filter asks. A join costs a look-up for every item.
fn ids(kind: Kind, filter: &Filter) -> String {
    let mut sql = "SELECT i.id FROM items i".to_owned();
    if filter.channel.is_some() || filter.tier.is_some() {
        sql.push_str(" JOIN access_classes a ON a.id = i.access");
    }
    if filter.always_on.is_some() {
        sql.push_str(" LEFT JOIN rules r ON r.item = i.id");
    }
    if filter.path_prefix.is_some() {
        let table = if kind == Kind::Ref { "refs f ON f" } else { "docs d ON d" };
        sql.push_str(" LEFT JOIN ");
        sql.push_str(table);
        sql.push_str(".item = i.id");
    }
    sql
}

/// Where a page begins: behind the item with this value of the order and this row id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// For an order by number: created (the row id itself), updated, priority.
    Number(i64, u32),
    /// For an order by key; items without one count as the empty key.
    Text(String, u32),
}

/// A page request.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing<'a> {
    /// The kind.
    pub kind: Kind,
    /// Which items.
    pub filter: &'a Filter,
    /// In which order.
    pub order: Order,
    /// Whether the order is turned around.
    pub descending: bool,
    /// At most so many.
    pub limit: usize,
    /// Where to go on.
    pub after: Option<After>,
    /// Deleted items are listed from this time on; before, their undo window has passed.
    pub deleted_since: Timestamp,
}

struct Where<'f> {
    sql: String,
    values: Vec<Value<'f>>,
}

impl<'f> Where<'f> {
    fn and(&mut self, condition: &str, value: impl Into<Value<'f>>) {
        self.values.push(value.into());
        self.sql.push_str(" AND ");
        self.sql.push_str(&condition.replace("?*", &format!("?{}", self.values.len())));
    }
}

/// Compiles a filter; `None` if nothing can match.
fn compile<'f>(
    connection: &Connection,
    kind: Kind,
    filter: &'f Filter,
    deleted_since: Timestamp,
) -> Result<Option<Where<'f>>> {
    let mut clause = Where { sql: " WHERE i.kind = ?1".to_owned(), values: vec![kind.number().into()] };
    if filter.deleted {
        clause.and("i.deleted_at >= ?*", deleted_since.0);
    } else {
        clause.sql.push_str(" AND i.deleted_at IS NULL");
    }
    match &filter.scope {
        None | Some(Scope::Everywhere) => {}
        Some(Scope::Project(path)) => match projects::find(connection, path)? {
            None => return Ok(None),
            Some(id) => clause.and("i.project = ?*", id),
        },
        Some(Scope::Subtree(path)) => {
            let ids = projects::subtree(connection, path)?;
            if ids.is_empty() {
                return Ok(None);
            }
            let ids = ids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
            clause.and("i.project IN (SELECT value FROM json_each(?*))", format!("[{ids}]"));
        }
    }
    for tag in &filter.tags {
        match tags::find(connection, tag)? {
            None => return Ok(None),
            Some(id) => clause.and("EXISTS (SELECT 1 FROM item_tags it WHERE it.item = i.id AND it.tag = ?*)", id),
        }
    }
    if let Some(channel) = &filter.channel {
        match access::find_channel(connection, channel)? {
            None => return Ok(None),
            Some(id) => clause.and("a.channel = ?*", id),
        }
    }
    if let Some(tier) = &filter.tier {
        match access::find_tier(connection, tier)? {
            None => return Ok(None),
            Some(id) => clause.and("a.tier = ?*", id),
        }
    }
    if let Some(prefix) = &filter.key_prefix {
        clause.and("substr(i.key, 1, length(?*)) = ?*", prefix.as_str());
    }
    if let Some(prefix) = &filter.path_prefix {
        let column = if kind == Kind::Ref { "f.target" } else { "d.path" };
        clause.and(&format!("substr({column}, 1, length(?*)) = ?*"), prefix.as_str());
    }
    if let Some(source) = &filter.source {
        clause.and("i.source = ?*", source.as_str());
    }
    if let Some(trust) = filter.trust {
        clause.and("i.trust = ?*", trust.number());
    }
    if let Some(always_on) = filter.always_on {
        clause.and("r.always_on = ?*", always_on);
    }
    Ok(Some(clause))
}

/// The items of a page, with their text, and whether there are more behind it.
///
/// # Errors
///
/// Whatever the queries can fail with.
pub fn page(connection: &Connection, listing: &Listing<'_>) -> Result<(Vec<StoredItem>, bool)> {
    let Some(mut clause) = compile(connection, listing.kind, listing.filter, listing.deleted_since)? else {
        return Ok((Vec::new(), false));
    };
    let column = match listing.order {
        Order::Created => "i.id",
        Order::Updated => "i.updated_at",
        Order::Priority => "i.priority",
        Order::Key => "ifnull(i.key, '')",
    };
    let (direction, sign) = if listing.descending { ("DESC", '<') } else { ("ASC", '>') };
    if let Some(after) = &listing.after {
        let (value, row): (Value<'_>, u32) = match after {
            After::Number(number, row) => ((*number).into(), *row),
            After::Text(text, row) => (text.as_str().into(), *row),
        };
        clause.values.push(value);
        clause.values.push(row.into());
        let (value_at, row_at) = (clause.values.len() - 1, clause.values.len());
        let behind = format!(" AND ({column}, i.id) {sign} (?{value_at}, ?{row_at})");
        clause.sql.push_str(&behind);
    }
    clause.values.push((listing.limit + 1).into());
    // The ids first: a sort carries every column that it selects.
    let ids = ids(listing.kind, listing.filter);
    let sql =
        format!("{ids}{} ORDER BY {column} {direction}, i.id {direction} LIMIT ?{}", clause.sql, clause.values.len());
    let mut rows = connection.query_dynamic(&sql, &clause.values, |row| row.id(0))?;
    let has_more = rows.len() > listing.limit;
    rows.truncate(listing.limit);
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let mut stored =
            items::by_row(connection, row)?.ok_or_else(|| Error::internal("a listed item is not there"))?;
        items::fill_text(connection, &mut stored)?;
        found.push(stored);
    }
    Ok((found, has_more))
}

/// The row ids and ids of the items that match, oldest first.
///
/// # Errors
///
/// Whatever the queries can fail with.
pub fn matching(
    connection: &Connection,
    kind: Kind,
    filter: &Filter,
    deleted_since: Timestamp,
) -> Result<Vec<(u32, ItemId)>> {
    let Some(clause) = compile(connection, kind, filter, deleted_since)? else {
        return Ok(Vec::new());
    };
    let sql = format!("SELECT id, uid FROM items WHERE id IN ({}{}) ORDER BY id", ids(kind, filter), clause.sql);
    connection.query_dynamic(&sql, &clause.values, |row| Ok((row.id(0)?, ItemId::from_bytes(&row.bytes::<16>(1)?)?)))
}

/// How many items match.
///
/// # Errors
///
/// Whatever the queries can fail with.
pub fn count(connection: &Connection, kind: Kind, filter: &Filter, deleted_since: Timestamp) -> Result<u64> {
    let Some(clause) = compile(connection, kind, filter, deleted_since)? else {
        return Ok(0);
    };
    let sql = format!("SELECT count(*) FROM ({}{})", ids(kind, filter), clause.sql);
    Ok(connection.query_dynamic(&sql, &clause.values, |row| row.unsigned(0))?.first().copied().unwrap_or_default())
}

/// Counts that [`crate::rows`] gives of a whole store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Live rules.
    pub rules: u64,
    /// Live docs.
    pub docs: u64,
    /// Live refs.
    pub refs: u64,
    /// Deleted items.
    pub deleted: u64,
    /// Living chunks.
    pub chunks: u64,
    /// Projects that were ever used, the root included.
    pub projects: u64,
    /// Tags that were ever used.
    pub tags: u64,
}

/// Counts the whole store.
///
/// # Errors
///
/// Whatever the queries can fail with.
pub fn totals(connection: &Connection) -> Result<Totals> {
    let found = connection.query_one(
        "SELECT (SELECT count(*) FROM items WHERE kind = 1 AND deleted_at IS NULL),
                (SELECT count(*) FROM items WHERE kind = 2 AND deleted_at IS NULL),
                (SELECT count(*) FROM items WHERE kind = 3 AND deleted_at IS NULL),
                (SELECT count(*) FROM items WHERE deleted_at IS NOT NULL),
                (SELECT count(*) FROM chunks WHERE died IS NULL),
                (SELECT count(*) FROM projects),
                (SELECT count(*) FROM tags)",
        params![],
        |row| {
            Ok(Totals {
                rules: row.unsigned(0)?,
                docs: row.unsigned(1)?,
                refs: row.unsigned(2)?,
                deleted: row.unsigned(3)?,
                chunks: row.unsigned(4)?,
                projects: row.unsigned(5)?,
                tags: row.unsigned(6)?,
            })
        },
    )?;
    Ok(found.unwrap_or_default())
}

/// What the tables say that cannot be, one sentence each.
///
/// # Errors
///
/// Whatever the queries can fail with.
pub fn inconsistencies(connection: &Connection) -> Result<Vec<String>> {
    let questions = [
        (
            "SELECT count(*) FROM items i WHERE NOT EXISTS (SELECT 1 FROM chunks c WHERE c.item = i.id AND c.died IS NULL)",
            "items have no text",
        ),
        (
            "SELECT count(*) FROM items i WHERE (i.kind = 1) <> EXISTS (SELECT 1 FROM rules WHERE item = i.id)
               OR (i.kind = 2) <> EXISTS (SELECT 1 FROM docs WHERE item = i.id)
               OR (i.kind = 3) <> EXISTS (SELECT 1 FROM refs WHERE item = i.id)",
            "items are not what their kind says",
        ),
        (
            "SELECT count(*) FROM (
               SELECT start, lag(start + characters, 1, 0) OVER (PARTITION BY item ORDER BY ordinal) AS expected
               FROM chunks WHERE died IS NULL) WHERE start <> expected",
            "chunks do not begin where the one before ends",
        ),
        (
            "SELECT count(*) FROM chunks WHERE length(text) <> characters",
            "chunks do not have the length that is recorded",
        ),
        (
            "SELECT count(*) FROM items WHERE id >= (SELECT next_item FROM meta)",
            "items have ids that were not given yet",
        ),
        (
            "SELECT count(*) FROM chunks WHERE id >= (SELECT next_chunk FROM meta)",
            "chunks have ids that were not given yet",
        ),
        (
            "SELECT count(*) FROM purged_items p WHERE EXISTS (SELECT 1 FROM items WHERE items.id = p.item)
               OR EXISTS (SELECT 1 FROM items WHERE items.uid = p.uid)",
            "items are there that were purged",
        ),
    ];
    let mut problems = Vec::new();
    for (sql, what) in questions {
        let count = connection.query_one(sql, params![], |row| row.unsigned(0))?.unwrap_or_default();
        if count > 0 {
            problems.push(format!("{count} {what}"));
        }
    }
    Ok(problems)
}
