/**
 * How many partitions a member should hold: as many as each other, give or take one. The one more goes to whoever holds most
 * already, so that nothing moves between members once it is spread. Everybody who sees the same comes to the same.
 */
export function toFairShare(member: string, members: readonly string[], owners: readonly (string | null)[]): number {
  const held = new Map<string, number>();
  for (const owner of owners) if (owner !== null) held.set(owner, (held.get(owner) ?? 0) + 1);
  const countOf = (one: string): number => held.get(one) ?? 0;
  const ranked = members.toSorted((a, b) => countOf(b) - countOf(a) || (a < b ? -1 : 1));
  const rank = ranked.indexOf(member);
  if (rank < 0) return 0;
  const more = owners.length % members.length;
  return Math.floor(owners.length / members.length) + (rank < more ? 1 : 0);
}
