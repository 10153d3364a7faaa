import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

/** An address of the inner network that nobody named. */
export class ForbiddenAddress extends Error {
  override readonly name = "ForbiddenAddress";
  readonly code = "TRILITH_FORBIDDEN_ADDRESS";
}

/** Whether an address leads to this machine, a private network, a cloud's metadata, or nowhere that a public service could be. */
export function isInner(address: string): boolean {
  const bare = address.replace(/^\[|\]$/g, "").replace(/%.*$/, "");
  const family = isIP(bare);
  if (family === 0) return true;
  return family === 4 ? inner.check(bare, "ipv4") : inner.check(bare, "ipv6") || isInnerInside(bare);
}

/**
 * A name lookup that gives outer addresses only. It is the one that the connection itself uses, so the address that was
 * checked is the address that is connected to, whatever the name resolves to a moment later (DNS rebinding).
 */
export const toLookupOuter =
  (resolve: typeof lookup = lookup): LookupFunction =>
  (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error) return done(error, "");
      const [first] = addresses;
      const forbidden = addresses.find(({ address }) => isInner(address));
      if (forbidden || !first) return done(new ForbiddenAddress("The name leads to an inner address."), "");
      if (options.all) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };

// https://www.iana.org/assignments/iana-ipv4-special-registry and its sister for IPv6.
const inner = new BlockList();
for (const [net, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const)
  inner.addSubnet(net, prefix, "ipv4");
for (const [net, prefix] of [
  ["::", 127],
  ["100::", 64],
  ["2001::", 23],
  ["2001:db8::", 32],
  ["fc00::", 7],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
] as const)
  inner.addSubnet(net, prefix, "ipv6");

/** IPv4 inside IPv6: mapped (::ffff:0:0/96), compatible (::/96), translated (64:ff9b::/96, 64:ff9b:1::/48) and 6to4 (2002::/16). */
function isInnerInside(address: string): boolean {
  const groups = expand(address);
  const v4 = (high = 0, low = 0): string => [high >> 8, high & 255, low >> 8, low & 255].join(".");
  const zeros = (from: number, to: number): boolean => groups.slice(from, to).every((group) => group === 0);
  if (groups[0] === 0x2002) return inner.check(v4(groups[1], groups[2]), "ipv4");
  const embeds = zeros(0, 6) || (zeros(0, 5) && groups[5] === 0xffff) || (zeros(0, 4) && groups[4] === 0xffff);
  if (embeds || (groups[0] === 0x64 && groups[1] === 0xff9b)) return inner.check(v4(groups[6], groups[7]), "ipv4");
  return false;
}

/** The eight groups of an IPv6 address. */
function expand(address: string): readonly number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const bytes = dotted?.slice(2).map(Number) ?? [];
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  const text = dotted ? `${dotted[1]}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}` : address;
  const [head = "", tail] = text.split("::");
  const groupsOf = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const [left, right] = [groupsOf(head), groupsOf(tail ?? "")];
  return tail === undefined ? left : [...left, ...new Array(8 - left.length - right.length).fill(0), ...right];
}
