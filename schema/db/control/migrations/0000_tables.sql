CREATE TABLE `assertions` (
	`holds` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `assignments` (
	`vin` text PRIMARY KEY NOT NULL,
	`vin_key` text NOT NULL,
	`cell` text NOT NULL,
	`epoch` integer NOT NULL,
	`lane` text NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `assignments_by_cell` ON `assignments` (`cell`,`vin`);--> statement-breakpoint
CREATE TABLE `cell_changes` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`cell` text NOT NULL,
	`vin` text NOT NULL,
	`vin_key` text NOT NULL,
	`epoch` integer NOT NULL,
	`owner` text
);
--> statement-breakpoint
CREATE INDEX `cell_changes_by_cell` ON `cell_changes` (`cell`,`seq`);--> statement-breakpoint
CREATE TABLE `cells` (
	`id` text PRIMARY KEY NOT NULL,
	`public_key` text NOT NULL,
	`endpoint_suffixes` text NOT NULL,
	`is_auto_approved` integer NOT NULL,
	`region` text NOT NULL,
	`zone` text,
	`state` text NOT NULL,
	`health` text NOT NULL,
	`endpoints` text NOT NULL,
	`endpoints_published_at` integer,
	`standby` text,
	`hard_limit` integer NOT NULL,
	`warn_share` real NOT NULL,
	`request_share` real NOT NULL,
	`assigned` integer DEFAULT 0 NOT NULL,
	`weight` real DEFAULT 1 NOT NULL,
	`tags` text NOT NULL,
	`release` text NOT NULL,
	`incarnation` integer DEFAULT 0 NOT NULL,
	`is_proven` integer DEFAULT false NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `join_tokens` (
	`id` text PRIMARY KEY NOT NULL,
	`token_hash` text NOT NULL,
	`kind` text NOT NULL,
	`region` text,
	`zone` text,
	`endpoint_suffixes` text NOT NULL,
	`is_auto_approved` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`created_at` integer NOT NULL,
	`used_by` text,
	`used_by_key` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `join_tokens_token_hash_unique` ON `join_tokens` (`token_hash`);--> statement-breakpoint
CREATE TABLE `leases` (
	`name` text PRIMARY KEY NOT NULL,
	`holder` text NOT NULL,
	`term` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`batch` text DEFAULT '' NOT NULL
);
--> statement-breakpoint
CREATE TABLE `meta` (
	`id` integer PRIMARY KEY NOT NULL,
	`epoch_floor` integer NOT NULL,
	`timeline` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `outbox` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`kind` text NOT NULL,
	`vin` text NOT NULL,
	`lane` text NOT NULL,
	`created_at` integer NOT NULL,
	`not_before` integer DEFAULT 0 NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`published_at` integer
);
--> statement-breakpoint
CREATE INDEX `outbox_pending` ON `outbox` (`kind`,`lane`,`seq`) WHERE "outbox"."published_at" is null;--> statement-breakpoint
CREATE INDEX `outbox_published` ON `outbox` (`published_at`) WHERE "outbox"."published_at" is not null;--> statement-breakpoint
CREATE TABLE `pops` (
	`id` text PRIMARY KEY NOT NULL,
	`public_key` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `topologies` (
	`version` integer PRIMARY KEY NOT NULL,
	`document` text NOT NULL,
	`created_at` integer NOT NULL,
	`published_at` integer
);
--> statement-breakpoint
CREATE TABLE `vehicles` (
	`vin` text PRIMARY KEY NOT NULL,
	`vin_key` text NOT NULL,
	`market` text NOT NULL,
	`zone` text,
	`usage_region` text,
	`model` text,
	`tier` text,
	`fleet` text,
	`tenant` text,
	`version` integer DEFAULT 1 NOT NULL,
	`updated_at` integer NOT NULL
);
