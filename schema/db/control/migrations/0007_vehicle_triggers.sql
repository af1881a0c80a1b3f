-- Every change of a grant is told to the vehicle's cell, and all of its grants to a cell that it comes to.
CREATE TRIGGER grants_after_insert AFTER INSERT ON grants
BEGIN
  INSERT INTO grant_changes (cell, vin, vin_key, subject, role)
    SELECT cell, vin, vin_key, new.subject, CASE WHEN new.revoked_at IS NULL THEN new.role END FROM assignments WHERE vin = new.vin;
END;
--> statement-breakpoint
CREATE TRIGGER grants_after_update AFTER UPDATE ON grants
BEGIN
  INSERT INTO grant_changes (cell, vin, vin_key, subject, role)
    SELECT cell, vin, vin_key, new.subject, CASE WHEN new.revoked_at IS NULL THEN new.role END FROM assignments WHERE vin = new.vin;
END;
--> statement-breakpoint
CREATE TRIGGER assignments_grants_insert AFTER INSERT ON assignments
BEGIN
  INSERT INTO grant_changes (cell, vin, vin_key, subject, role)
    SELECT new.cell, vin, new.vin_key, subject, CASE WHEN revoked_at IS NULL THEN role END FROM grants WHERE vin = new.vin;
END;
--> statement-breakpoint
CREATE TRIGGER assignments_grants_update AFTER UPDATE OF cell ON assignments WHEN new.cell <> old.cell
BEGIN
  INSERT INTO grant_changes (cell, vin, vin_key, subject, role)
    SELECT new.cell, vin, new.vin_key, subject, CASE WHEN revoked_at IS NULL THEN role END FROM grants WHERE vin = new.vin;
END;
--> statement-breakpoint
CREATE TRIGGER grants_guard BEFORE INSERT ON grants
BEGIN
  SELECT raise(abort, 'a grant is of a registered vehicle') WHERE NOT EXISTS (SELECT 1 FROM vehicles WHERE vin = new.vin);
END;
--> statement-breakpoint
-- The VIN of an erased vehicle is kept until the edge has forgotten it, and no longer.
CREATE TRIGGER outbox_forget AFTER UPDATE OF published_at ON outbox
  WHEN new.published_at IS NOT NULL AND new.kind = 'route' AND NOT EXISTS (SELECT 1 FROM vehicles WHERE vin = new.vin)
BEGIN
  DELETE FROM outbox WHERE seq = new.seq;
END;
--> statement-breakpoint
-- I2: what was erased keeps the floor above its epoch, whatever is restored.
CREATE TRIGGER tombstones_floor AFTER INSERT ON tombstones
BEGIN
  UPDATE meta SET epoch_floor = max(epoch_floor, new.epoch);
END;
