import fc from "fast-check";
import { expect, test } from "vitest";
import { toFairShare } from "./fair-share.ts";

const node = fc.integer({ min: 0, max: 6 }).map((n) => `node-${n}`);
const nodes = fc.uniqueArray(node, { minLength: 1 });
const holding = fc.array(fc.option(node), { minLength: 1, maxLength: 20 });

test("the shares are all that there is, and differ by one at most", () => {
  fc.assert(
    fc.property(nodes, holding, (members, owners) => {
      const shares = members.map((member) => toFairShare(member, members, owners));
      expect(shares.reduce((sum, share) => sum + share)).toBe(owners.length);
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
    }),
  );
});

test("what is spread evenly stays where it is, whoever holds the one more", () => {
  fc.assert(
    fc.property(nodes, fc.integer({ min: 1, max: 20 }), (members, partitions) => {
      const owners = Array.from({ length: partitions }, (_, index) => members[index % members.length] as string);
      for (const member of members)
        expect(toFairShare(member, members, owners)).toBe(owners.filter((owner) => owner === member).length);
    }),
  );
});

test("who is not a member has no share", () => {
  expect(toFairShare("gone", ["here"], ["gone", "gone"])).toBe(0);
  expect(toFairShare("here", ["here"], ["gone", "gone"])).toBe(2);
});
