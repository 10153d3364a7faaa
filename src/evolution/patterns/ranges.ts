/** A set of characters: code points from and to, both included, sorted and apart from each other. */
export type Ranges = readonly (readonly [from: number, to: number])[];

/** Every character. Halves of surrogate pairs are none, and JSON text should not hold them (RFC 7493). */
export const everyChar: Ranges = [
  [0, 0xd7ff],
  [0xe000, 0x10ffff],
];
export const digits: Ranges = [[48, 57]];
export const wordChars: Ranges = [
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
];
export const spaces: Ranges = [
  [9, 13],
  [32, 32],
  [160, 160],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
const lineEnds: Ranges = [
  [10, 10],
  [13, 13],
  [0x2028, 0x2029],
];

export function union(...sets: readonly Ranges[]): Ranges {
  const sorted = sets.flat().sort(([a], [b]) => a - b);
  const merged: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = merged.at(-1);
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

/** Every character that a set has not. */
export function complement(set: Ranges): Ranges {
  const left: [number, number][] = [];
  for (const [begin, end] of everyChar) {
    let from = begin;
    for (const [a, b] of set) {
      if (b < from || a > end) continue;
      if (a > from) left.push([from, a - 1]);
      from = b + 1;
    }
    if (from <= end) left.push([from, end]);
  }
  return left;
}
export const dot: Ranges = complement(lineEnds);

/** The characters that a class such as `\p{L}` means to this machine's own regular expressions. */
export function charsOf(classText: string): Ranges {
  const pattern = new RegExp(`^${classText}$`, "u");
  const found: [number, number][] = [];
  for (const [begin, end] of everyChar)
    for (let char = begin; char <= end; char += 1) {
      if (!pattern.test(String.fromCodePoint(char))) continue;
      const last = found.at(-1);
      if (last && last[1] === char - 1) last[1] = char;
      else found.push([char, char]);
    }
  return found;
}

export interface Representative {
  readonly char: number;
  /** Whether its group has no other. */
  readonly alone: boolean;
}

/**
 * One character for each group of characters that no set tells apart, easy to read where there is a choice. What follows
 * after one of a group follows after all of it.
 */
export function representatives(sets: readonly Ranges[]): readonly Representative[] {
  const cuts = new Set<number>([0, 0xe000]);
  for (const [from, to] of sets.flat()) cuts.add(from).add(to + 1);
  const edges = [...cuts].filter((cut) => cut < 0xd800 || (cut >= 0xe000 && cut <= 0x10ffff)).sort((a, b) => a - b);
  const groups = new Map<string, Ranges>();
  for (const [index, from] of edges.entries()) {
    const next = edges[index + 1] ?? 0x110000;
    const to = from < 0xd800 ? Math.min(next - 1, 0xd7ff) : next - 1;
    const signature = sets.map((set) => (set.some(([a, b]) => a <= from && from <= b) ? "1" : "0")).join("");
    groups.set(signature, [...(groups.get(signature) ?? []), [from, to]]);
  }
  return [...groups.values()]
    .map((group) => ({ char: friendly(group), alone: group.length === 1 && group[0]?.[0] === group[0]?.[1] }))
    .sort((a, b) => ease(a.char) - ease(b.char));
}

const preferred = [
  ..."xabcdefghijklmnopqrstuvwyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_.:/@ !#$%&()*+,;<=>?[]^{|}~",
].map((char) => char.codePointAt(0) ?? 0);
const ease = (char: number): number => {
  const place = preferred.indexOf(char);
  return place < 0 ? preferred.length + char : place;
};
function friendly(group: Ranges): number {
  const nice = preferred.find((char) => group.some(([from, to]) => from <= char && char <= to));
  return nice ?? group.find(([from]) => from > 0x9f)?.[0] ?? group[0]?.[0] ?? 0;
}
