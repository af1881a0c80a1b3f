CREATE TABLE `commands` (
	`id` text PRIMARY KEY NOT NULL,
	`vehicle` integer NOT NULL,
	`type` text NOT NULL,
	`arguments` text NOT NULL,
	`state` text NOT NULL,
	`result` text,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`requested_by` text NOT NULL,
	`token` text NOT NULL,
	`idempotency_key` text NOT NULL,
	`body_hash` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `commands_idempotency_key_unique` ON `commands` (`idempotency_key`);--> statement-breakpoint
CREATE INDEX `commands_by_state` ON `commands` (`state`,`expires_at`);--> statement-breakpoint
CREATE TABLE `facts` (
	`name` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `misfits` (
	`sequence` integer PRIMARY KEY NOT NULL,
	`vehicle` integer NOT NULL,
	`topic` text NOT NULL,
	`received_at` integer NOT NULL,
	`reason` text NOT NULL,
	`payload` blob NOT NULL
);
--> statement-breakpoint
CREATE TABLE `telemetry` (
	`sequence` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`vehicle` integer NOT NULL,
	`id` text NOT NULL,
	`received_at` integer NOT NULL,
	`payload` text NOT NULL,
	`is_indexed` integer DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `telemetry_by_id` ON `telemetry` (`vehicle`,`id`) WHERE is_indexed = 1;--> statement-breakpoint
CREATE INDEX `telemetry_by_time` ON `telemetry` (`vehicle`,`received_at`) WHERE is_indexed = 1;--> statement-breakpoint
CREATE TABLE `uplinks` (
	`sequence` integer PRIMARY KEY NOT NULL,
	`vehicle` integer NOT NULL,
	`channel` text NOT NULL,
	`id` text NOT NULL,
	`received_at` integer NOT NULL,
	`payload` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `uplinks_by_id` ON `uplinks` (`vehicle`,`channel`,`id`);--> statement-breakpoint
CREATE TABLE `vehicles` (
	`number` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`vin` text NOT NULL,
	`vin_key` text NOT NULL,
	`state` text NOT NULL,
	`epoch` integer NOT NULL,
	`other_cell` text,
	`is_provisional` integer NOT NULL,
	`since` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `vehicles_vin_unique` ON `vehicles` (`vin`);