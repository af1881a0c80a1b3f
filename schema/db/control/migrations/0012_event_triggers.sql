-- Events are written with what they tell of: there is never the one without the other. Bulk placements are told by the import's audit alone.
CREATE TRIGGER events_vehicle_placed AFTER INSERT ON assignments WHEN new.lane = 'single'
BEGIN
  INSERT INTO events (type, subject, data, at)
    VALUES ('vehicle.placed', new.vin_key, json_object('cell', new.cell, 'epoch', new.epoch), cast(unixepoch('subsec') * 1000 AS integer));
END;
--> statement-breakpoint
CREATE TRIGGER events_vehicle_moved AFTER UPDATE OF cell ON assignments WHEN new.cell <> old.cell
BEGIN
  INSERT INTO events (type, subject, data, at)
    VALUES ('vehicle.moved', new.vin_key, json_object('from', old.cell, 'to', new.cell, 'epoch', new.epoch), cast(unixepoch('subsec') * 1000 AS integer));
END;
--> statement-breakpoint
CREATE TRIGGER events_vehicle_erased AFTER DELETE ON assignments
BEGIN
  INSERT INTO events (type, subject, data, at)
    VALUES ('vehicle.erased', old.vin_key, json_object('cell', old.cell, 'epoch', old.epoch), cast(unixepoch('subsec') * 1000 AS integer));
END;
--> statement-breakpoint
CREATE TRIGGER events_cell_registered AFTER INSERT ON cells
BEGIN
  INSERT INTO events (type, subject, data, at)
    VALUES ('cell.registered', new.id, json_object('region', new.region, 'zone', new.zone, 'state', new.state), cast(unixepoch('subsec') * 1000 AS integer));
END;
--> statement-breakpoint
CREATE TRIGGER events_cell_state AFTER UPDATE OF state ON cells WHEN new.state <> old.state
BEGIN
  INSERT INTO events (type, subject, data, at)
    VALUES ('cell.state_changed', new.id, json_object('before', old.state, 'after', new.state), cast(unixepoch('subsec') * 1000 AS integer));
END;
--> statement-breakpoint
CREATE TRIGGER events_cell_health AFTER UPDATE OF health ON cells WHEN new.health <> old.health
BEGIN
  INSERT INTO events (type, subject, data, at)
    VALUES ('cell.health_changed', new.id, json_object('before', old.health, 'after', new.health), cast(unixepoch('subsec') * 1000 AS integer));
END;
--> statement-breakpoint
CREATE TRIGGER events_failover AFTER UPDATE OF phase ON failovers WHEN new.phase <> old.phase
BEGIN
  INSERT INTO events (type, subject, data, at)
    VALUES ('cell.failover_changed', new.cell, json_object('before', old.phase, 'after', new.phase, 'term', new.term, 'standby', new.standby), cast(unixepoch('subsec') * 1000 AS integer));
END;
--> statement-breakpoint
CREATE TRIGGER events_failover_first AFTER INSERT ON failovers
BEGIN
  INSERT INTO events (type, subject, data, at)
    VALUES ('cell.failover_changed', new.cell, json_object('before', null, 'after', new.phase, 'term', new.term, 'standby', new.standby), cast(unixepoch('subsec') * 1000 AS integer));
END;
--> statement-breakpoint
CREATE TRIGGER events_rule_set AFTER UPDATE OF state ON rule_sets WHEN new.state <> old.state
BEGIN
  INSERT INTO events (type, subject, data, at)
    VALUES ('rule_set.state_changed', cast(new.version AS text), json_object('before', old.state, 'after', new.state), cast(unixepoch('subsec') * 1000 AS integer));
END;
--> statement-breakpoint
CREATE TRIGGER events_campaign_started AFTER INSERT ON campaigns
BEGIN
  INSERT INTO events (type, subject, data, at)
    VALUES ('campaign.state_changed', new.id, json_object('before', null, 'after', new.state), cast(unixepoch('subsec') * 1000 AS integer));
END;
--> statement-breakpoint
CREATE TRIGGER events_campaign AFTER UPDATE OF state ON campaigns WHEN new.state <> old.state
BEGIN
  INSERT INTO events (type, subject, data, at)
    VALUES ('campaign.state_changed', new.id, json_object('before', old.state, 'after', new.state), cast(unixepoch('subsec') * 1000 AS integer));
END;
--> statement-breakpoint
CREATE TRIGGER events_alert_opened AFTER INSERT ON alerts
BEGIN
  INSERT INTO events (type, subject, data, at)
    VALUES ('alert.opened', new.subject, json_object('id', new.id, 'kind', new.kind, 'severity', new.severity), cast(unixepoch('subsec') * 1000 AS integer));
END;
--> statement-breakpoint
CREATE TRIGGER events_alert_resolved AFTER UPDATE OF resolved_at ON alerts WHEN new.resolved_at IS NOT NULL AND old.resolved_at IS NULL
BEGIN
  INSERT INTO events (type, subject, data, at)
    VALUES ('alert.resolved', new.subject, json_object('id', new.id, 'kind', new.kind), cast(unixepoch('subsec') * 1000 AS integer));
END;
--> statement-breakpoint
CREATE TRIGGER events_topology AFTER UPDATE OF published_at ON topologies WHEN new.published_at IS NOT NULL
BEGIN
  INSERT INTO events (type, subject, data, at)
    VALUES ('topology.published', cast(new.version AS text), json_object('version', new.version), cast(unixepoch('subsec') * 1000 AS integer));
END;
