import { hash, timingSafeEqual } from "node:crypto";
import { BlockList, isIPv6 } from "node:net";
import * as z from "zod";

const Address = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]);

/** The subordinate platforms that may connect: from these addresses, with this login. The password's SHA-256 is configured, hex. */
export const PlatformList = z
  .array(
    z.object({
      user: z.string().min(1).max(12),
      passwordSha256: z.string().regex(/^[0-9a-f]{64}$/, "64 lower-case hex digits"),
      addresses: z.array(Address).min(1),
    }),
  )
  .max(1000);
export type PlatformList = z.infer<typeof PlatformList>;

export type Platforms = {
  /** Whether anyone at all may call from here: looked at before a byte is read. */
  isAllowed(address: string): boolean;
  /** Whether this login is right, and may come from here. */
  verify(address: string, user: string, password: string): boolean;
};

/** IPv4 addresses reach a dual-stack listener as ::ffff:a.b.c.d. */
const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, "");

const familyOf = (address: string) => (isIPv6(address) ? "ipv6" : "ipv4");

const blockListOf = (addresses: readonly string[]): BlockList => {
  const list = new BlockList();
  for (const entry of addresses) {
    const [network = "", prefix] = entry.split("/");
    if (prefix === undefined) list.addAddress(network, familyOf(network));
    else list.addSubnet(network, Number(prefix), familyOf(network));
  }
  return list;
};

const UNKNOWN_HASH = "0".repeat(64);

export const createPlatforms = (list: PlatformList): Platforms => {
  const entries = list.map((platform) => ({ ...platform, addresses: blockListOf(platform.addresses) }));
  const isFrom = (addresses: BlockList, address: string): boolean => {
    const plain = plainAddress(address);
    return addresses.check(plain, familyOf(plain));
  };
  return {
    isAllowed: (address) => entries.some(({ addresses }) => isFrom(addresses, address)),
    verify(address, user, password) {
      const entry = entries.find((one) => one.user === user && isFrom(one.addresses, address));
      const given = hash("sha256", password, "buffer");
      return timingSafeEqual(given, Buffer.from(entry?.passwordSha256 ?? UNKNOWN_HASH, "hex")) && entry !== undefined;
    },
  };
};
