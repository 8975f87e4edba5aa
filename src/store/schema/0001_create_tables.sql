-- Append-only proof of everything that happened. `chain` is SHA-256(previous chain, seq, at, actor, body).
CREATE TABLE journal (
    seq     INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    kind    TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    actor   TEXT    NOT NULL,
    body    TEXT    NOT NULL,
    chain   BLOB    NOT NULL
) STRICT;

-- The present. Folding the journal from zero gives exactly these tables.
CREATE TABLE designs (
    id   TEXT PRIMARY KEY,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE orders (
    id           TEXT PRIMARY KEY,
    external_ref TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    state        TEXT    NOT NULL,
    due          INTEGER NOT NULL,
    body         TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX orders_by_state ON orders (state, id);
CREATE INDEX orders_by_external_ref ON orders (external_ref, id);

CREATE TABLE pieces (
    id       TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    state    TEXT NOT NULL,
    body     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX pieces_by_order ON pieces (order_id, id);
CREATE INDEX pieces_by_state ON pieces (state, id);

CREATE TABLE plates (
    id    TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    body  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE operations (
    id    TEXT PRIMARY KEY,
    plate TEXT    NOT NULL,
    open  INTEGER NOT NULL,
    body  TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX operations_open ON operations (id) WHERE open = 1;
CREATE INDEX operations_by_plate ON operations (plate);

CREATE TABLE operation_pieces (
    piece     TEXT NOT NULL,
    operation TEXT NOT NULL,
    PRIMARY KEY (piece, operation)
) STRICT, WITHOUT ROWID;

CREATE TABLE plans (
    id   TEXT PRIMARY KEY,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE stations (
    id   TEXT PRIMARY KEY,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE webhooks (
    id   TEXT PRIMARY KEY,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The public form of events, with a numbering of its own.
CREATE TABLE notices (
    seq         INTEGER PRIMARY KEY,
    journal_seq INTEGER NOT NULL,
    order_id    TEXT    NOT NULL,
    piece_id    TEXT    NOT NULL,
    event_type  TEXT    NOT NULL,
    body        TEXT    NOT NULL
) STRICT;
CREATE INDEX notices_by_piece ON notices (piece_id, seq);

-- The outbox, filled in the transaction of the event. `next_at` is real time, also where shop time is simulated.
CREATE TABLE deliveries (
    id          TEXT PRIMARY KEY,
    webhook     TEXT    NOT NULL,
    notice_seq  INTEGER NOT NULL,
    order_id    TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    attempts    INTEGER NOT NULL,
    next_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_pending ON deliveries (webhook, order_id, notice_seq) WHERE state = 'pending';
CREATE INDEX deliveries_by_webhook ON deliveries (webhook, notice_seq);

CREATE TABLE delivery_attempts (
    delivery TEXT    NOT NULL,
    attempt  INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    status   INTEGER,
    text     TEXT    NOT NULL,
    PRIMARY KEY (delivery, attempt)
) STRICT, WITHOUT ROWID;

-- What a repeated request was answered the first time.
CREATE TABLE idempotency (
    principal   TEXT NOT NULL,
    route       TEXT NOT NULL,
    key         TEXT NOT NULL,
    body_sha256 BLOB NOT NULL,
    status      INTEGER NOT NULL,
    response    TEXT NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (principal, route, key)
) STRICT, WITHOUT ROWID;
