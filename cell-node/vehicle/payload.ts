import { isUtf8 } from "node:buffer";
import { hash } from "node:crypto";
import type { Vin } from "#schema/domain/vin.ts";

export type JsonPayload = { readonly kind: "json"; readonly text: string; readonly value: object };
export type PayloadFault = { readonly kind: "invalid"; readonly reason: string };

const invalid = (reason: string): PayloadFault => ({ kind: "invalid", reason });

/** Reads a payload as a JSON object or array (RFC 8259). The text is kept as it came. */
export const parsePayload = (payload: Buffer): JsonPayload | PayloadFault => {
  if (!isUtf8(payload)) return invalid("the payload is not UTF-8");
  const text = payload.toString();
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null
      ? { kind: "json", text, value }
      : invalid("the payload is not a JSON object or array");
  } catch {
    return invalid("the payload is not JSON");
  }
};

/** The same text of the same vehicle has the same hash: SHA-256, base64url. */
export const messageHash = (vin: Vin, text: string): string => hash("sha256", `${vin}\n${text}`, "base64url");

const MAX_ID_LENGTH = 128;

/** What makes a message the same message: its own `id`, else the hash of VIN and payload. */
export const messageIdOf = (vin: Vin, { text, value }: JsonPayload): string | PayloadFault => {
  const id = (value as Readonly<Record<string, unknown>>)["id"];
  if (Array.isArray(value) || id === undefined) return messageHash(vin, text);
  if (typeof id === "number" && Number.isFinite(id)) return String(id);
  if (typeof id === "string" && id.length > 0 && id.length <= MAX_ID_LENGTH) return id;
  return invalid(`id must be a number or a string of 1 to ${MAX_ID_LENGTH} characters`);
};
