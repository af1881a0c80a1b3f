CREATE TABLE `campaigns` (
	`id` text PRIMARY KEY NOT NULL,
	`reason` text NOT NULL,
	`state` text NOT NULL,
	`paused_for` text,
	`policy` text NOT NULL,
	`skipped` text NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	`created_at` integer NOT NULL,
	`closed_at` integer
);
--> statement-breakpoint
CREATE TABLE `moves` (
	`id` text PRIMARY KEY NOT NULL,
	`campaign` text NOT NULL,
	`vin` text NOT NULL,
	`vin_key` text NOT NULL,
	`source` text NOT NULL,
	`target` text NOT NULL,
	`state` text NOT NULL,
	`step` integer NOT NULL,
	`seq` integer DEFAULT 0 NOT NULL,
	`from_epoch` integer NOT NULL,
	`to_epoch` integer,
	`checksum` text,
	`deadline_at` integer,
	`is_released` integer DEFAULT false NOT NULL,
	`failure` text,
	`times` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `moves_open` ON `moves` (`vin`) WHERE state not in ('done', 'aborted');--> statement-breakpoint
CREATE INDEX `moves_by_vin` ON `moves` (`vin`,`step`);--> statement-breakpoint
CREATE INDEX `moves_in_hand_source` ON `moves` (`source`,`seq`) WHERE (state in ('locking', 'copying', 'switching', 'unlocking') or (state = 'arriving' and is_released = 0));--> statement-breakpoint
CREATE INDEX `moves_in_hand_target` ON `moves` (`target`,`seq`) WHERE state in ('locking', 'copying', 'switching', 'unlocking');--> statement-breakpoint
CREATE INDEX `moves_by_seq` ON `moves` (`seq`);--> statement-breakpoint
CREATE INDEX `moves_by_source` ON `moves` (`source`,`seq`);--> statement-breakpoint
CREATE INDEX `moves_by_target` ON `moves` (`target`,`seq`);--> statement-breakpoint
CREATE INDEX `moves_by_campaign` ON `moves` (`campaign`,`state`);--> statement-breakpoint
CREATE TABLE `alerts` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`kind` text NOT NULL,
	`subject` text NOT NULL,
	`severity` text NOT NULL,
	`detail` text NOT NULL,
	`count` integer DEFAULT 1 NOT NULL,
	`opened_at` integer NOT NULL,
	`seen_at` integer NOT NULL,
	`acknowledged_at` integer,
	`resolved_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `alerts_open` ON `alerts` (`kind`,`subject`) WHERE resolved_at is null;--> statement-breakpoint
CREATE INDEX `alerts_by_time` ON `alerts` (`opened_at`);--> statement-breakpoint
CREATE TABLE `failovers` (
	`cell` text PRIMARY KEY NOT NULL,
	`phase` text NOT NULL,
	`term` integer NOT NULL,
	`standby` text,
	`policy` text DEFAULT 'automatic' NOT NULL,
	`changed_at` integer
);
