import { toCanonicalJson } from "../../contracts/index.ts";
import { toInstant } from "../instant.ts";
import { itemsOf, withItems } from "../page-items.ts";
import type { SourcePlan } from "../source.ts";
import type { Gathered } from "./pages.ts";
import type { Tried } from "./tried.ts";

/** What a source has for one question: the value in our shape. */
export interface Found {
  readonly value: unknown;
  readonly asOf?: number;
  readonly duplicates: number;
  readonly bytes: number;
  /** Gives what was said of it, one entry a page, of a batch only our record: for `restore`. */
  readonly said: () => readonly unknown[];
  readonly pages?: number;
  readonly incomplete?: string;
}

/** What an answer has for each key that it was asked with. */
export type Pick = (key: unknown) => Tried<Found>;

/**
 * Finds our record in a batch, reads its instant, and brings it into our shape. A batch is looked through once, however
 * many keys are looked for in it.
 */
export function toPick(source: SourcePlan, gathered: Gathered): Pick {
  const { batch } = source;
  if (!batch) return () => shaped(source, gathered, gathered.value, () => gathered.said, gathered.bytes, 0);
  const { match } = batch;
  const rows = gathered.value as readonly Fields[];
  const places = placesOf(rows, match);
  let pages: ReturnType<typeof saidOf> | undefined;
  const saidAt = (place: number): unknown => {
    pages ??= saidOf(source, gathered.said); // mostly nobody asks for it
    return pages[place]?.();
  };
  const bytes = Math.ceil(gathered.bytes / Math.max(1, rows.length));
  const { cacheForMs, staleIfErrorMs, staleWhileRevalidateMs, shape } = source;
  const isTold = cacheForMs + staleIfErrorMs + staleWhileRevalidateMs > 0 || shape !== undefined;
  return (key) => {
    const text = String(key);
    const known = places.get(text);
    if (known === undefined) return withoutOurs(gathered, match, text);
    const found = typeof known === "number" ? undefined : ranked(source, rows, known);
    const first = found ? (found[0] ?? 0) : (known as number); // a list of places has one at least
    const said = isTold ? () => [saidAt(first)] : untold;
    return shaped(source, gathered, rows[first], said, bytes, found ? found.length - 1 : 0);
  };
}

/** Where nothing is kept, and nothing is made of it that could fail, nobody asks what was said. */
const untold = (): readonly unknown[] => [];

function shaped(
  source: SourcePlan,
  { pages, incomplete }: Gathered,
  answer: unknown,
  said: () => readonly unknown[],
  bytes: number,
  duplicates: number,
): Tried<Found> {
  const asOf = source.asOf === undefined ? undefined : toInstant((answer as Fields | null)?.[source.asOf]);
  let value: unknown;
  try {
    value = source.shape ? source.shape(answer) : answer;
  } catch (error) {
    const problem = `gave an answer that \`shape\` cannot take: ${error instanceof Error ? error.name : "something was thrown"}`;
    return { state: "invalid", kind: "broken", problem, repeat: false, sample: { said: said()[0] } };
  }
  if (asOf === undefined && pages === undefined && incomplete === undefined)
    return { state: "fresh", value: { value, duplicates, bytes, said } }; // the usual one
  const found: Found = {
    value,
    ...(asOf !== undefined && { asOf }),
    duplicates,
    bytes,
    said,
    ...(pages !== undefined && { pages }),
    ...(incomplete !== undefined && { incomplete }),
  };
  return { state: "fresh", value: found };
}

type Fields = { readonly [name: string]: unknown };

/** Record by record: the page that it came in, as if there were no other in it. */
function saidOf({ fetch }: SourcePlan, said: readonly unknown[]): readonly (() => unknown)[] {
  const where = (fetch.via === "http" && fetch.paging) || {};
  return said.flatMap((page) => (itemsOf(where, page) ?? []).map((record) => () => withItems(where, page, [record])));
}

/** Among the records that could not be read may be ours: those that have our key, and those whose key nobody can read. */
function withoutOurs({ broken, incomplete }: Gathered, match: string, key: string): Tried<Found> {
  const keyOf = (record: unknown): unknown =>
    typeof record === "object" && record !== null && Object.hasOwn(record, match)
      ? (record as Fields)[match]
      : undefined;
  const maybe = broken.filter((record) => {
    const theirs = keyOf(record);
    return typeof theirs !== "string" && typeof theirs !== "number" ? true : String(theirs) === key;
  });
  if (maybe.length === 0 && incomplete !== undefined)
    return { state: "down", kind: "failing", problem: `${incomplete}, and ours was not among it`, repeat: false };
  if (maybe.length === 0)
    return { state: "missing", kind: "nothing", problem: "has nothing for this key", repeat: false };
  const problem = `answered with ${maybe.length} records that break their contract, and without ours`;
  return { state: "invalid", kind: "broken", problem, repeat: false, sample: { said: maybe[0] } };
}

/** By key: the place of its record, or the places where there are several. */
function placesOf(rows: readonly Fields[], match: string): ReadonlyMap<string, number | readonly number[]> {
  const places = new Map<string, number | number[]>();
  for (let at = 0; at < rows.length; at++) {
    const key = String(rows[at]?.[match]);
    const known = places.get(key);
    if (known === undefined) places.set(key, at);
    else if (typeof known === "number") places.set(key, [known, at]);
    else known.push(at);
  }
  return places;
}

// The order of a batch says nothing, so of two records with one key the newest counts, and then the first by its text.
function ranked({ asOf }: SourcePlan, rows: readonly Fields[], places: readonly number[]): readonly number[] {
  if (places.length < 2) return places;
  const known = places.map((at) => {
    const row = rows[at] as Fields;
    const instant = (asOf ? toInstant(row[asOf]) : undefined) ?? Number.NEGATIVE_INFINITY;
    return { at, instant, text: toText(row) };
  });
  known.sort((a, b) => (a.instant === b.instant ? (a.text < b.text ? -1 : 1) : b.instant - a.instant));
  return known.map(({ at }) => at);
}

// A schema may make of a column what JSON cannot say, such as a BigInt.
const toText = (row: Fields): string =>
  toCanonicalJson(JSON.parse(JSON.stringify(row, (_, cell) => (typeof cell === "bigint" ? String(cell) : cell))));
