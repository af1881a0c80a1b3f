import { BlockList, isIP } from "node:net";

/** Special-purpose registries of IANA (RFC 6890): nothing in them is a public host. */
const RESERVED_IPV4 = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24"],
  ...["192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"],
];
/** The last carry an IPv4 address in them, which the system may unwrap on the way: NAT64, 6to4, Teredo, mapped. */
const RESERVED_IPV6 = [
  ...["::/128", "::1/128", "100::/64", "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"],
  ...["64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/23", "::ffff:0:0/96", "::/96"],
];

const blockListOf = (ranges: readonly string[], family: "ipv4" | "ipv6"): BlockList => {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = "", prefix = "0"] = range.split("/");
    list.addSubnet(network, Number(prefix), family);
  }
  return list;
};

/** Two lists: in a common one, ::ffff:0:0/96 would stand for every IPv4 address. */
const reservedIpv4 = blockListOf(RESERVED_IPV4, "ipv4");
const reservedIpv6 = blockListOf(RESERVED_IPV6, "ipv6");

/** Whether an address is one of the public Internet: not loopback, private, link-local, metadata, multicast, reserved or a wrapped one. */
export const isPublicAddress = (address: string): boolean => {
  const version = isIP(address);
  if (version === 0) return false;
  if (version === 4) return !reservedIpv4.check(address, "ipv4");
  // Global unicast is 2000::/3; everything else is reserved or local.
  return /^[23]/.test(address.toLowerCase()) && !reservedIpv6.check(address, "ipv6");
};
