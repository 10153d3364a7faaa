import { toCanonicalJson } from "../../contracts/index.ts";
import { toInstant } from "../instant.ts";
import type { SourcePlan } from "../source.ts";
import type { Gathered } from "./pages.ts";
import type { Tried } from "./tried.ts";

/** What a source has for one question: the value in our shape. */
export interface Found {
  readonly value: unknown;
  readonly asOf?: number;
  readonly duplicates: number;
  readonly bytes: number;
  /** What was said of it, one entry a page, of a batch only our record: for `restore`. */
  readonly said: readonly unknown[];
  readonly pages?: number;
  readonly incomplete?: string;
}

/** Finds our record in a batch, reads its instant, and brings it into our shape. */
export function pick(source: SourcePlan, gathered: Gathered, key: unknown): Tried<Found> {
  const { batch } = source;
  let { value: answer, said, bytes } = gathered;
  let duplicates = 0;
  if (batch) {
    const rows = answer as readonly Fields[];
    const found = matching(source, batch.match, rows, String(key));
    const [first] = found;
    if (first === undefined) return withoutOurs(gathered.broken, batch.match, String(key));
    answer = rows[first];
    const all = gathered.said.flat(); // of a batch, record by record
    said = [[all[first]]];
    bytes = Math.ceil(bytes / Math.max(1, rows.length));
    duplicates = found.length - 1;
  }
  const asOf = source.asOf === undefined ? undefined : toInstant((answer as Fields | null)?.[source.asOf]);
  let shaped: unknown;
  try {
    shaped = source.shape ? source.shape(answer) : answer;
  } catch (error) {
    const problem = `gave an answer that \`shape\` cannot take: ${error instanceof Error ? error.name : "something was thrown"}`;
    return { state: "invalid", kind: "broken", problem, repeat: false, sample: { said: said[0] } };
  }
  const { pages, incomplete } = gathered;
  const value: Found = {
    value: shaped,
    ...(asOf !== undefined && { asOf }),
    duplicates,
    bytes,
    said,
    ...(pages !== undefined && { pages }),
    ...(incomplete !== undefined && { incomplete }),
  };
  return { state: "fresh", value };
}

type Fields = { readonly [name: string]: unknown };

/** Among the records that could not be read may be ours: those that have our key, and those whose key nobody can read. */
function withoutOurs(broken: readonly unknown[], match: string, key: string): Tried<Found> {
  const keyOf = (record: unknown): unknown =>
    typeof record === "object" && record !== null && Object.hasOwn(record, match)
      ? (record as Fields)[match]
      : undefined;
  const maybe = broken.filter((record) => {
    const theirs = keyOf(record);
    return typeof theirs !== "string" && typeof theirs !== "number" ? true : String(theirs) === key;
  });
  if (maybe.length === 0)
    return { state: "missing", kind: "nothing", problem: "has nothing for this key", repeat: false };
  const problem = `answered with ${maybe.length} records that break their contract, and without ours`;
  return { state: "invalid", kind: "broken", problem, repeat: false, sample: { said: maybe[0] } };
}

// The order of a batch says nothing, so of two records with one key the newest counts, and then the first by its text.
function matching({ asOf }: SourcePlan, match: string, rows: readonly Fields[], key: string): readonly number[] {
  const found = [...rows.keys()].filter((at) => String(rows[at]?.[match]) === key);
  if (found.length < 2) return found;
  const ranked = found.map((at) => {
    const row = rows[at] as Fields;
    const instant = (asOf ? toInstant(row[asOf]) : undefined) ?? Number.NEGATIVE_INFINITY;
    return { at, instant, text: toText(row) };
  });
  ranked.sort((a, b) => (a.instant === b.instant ? (a.text < b.text ? -1 : 1) : b.instant - a.instant));
  return ranked.map(({ at }) => at);
}

// A schema may make of a column what JSON cannot say, such as a BigInt.
const toText = (row: Fields): string =>
  toCanonicalJson(JSON.parse(JSON.stringify(row, (_, cell) => (typeof cell === "bigint" ? String(cell) : cell))));
