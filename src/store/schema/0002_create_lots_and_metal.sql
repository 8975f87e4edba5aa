-- Traceable quantities of material. `open` is 1 until the lot is closed.
CREATE TABLE lots (
    id    TEXT PRIMARY KEY,
    label TEXT    NOT NULL,
    open  INTEGER NOT NULL,
    body  TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX lots_open_by_label ON lots (label) WHERE open = 1;

-- The metal books: lines, and what follows from them for each kind and place.
CREATE TABLE metal_entries (
    id        TEXT PRIMARY KEY,
    operation TEXT NOT NULL,
    source    TEXT NOT NULL,
    target    TEXT NOT NULL,
    body      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX metal_entries_by_source ON metal_entries (source);
CREATE INDEX metal_entries_by_target ON metal_entries (target);
CREATE INDEX metal_entries_by_operation ON metal_entries (operation);

-- `id` is the kind and the place as JSON; a balance of nothing has no row.
CREATE TABLE metal_balances (
    id         TEXT PRIMARY KEY,
    kind       TEXT    NOT NULL,
    account    TEXT    NOT NULL,
    fineness   INTEGER NOT NULL,
    milligrams INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
