import type { Comparator } from "./comparators.ts";

/** What a record is found by: text or a number, several of them, or nothing. */
export type Key = string | number | readonly (string | number)[] | null | undefined;

/** When two records speak of the same thing. */
export interface Matching<R> {
  /** Records that share a key are the same, however little else they share. Normalise here what is written in many ways. */
  readonly keys?: readonly ((record: R) => Key | object)[];
  /** Only records that share a block are compared, or there would be n² comparisons. */
  readonly blocks?: readonly ((record: R) => Key | object)[];
  /** What is compared, how, and how much it weighs. A field that one of the two lacks says nothing. */
  readonly compare?: readonly Compared<R>[];
  /** From this score on (above 0, up to 1) two records are the same; 0.9 unless said otherwise. */
  readonly match?: number;
  /** From this score on a person is asked, and nothing is merged; 0.75 unless said otherwise. */
  readonly review?: number;
  /** A block with more records than this says too little and is not compared, but told; 200 unless said otherwise. */
  readonly largestBlock?: number;
}
export interface Compared<R> {
  readonly of: (record: R) => unknown;
  readonly by: Comparator;
  /** 1 unless said otherwise. */
  readonly weight?: number;
}

/** The same as plain data, with every default in its place. */
export interface MatchingPlan {
  readonly keys: readonly ((record: any) => Key | object)[]; // records are compared as whoever declared this knows them
  readonly blocks: readonly ((record: any) => Key | object)[]; // as above
  readonly compare: readonly Required<Compared<any>>[]; // as above
  readonly match: number;
  readonly review: number;
  readonly largestBlock: number;
}

/** Declares how records are matched. Throws a sentence for what cannot be meant. */
export function matching<R>(parts: Matching<R>): MatchingPlan {
  const { keys = [], blocks = [], compare = [], match = 0.9, review = 0.75, largestBlock = 200 } = parts;
  if (!(review > 0 && review <= match && match <= 1))
    throw new TypeError(
      `Scores are above 0 and up to 1, and one asks a person (${review}) no later than one is sure (${match}).`,
    );
  if (keys.length === 0 && compare.length === 0)
    throw new TypeError("Records are matched by `keys`, or by what `compare` says of them; there is neither.");
  if (compare.length > 0 && blocks.length === 0)
    throw new TypeError("Say with `blocks` which records are compared at all; otherwise each is with every other.");
  if (!Number.isInteger(largestBlock) || largestBlock < 2 || largestBlock > 10_000)
    throw new TypeError(`\`largestBlock\` is a whole number from 2 to 10,000; ${largestBlock} is not one.`);
  const weighed = compare.map(({ of, by, weight = 1 }) => {
    if (!(weight > 0 && Number.isFinite(weight))) throw new TypeError(`A weight is above 0; ${weight} is not.`);
    return Object.freeze({ of, by, weight });
  });
  return Object.freeze({ keys, blocks, compare: weighed, match, review, largestBlock });
}
