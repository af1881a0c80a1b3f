import * as z from "zod";
import { type CellId, parseCellId } from "#schema/domain/cell.ts";
import type { PublicJwk } from "#schema/domain/topology.ts";
import { isVin, parseVin, type Vin } from "#schema/domain/vin.ts";
import { parseVinKey, type VinKey } from "#schema/domain/vin-key.ts";

/** Fields that more than one contract has, parsed into the domain's branded types. */
export const VinField = z.string().transform((input, context): Vin => {
  const vin = parseVin(input);
  if (isVin(vin)) return vin;
  context.issues.push({ code: "custom", input, message: vin.detail });
  return z.NEVER;
});

export const CellIdField = z.string().transform((input, context): CellId => {
  const id = parseCellId(input);
  if (id !== null) return id;
  context.issues.push({ code: "custom", input, message: "a cell id has 2 to 32 lower-case letters, digits and hyphens, a letter first" });
  return z.NEVER;
});

export const VinKeyField = z.string().transform((input, context): VinKey => {
  const vinKey = parseVinKey(input);
  if (vinKey !== null) return vinKey;
  context.issues.push({ code: "custom", input, message: "a vinKey has 22 base64url characters" });
  return z.NEVER;
});

export const ZoneField = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, "a zone has 1 to 32 lower-case letters, digits and hyphens");
export const EpochField = z.int().min(1);
/** RFC 3339 in UTC. */
export const TimeField = z.iso.datetime();

export const EndpointsField = z.object({ mqtt: z.url(), mqttWs: z.url().nullable(), https: z.url() });

/** 32 bytes as base64url. */
const CoordinateField = z.string().regex(/^[A-Za-z0-9_-]{43}$/, "a coordinate has 32 bytes as base64url");
const kid = z.string().min(1).max(64);
const x = CoordinateField;

/** A public key for EdDSA (RFC 8037) or ES256 (RFC 7518 §6.2). */
export const PublicJwkField: z.ZodType<PublicJwk> = z
  .discriminatedUnion("kty", [
    z
      .object({ kty: z.literal("OKP"), kid, alg: z.enum(["EdDSA", "Ed25519"]).optional(), crv: z.literal("Ed25519"), x })
      .catchall(z.unknown()),
    z.object({ kty: z.literal("EC"), kid, alg: z.literal("ES256").optional(), crv: z.literal("P-256"), x, y: x }).catchall(z.unknown()),
  ])
  .refine((jwk) => !("d" in jwk), "a private key must not be sent");
