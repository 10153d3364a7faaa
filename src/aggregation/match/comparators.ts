import { type Duration, toMs } from "../../contracts/index.ts";
import { toInstant } from "../instant.ts";

/** How alike two values are, from 0 (not at all) to 1 (the same); nothing where they cannot be compared. Pure. */
export type Comparator = (left: unknown, right: unknown) => number | undefined;

/** 1 for the same text, number or truth, otherwise 0. */
export const exactly: Comparator = (left, right) =>
  isPlain(left) && isPlain(right) ? Number(left === right || Object.is(left, right)) : undefined;

/** Jaro-Winkler: for short names, where what comes first says most (Winkler 1990, with a prefix of 4 and a scale of 0.1). */
export const jaroWinkler: Comparator = (left, right) => {
  if (typeof left !== "string" || typeof right !== "string") return undefined;
  const [a, b] = [[...left], [...right]];
  const jaro = jaroOf(a, b);
  let prefix = 0;
  while (prefix < 4 && prefix < a.length && a[prefix] === b[prefix]) prefix++;
  return jaro + prefix * 0.1 * (1 - jaro);
};

/** 1 less the share of characters that must be inserted, removed or replaced (Levenshtein 1966). For longer text. */
export const levenshtein: Comparator = (left, right) => {
  if (typeof left !== "string" || typeof right !== "string") return undefined;
  const [a, b] = [[...left], [...right]];
  return a.length + b.length === 0 ? 1 : 1 - editsBetween(a, b) / Math.max(a.length, b.length);
};

/** 1 for equal numbers, falling evenly to 0 at this difference. */
export function within(difference: number): Comparator {
  positive(difference, "difference");
  return (left, right) => (isNumber(left) && isNumber(right) ? fading(Math.abs(left - right), difference) : undefined);
}

/** 1 for equal instants, falling evenly to 0 at this distance in time. Takes what `asOf` takes. */
export function around(time: Duration): Comparator {
  const ms = toMs(time);
  positive(ms, "time");
  return (left, right) => {
    const [a, b] = [toInstant(left), toInstant(right)];
    return a === undefined || b === undefined ? undefined : fading(Math.abs(a - b), ms);
  };
}

/** 1 at the same place, falling evenly to 0 at this distance. Takes `{ latitude, longitude }` in degrees. */
export function nearby(metres: number): Comparator {
  positive(metres, "distance");
  return (left, right) => {
    const distance = metresBetween(left, right);
    return distance === undefined ? undefined : fading(distance, metres);
  };
}

/** The way along a great circle (haversine) on a sphere of the Earth's mean radius, off by 0.5% at most. */
export function metresBetween(left: unknown, right: unknown): number | undefined {
  if (!isPlace(left) || !isPlace(right)) return undefined;
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const half = (from: number, to: number): number => Math.sin(radians(to - from) / 2) ** 2;
  const shrink = Math.cos(radians(left.latitude)) * Math.cos(radians(right.latitude));
  const chord = half(left.latitude, right.latitude) + shrink * half(left.longitude, right.longitude);
  return 2 * 6_371_008.8 * Math.asin(Math.sqrt(Math.min(1, chord)));
}

function jaroOf(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 && b.length === 0) return 1;
  const reach = Math.max(0, Math.floor(Math.max(a.length, b.length) / 2) - 1);
  const taken = new Set<number>();
  const ours: string[] = [];
  for (const [at, letter] of a.entries()) {
    const end = Math.min(b.length - 1, at + reach);
    for (let other = Math.max(0, at - reach); other <= end; other++) {
      if (taken.has(other) || b[other] !== letter) continue;
      taken.add(other);
      ours.push(letter);
      break;
    }
  }
  const common = ours.length;
  if (common === 0) return 0;
  const theirs = b.filter((_, at) => taken.has(at));
  const swapped = ours.filter((letter, at) => letter !== theirs[at]).length / 2;
  return (common / a.length + common / b.length + (common - swapped) / common) / 3;
}

function editsBetween(a: readonly string[], b: readonly string[]): number {
  let above = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (const [row, letter] of a.entries()) {
    const here = [row + 1];
    for (const [column, other] of b.entries()) {
      const replaced = (above[column] ?? 0) + Number(letter !== other);
      here.push(Math.min(replaced, (above[column + 1] ?? 0) + 1, (here[column] ?? 0) + 1));
    }
    above = here;
  }
  return above[b.length] ?? 0;
}

const fading = (distance: number, to: number): number => Math.max(0, 1 - distance / to);
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isPlain = (value: unknown): boolean => ["string", "number", "boolean", "bigint"].includes(typeof value);
const isPlace = (value: unknown): value is { readonly latitude: number; readonly longitude: number } => {
  const { latitude, longitude } = (value ?? {}) as { readonly latitude?: unknown; readonly longitude?: unknown };
  return isNumber(latitude) && isNumber(longitude);
};

function positive(value: number, what: string): void {
  if (!(value > 0 && Number.isFinite(value)))
    throw new TypeError(`Likeness falls to 0 at a ${what} above 0; ${value} is not one.`);
}
