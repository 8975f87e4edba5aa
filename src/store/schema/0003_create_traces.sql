-- Who did what to an operation is asked for each passport.
CREATE INDEX journal_by_subject ON journal (subject, seq);

-- Labels of lots that people recorded with an operation: which pieces came from this bottle, bag or drum?
CREATE TABLE operation_lots (
    label     TEXT NOT NULL,
    operation TEXT NOT NULL,
    PRIMARY KEY (label, operation)
) STRICT, WITHOUT ROWID;
CREATE INDEX lots_by_label ON lots (label);
CREATE INDEX operation_pieces_by_operation ON operation_pieces (operation);
