-- The first schema. Numbers stand for the words of rust/model/src/vocabulary.rs; times are microseconds since
-- 1970-01-01T00:00:00Z; ids of items and chunks are dense, below 2^32, and never given twice.

-- One row: which store this is, and how far it has come.
CREATE TABLE meta (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  store_uuid BLOB NOT NULL,
  generation INTEGER NOT NULL,   -- raised by a restore
  seq INTEGER NOT NULL,          -- the number of the last commit
  log_digest BLOB NOT NULL,      -- BLAKE3-256 chained over every row of changes
  next_item INTEGER NOT NULL,
  next_chunk INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
INSERT INTO meta VALUES (
  1, randomblob(16), 1, 0, zeroblob(32), 1, 1, CAST(unixepoch('subsec') * 1000000 AS INTEGER)
);

-- What alters stored bytes or answers, as JSON.
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Ids are never given twice: older versions of items name their project by its id.
CREATE TABLE projects (id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO projects VALUES (1, '');

CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE tiers (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, rank INTEGER NOT NULL UNIQUE) STRICT;
INSERT INTO tiers VALUES (1, 'public', 10), (2, 'internal', 20), (3, 'confidential', 30), (4, 'restricted', 40);

CREATE TABLE channels (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

-- Who may see an item, interned: a tier, a channel or none, and named principals (a JSON array) or none.
CREATE TABLE access_classes (
  id INTEGER PRIMARY KEY,
  tier INTEGER NOT NULL REFERENCES tiers,
  channel INTEGER REFERENCES channels,
  principals TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX access_classes_by_content ON access_classes (tier, ifnull(channel, 0), principals);

CREATE TABLE items (
  id INTEGER PRIMARY KEY,
  uid BLOB NOT NULL UNIQUE,
  kind INTEGER NOT NULL,
  version INTEGER NOT NULL,
  from_seq INTEGER NOT NULL,     -- the commit that made this version
  operation INTEGER NOT NULL,    -- and what it did
  key TEXT,
  project INTEGER NOT NULL REFERENCES projects,
  access INTEGER NOT NULL REFERENCES access_classes,
  metadata TEXT NOT NULL,
  priority INTEGER NOT NULL,
  source TEXT,
  trust INTEGER NOT NULL,
  valid_from INTEGER,
  valid_until INTEGER,
  expires_at INTEGER,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  updated_by TEXT NOT NULL,
  deleted_at INTEGER,
  content_hash BLOB NOT NULL,    -- BLAKE3-128 of what the kind adds to the common fields
  signature BLOB                 -- four 32-bit band hashes; none for a short text
) STRICT;
CREATE UNIQUE INDEX items_by_key ON items (key, project, kind, access) WHERE key IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX items_by_content ON items (content_hash) WHERE deleted_at IS NULL;
CREATE INDEX items_by_project ON items (project, kind);

CREATE TABLE item_tags (
  item INTEGER NOT NULL REFERENCES items,
  tag INTEGER NOT NULL REFERENCES tags,
  PRIMARY KEY (item, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX item_tags_by_tag ON item_tags (tag, item);

-- The text of a rule or a doc is the text of its living chunks, in order.
CREATE TABLE rules (
  item INTEGER PRIMARY KEY REFERENCES items,
  applies_to TEXT NOT NULL,      -- JSON array of globs
  modes TEXT NOT NULL,           -- JSON array
  always_on INTEGER NOT NULL
) STRICT;

CREATE TABLE docs (
  item INTEGER PRIMARY KEY REFERENCES items,
  path TEXT,
  title TEXT,
  media_type TEXT NOT NULL,
  text_hash BLOB NOT NULL        -- BLAKE3-256 of the text
) STRICT;

CREATE TABLE refs (
  item INTEGER PRIMARY KEY REFERENCES items,
  target TEXT NOT NULL,
  target_kind INTEGER NOT NULL,
  note TEXT NOT NULL,
  checked_at INTEGER,
  state INTEGER NOT NULL
) STRICT;

-- The content of a chunk never changes; only its place among the chunks of its item may.
CREATE TABLE chunks (
  id INTEGER PRIMARY KEY,
  item INTEGER NOT NULL REFERENCES items,
  ordinal INTEGER NOT NULL,
  start INTEGER NOT NULL,        -- in characters of the item's text
  characters INTEGER NOT NULL,
  heading TEXT NOT NULL,         -- JSON array, widest heading first
  text TEXT NOT NULL,
  content_hash BLOB NOT NULL,    -- BLAKE3-128 of heading and text
  born INTEGER NOT NULL,         -- the commit that made it
  died INTEGER                   -- the commit that replaced it
) STRICT;
CREATE INDEX chunks_by_item ON chunks (item, died, ordinal);

-- An embedding space; its vectors stand in a table of their own, vectors_<id>.
CREATE TABLE spaces (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  revision TEXT NOT NULL,
  dimension INTEGER NOT NULL,
  weights_hash BLOB,
  settings TEXT NOT NULL,        -- JSON object
  is_active INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX spaces_active ON spaces (is_active) WHERE is_active = 1;

-- The change log: one number per commit, without gaps. A purged item leaves its rows, which hold no content.
CREATE TABLE changes (
  seq INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  item INTEGER,
  kind INTEGER,
  operation INTEGER NOT NULL,
  at INTEGER NOT NULL,
  by TEXT NOT NULL,
  PRIMARY KEY (seq, ordinal)
) STRICT, WITHOUT ROWID;

-- Versions that were replaced. The current one is the row in items.
CREATE TABLE item_versions (
  item INTEGER NOT NULL REFERENCES items,
  version INTEGER NOT NULL,
  from_seq INTEGER NOT NULL,
  to_seq INTEGER NOT NULL,
  operation INTEGER NOT NULL,
  record TEXT NOT NULL,          -- JSON; the text as the ids of its chunks
  PRIMARY KEY (item, version)
) STRICT, WITHOUT ROWID;

INSERT INTO settings VALUES
  ('chunking', '{"target_bytes": 1024, "max_bytes": 4096}'),
  ('default_tier', '"internal"'),
  ('near_duplicate_similarity', '0.8'),
  ('undo_window_seconds', '2592000');
