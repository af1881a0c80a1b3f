CREATE TABLE `move_marks` (
	`vehicle` integer PRIMARY KEY NOT NULL,
	`move_id` text NOT NULL,
	`step` integer NOT NULL,
	`role` text NOT NULL,
	`peer` text NOT NULL,
	`checksum` text,
	`is_seen` integer NOT NULL,
	`locked_at` integer,
	`session` text
);
--> statement-breakpoint
ALTER TABLE `telemetry` ADD `is_copied` integer DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX `commands_by_vehicle` ON `commands` (`vehicle`,`created_at`);