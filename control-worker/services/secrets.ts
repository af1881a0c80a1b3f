import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

export const sha256Hex = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Whether a presented secret has this hash; takes the same time whatever differs. */
export const isSecret = (presented: string, hashHex: string): boolean =>
  timingSafeEqual(Buffer.from(sha256Hex(presented), "hex"), Buffer.from(hashHex, "hex"));

export const newSecret = (prefix: string): string => `${prefix}${randomBytes(24).toString("base64url")}`;
