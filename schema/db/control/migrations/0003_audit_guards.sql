-- The audit is append-only, for everybody who has the database.
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN
  SELECT raise(abort, 'the audit is append-only');
END;
--> statement-breakpoint
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN
  SELECT raise(abort, 'the audit is append-only');
END;
--> statement-breakpoint
-- No row takes the place of another (INSERT OR REPLACE deletes without a delete trigger), and none is left out.
CREATE TRIGGER audit_in_order BEFORE INSERT ON audit WHEN new.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit)
BEGIN
  SELECT raise(abort, 'the audit has no gaps');
END;
