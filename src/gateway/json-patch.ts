/** One operation of a JSON Patch (RFC 6902). Of its six, these three say everything. */
export type PatchStep =
  | { readonly op: "add" | "replace"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string };

/**
 * The JSON Patch that leads from one JSON value to another; empty where they are equal. Of two lists, what they begin
 * and end with in common stays; what lies between is changed in its place, and then removed or added.
 */
export function toPatch(before: unknown, after: unknown): readonly PatchStep[] {
  const steps: PatchStep[] = [];
  compare(before, after, "", steps);
  return steps;
}

type Fields = { readonly [name: string]: unknown };

function compare(before: unknown, after: unknown, path: string, steps: PatchStep[]): void {
  if (before === after) return;
  if (Array.isArray(before) && Array.isArray(after)) compareLists(before, after, path, steps);
  else if (isObject(before) && isObject(after)) compareObjects(before, after, path, steps);
  else steps.push({ op: "replace", path, value: after });
}

function compareObjects(before: Fields, after: Fields, path: string, steps: PatchStep[]): void {
  for (const name of Object.keys(before))
    if (!Object.hasOwn(after, name)) steps.push({ op: "remove", path: below(path, name) });
  for (const [name, value] of Object.entries(after)) {
    if (Object.hasOwn(before, name)) compare(before[name], value, below(path, name), steps);
    else steps.push({ op: "add", path: below(path, name), value });
  }
}

function compareLists(before: readonly unknown[], after: readonly unknown[], path: string, steps: PatchStep[]): void {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && isEqual(before[head], after[head])) head++;
  let tail = 0;
  while (tail < shorter - head && isEqual(before.at(-1 - tail), after.at(-1 - tail))) tail++;
  const [old, young] = [before.length - tail, after.length - tail];
  for (let at = head; at < Math.min(old, young); at++) compare(before[at], after[at], `${path}/${at}`, steps);
  // From the back, so that no removal moves what the next one means.
  for (let at = old - 1; at >= young; at--) steps.push({ op: "remove", path: `${path}/${at}` });
  for (let at = old; at < young; at++) steps.push({ op: "add", path: `${path}/${at}`, value: after[at] });
}

function isEqual(one: unknown, other: unknown): boolean {
  const steps: PatchStep[] = [];
  compare(one, other, "", steps);
  return steps.length === 0;
}

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const below = (path: string, name: string): string => `${path}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
