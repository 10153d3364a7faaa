import { checkColumns, type Fields } from "../../storage/draft.ts";
import type { Collection, Write } from "../../storage/host.ts";
import { Refused } from "../../storage/refused.ts";
import type { KnownCollection } from "./collections.ts";
import { toJsonText, toText } from "./text.ts";

/** A write as the database takes it; it may stand for several that follow each other on one document. */
export interface DocumentWrite {
  readonly collection: number;
  readonly kind: (typeof kinds)[keyof typeof kinds];
  readonly key: string;
  readonly times: number;
  readonly data: string | null;
  /** What an increment starts from, or behind a "!" why it cannot; why a patch cannot be, if there is anything to patch. */
  readonly extra: string | null;
  /** Whether it is an increment by whole numbers: their sum is the same in any order. */
  readonly sums: boolean;
}
const kinds = { put: 1, patch: 2, increment: 3, remove: 4, lightly: 5 } as const;

interface Step {
  readonly known: KnownCollection;
  readonly kind: Exclude<keyof typeof kinds, "lightly">;
  readonly key: string;
  /** Of a patch: whether what it writes over may stay for a while. */
  lightly?: boolean;
  times: number;
  fields: Fields;
  readonly initial?: Fields;
  refusal?: string | undefined;
}

/**
 * Writes, in their order, with what can be worked out beforehand worked out: writes that follow each other on one document
 * become one. A page of a read model writes the same few documents again and again. Throws `Refused` with a sentence.
 */
export function toDocumentWrites(
  writes: readonly Write[],
  known: (collection: string) => KnownCollection | undefined,
): readonly DocumentWrite[] {
  const steps: Step[] = [];
  const last = new Map<string, Step>();
  for (const write of writes) {
    const step = toStep(write, known);
    const place = `${step.known.id} ${step.key}`;
    const before = last.get(place);
    if (before && join(before, step)) continue;
    steps.push(step);
    last.set(place, step);
  }
  return steps.map((step) => ({
    collection: step.known.id,
    kind: step.lightly ? kinds.lightly : kinds[step.kind],
    key: toText(step.key),
    times: step.times,
    data: step.kind === "remove" ? null : toJsonText(JSON.stringify(step.fields)),
    extra: toExtra(step),
    sums: step.kind === "increment" && isWhole(step.fields),
  }));
}

function toExtra({ kind, initial, refusal }: Step): string | null {
  if (refusal !== undefined) return toText(kind === "increment" ? `!${refusal}` : refusal);
  return initial ? toJsonText(JSON.stringify(initial)) : null;
}

function toStep(write: Write, find: (collection: string) => KnownCollection | undefined): Step {
  const known = find(write.collection);
  if (!known)
    throw new Refused(`There is no collection "${write.collection}". Define it before anything is written to it.`);
  const { collection } = known;
  if ("put" in write) {
    const fields = plain(collection, write.put, write.data);
    checkColumns(collection, write.put, fields);
    return { known, kind: "put", key: write.put, times: 1, fields };
  }
  if ("patch" in write) {
    const fields = plain(collection, write.patch, write.data);
    const refusal = refusalOf(() => checkColumns(collection, write.patch, fields));
    return { known, kind: "patch", key: write.patch, lightly: write.lightly ?? false, times: 1, fields, refusal };
  }
  if ("remove" in write) return { known, kind: "remove", key: write.remove, times: 1, fields: {} };
  const { increment: key } = write;
  const fields = plain(collection, key, write.by);
  // Whatever is in an index column of text now, it would be a number.
  checkColumns(collection, key, fields);
  if (typeof write.initial === "string")
    return { known, kind: "increment", key, times: 1, fields, refusal: write.initial };
  const initial = plain(collection, key, write.initial);
  const refusal = refusalOf(() => checkColumns(collection, key, increment(collection, key, initial, fields)));
  return { known, kind: "increment", key, times: 1, fields, initial, refusal };
}

function refusalOf(work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof Refused) return error.message;
    throw error;
  }
}

/** Makes one of two that follow each other, where that is the same; says whether it did. */
function join(before: Step, step: Step): boolean {
  const fields = joined(before, step);
  if (!fields) return false;
  before.fields = fields;
  before.times += step.times;
  if (before.kind === "patch") before.refusal ??= step.refusal;
  before.lightly &&= step.lightly ?? false;
  return true;
}

function joined(before: Step, step: Step): Fields | undefined {
  const { collection } = before.known;
  switch (`${before.kind} ${step.kind}` as const) {
    case "put put":
      return step.fields;
    case "put patch":
      if (step.refusal !== undefined) throw new Refused(step.refusal);
      return { ...before.fields, ...step.fields };
    case "patch patch":
      return { ...before.fields, ...step.fields };
    case "put increment": {
      const fields = increment(collection, step.key, before.fields, step.fields);
      checkColumns(collection, step.key, fields);
      return fields;
    }
    case "increment increment":
      // What is not whole is added one by one: other orders have other sums.
      return isWhole(before.fields) && isWhole(step.fields)
        ? increment(collection, step.key, before.fields, step.fields)
        : undefined;
    default:
      return undefined;
  }
}

const isWhole = (by: Fields): boolean => Object.values(by).every(Number.isSafeInteger);

/** As JSON has it: without what is undefined. */
function plain(collection: Collection, key: string, data: Fields): Fields {
  return JSON.parse(checkWhole(collection, key, JSON.stringify(data))) as Fields;
}

/** The JSON text of a document; PostgreSQL has no text with half of a character. */
export function checkWhole(collection: Collection, key: string, text: string): string {
  if (text.includes("\\ud") && /(?<!\\)(?:\\\\)*\\ud[89a-f]/.test(text))
    throw new Refused(`The document "${key}" in "${collection.name}" holds half of a surrogate pair.`);
  return text;
}

function increment(collection: Collection, key: string, before: Fields, by: Fields): Fields {
  const added = Object.entries(by).map(([field, amount]) => {
    const value = before[field] ?? 0;
    if (typeof value === "number") return [field, value + (amount as number)] as const; // the port says that it is one
    throw new Refused(
      `The field "${field}" of the document "${key}" in "${collection.name}" is ${JSON.stringify(value)}, and only numbers are incremented.`,
    );
  });
  return { ...before, ...Object.fromEntries(added) };
}

/** When each is written: a wave holds no document twice, but for increments that can be summed. */
export function toWaves(writes: readonly DocumentWrite[]): readonly number[] {
  const last = new Map<string, { readonly wave: number; readonly sums: boolean }>();
  return writes.map(({ collection, key, sums }) => {
    const place = `${collection} ${key}`;
    const before = last.get(place) ?? { wave: 0, sums: false };
    const wave = before.sums && sums ? before.wave : before.wave + 1;
    last.set(place, { wave, sums });
    return wave;
  });
}
