import * as z from "zod";
import { CELL_HEALTHS, CELL_STATES } from "#schema/domain/cell.ts";
import type { Topology } from "#schema/domain/topology.ts";
import { CellIdField, EndpointsField, PublicJwkField, ZoneField } from "./fields.ts";

export const TrustedIssuerDocument = z.object({
  issuer: z.string(),
  kind: z.enum(["device", "owner", "operator"]),
  wmis: z.array(z.string().max(3)),
  keys: z.array(PublicJwkField),
});

/** The topology as it stands in KV; a document that does not fit is refused and the known one kept. */
export const TopologyDocument = z.object({
  v: z.literal(1),
  version: z.int().min(1),
  force: z.boolean(),
  forcedVersion: z.int().min(0).optional(),
  cells: z.record(
    z.string(),
    z.object({
      state: z.enum(CELL_STATES),
      health: z.enum(CELL_HEALTHS),
      region: z.string(),
      zone: ZoneField.nullable(),
      endpoints: EndpointsField,
      standby: CellIdField.nullable(),
      keys: z.array(PublicJwkField),
    }),
  ),
  failovers: z.array(z.object({ cell: CellIdField, standby: CellIdField, term: z.int() })),
  issuers: z.array(TrustedIssuerDocument),
  popKeys: z.record(z.string(), z.array(PublicJwkField)),
  allowedHosts: z.array(z.string()),
  revoked: z.array(z.string()).max(10_000),
  ruleSetVersion: z.int().nullable(),
});

/** Reads a topology from outside; null when it is none. */
export const parseTopology = (input: unknown): Topology | null => TopologyDocument.safeParse(input).data ?? null;

/** A topology that only the POPs named in it take, until it is published to all or withdrawn. */
export const TopologyCanary = z.object({ pops: z.array(z.string().max(32)).max(1_000), topology: TopologyDocument });

/** Reads a canary topology from outside; null when it is none. */
export const parseTopologyCanary = (input: unknown): { readonly pops: readonly string[]; readonly topology: Topology } | null =>
  TopologyCanary.safeParse(input).data ?? null;
