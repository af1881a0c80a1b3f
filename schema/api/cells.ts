import * as z from "zod";
import { CELL_HEALTHS, CELL_STATES } from "#schema/domain/cell.ts";
import { CellIdField, EndpointsField, PublicJwkField, TimeField, ZoneField } from "./fields.ts";

const RegionField = z.string().min(1).max(64);

/** Body of `POST /v1/join-tokens`. */
export const JoinTokenRequest = z.object({
  kind: z.enum(["cell", "pop"]),
  /** What the joiner is bound to; a POP needs neither region nor zone. */
  region: RegionField.optional(),
  zone: ZoneField.nullable().default(null),
  /** Label-aligned host suffixes of the endpoints that the joiner may register. */
  endpointSuffixes: z.array(z.string().min(1)).max(20).default([]),
  expiresInSeconds: z
    .int()
    .min(60)
    .max(7 * 24 * 3600)
    .default(3600),
  /** Whether the cell goes active without an operator's approval. */
  autoApprove: z.boolean().default(false),
});
export type JoinTokenRequest = z.infer<typeof JoinTokenRequest>;

/** Answer of `POST /v1/join-tokens`: the token is shown once. */
export const JoinTokenAnswer = z.object({ id: z.string(), token: z.string(), expiresAt: TimeField });
export type JoinTokenAnswer = z.infer<typeof JoinTokenAnswer>;

export const Capacity = z.object({
  /** Vehicles that the cell never exceeds. */
  hardLimit: z.int().min(0),
  /** Shares of the hard limit at which capacity is warned about and requested. */
  warnShare: z.number().gt(0).max(1).default(0.7),
  requestShare: z.number().gt(0).max(1).default(0.85),
});

/** Body of `POST /v1/cells` (self-registration). */
export const CellRegistration = z.object({
  joinToken: z.string().min(1),
  id: CellIdField,
  publicKey: PublicJwkField,
  region: RegionField,
  zone: ZoneField.nullable(),
  endpoints: EndpointsField,
  capacity: Capacity,
  release: z.string().max(64),
});
export type CellRegistration = z.infer<typeof CellRegistration>;

/** A cell as the API shows it. */
export const Cell = z.object({
  id: CellIdField,
  region: RegionField,
  zone: ZoneField.nullable(),
  state: z.enum(CELL_STATES),
  health: z.enum(CELL_HEALTHS),
  endpoints: EndpointsField,
  standby: CellIdField.nullable(),
  capacity: Capacity,
  /** Vehicles that the cell owns. */
  vehicles: z.int(),
  weight: z.number(),
  tags: z.array(z.string()),
  release: z.string(),
  incarnation: z.int(),
  /** Whether the cell has proved that it holds its key at its endpoint. */
  isProven: z.boolean(),
  version: z.int(),
  createdAt: TimeField,
});
export type Cell = z.infer<typeof Cell>;

/** Body of `PATCH /v1/cells/{id}`; absent members stay as they are. */
export const CellPatch = z
  .object({
    capacity: Capacity.partial(),
    standby: CellIdField.nullable(),
    tags: z.array(z.string().min(1).max(64)).max(32),
    weight: z.number().min(0).max(1000),
    endpoints: EndpointsField,
    /** `draining` or back to `active`. */
    state: z.enum(["active", "draining"]),
  })
  .partial()
  .strict();
export type CellPatch = z.infer<typeof CellPatch>;

/** Body of `POST /v1/pops`. */
export const PopRegistration = z.object({ joinToken: z.string().min(1), id: CellIdField, publicKey: PublicJwkField });
export type PopRegistration = z.infer<typeof PopRegistration>;

export const Pop = z.object({ id: CellIdField, createdAt: TimeField });
export type Pop = z.infer<typeof Pop>;

/** `GET {https}/.well-known/cloverleaf/proof?nonce=…` at a cell: its key signs the nonce (schema/crypto/assertion.ts, signProof). */
export const PROOF_PATH = "/.well-known/cloverleaf/proof";
export const ProofAnswer = z.object({ proof: z.string() });
export type ProofAnswer = z.infer<typeof ProofAnswer>;
