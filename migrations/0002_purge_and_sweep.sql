-- Items that are gone for good: the change log still names them, and purging one again finishes the erasing.
CREATE TABLE purged_items (
  item INTEGER PRIMARY KEY,
  uid BLOB NOT NULL UNIQUE,
  kind INTEGER NOT NULL
) STRICT;

-- What a sweep looks for: two look-ups where nothing is due.
CREATE INDEX items_by_expiry ON items (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX items_by_deletion ON items (deleted_at) WHERE deleted_at IS NOT NULL;
