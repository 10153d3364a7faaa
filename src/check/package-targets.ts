/** Every path that a key of a package's `imports` or `exports` may lead to, under any condition. */
export function targetsIn(map: unknown, key: string): readonly string[] {
  if (typeof map !== "object" || map === null || Array.isArray(map)) return key === "." ? leavesOf(map) : [];
  const entries = Object.entries(map);
  if (!entries.some(([name]) => name.startsWith(".") || name.startsWith("#"))) return key === "." ? leavesOf(map) : [];
  const exact = entries.find(([name]) => name === key);
  if (exact) return leavesOf(exact[1]);
  // Of several patterns that fit, the one with the longest beginning counts.
  const fitting = entries
    .flatMap(([name, target]) => {
      const star = starOf(name, key);
      return star === undefined ? [] : [{ before: name.indexOf("*"), target, star }];
    })
    .sort((one, other) => other.before - one.before)[0];
  return fitting ? leavesOf(fitting.target).map((path) => path.replaceAll("*", fitting.star)) : [];
}

/** What the star of a pattern stands for in a name that fits it. */
export function starOf(pattern: string, name: string): string | undefined {
  const star = pattern.indexOf("*");
  if (star < 0) return undefined;
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
  const fits = name.length >= before.length + after.length && name.startsWith(before) && name.endsWith(after);
  return fits ? name.slice(before.length, name.length - after.length) : undefined;
}

function leavesOf(target: unknown): readonly string[] {
  if (typeof target === "string") return [target];
  return typeof target === "object" && target !== null ? Object.values(target).flatMap(leavesOf) : [];
}
