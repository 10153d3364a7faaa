import { type Duration, toMs } from "../contracts/index.ts";
import type { Fetch, FetchPlan } from "./fetch.ts";

/** One upstream: where it is asked, what must come back, in which shape it is handed on, how long it may take. */
export interface Source<Name extends string, P extends string, Shape, AsOf extends string | undefined> {
  readonly kind: "source";
  readonly name: Name;
  readonly asOf: AsOf;
  readonly plan: SourcePlan;
  readonly given?: P;
  readonly supplies?: Shape;
}
export type AnySource = Source<string, any, any, any>; // any source: its parameters are compared where it is used
/** A source that says which instant its answers speak of: `asOf`. */
export type DatedSource = Source<string, any, any, string>; // as above
export type ListSource = Source<string, any, readonly any[], any>; // as above
export type ShapeOf<S> = S extends Source<string, any, infer Shape, any> ? Shape : never; // only the shape is asked for
export type ItemOf<S> = ShapeOf<S> extends readonly (infer Item)[] ? Item : never;
export type ParamsOf<S> = S extends Source<string, infer P, any, any> ? P : never; // only the parameters are asked for
type KeysTo<Row, V> = { [K in keyof Row]-?: NonNullable<Row[K]> extends V ? K : never }[keyof Row] & string;
/** A field of a record that may hold an instant; a list has none of its own. */
type InstantField<A> = A extends readonly unknown[] ? never : KeysTo<A, string | number | Date>;

export interface Resilience {
  /** How long one attempt may take. Without it, as long as the view's budget lasts. */
  readonly timeout?: Duration;
  /**
   * How often it is asked at most, 1 to 10; 2 unless said otherwise. Pauses are drawn at random below a bound that
   * doubles, stay inside the budget, and repetitions never exceed a tenth of the questions for long.
   */
  readonly attempts?: number;
  /** A second question after this long without an answer: a percentile of what it has been taking, or a time. The first good answer counts. */
  readonly hedge?: "p90" | "p95" | "p99" | Duration;
  /** An answer this young is not asked for again. */
  readonly cacheFor?: Duration;
  /** For this long after `cacheFor`, the old answer is given at once, as `stale`, and renewed behind it. */
  readonly staleWhileRevalidate?: Duration;
  /** An answer this young stands in, as `stale`, where the source is down, slow or invalid. */
  readonly staleIfError?: Duration;
  /** What its answer may measure at most, in bytes; 4 MiB unless said otherwise. */
  readonly maxBytes?: number;
}
export interface One<P extends string, A> {
  readonly get: Fetch<P, A>;
  readonly batch?: never;
  readonly match?: never;
}
/** Many records for a key; ours is the one whose `match` field equals the address's only parameter, wherever it stands. */
export interface Many<P extends string, A> {
  readonly batch: Fetch<P, readonly A[]>;
  readonly match: KeysTo<A, string | number>;
  readonly get?: never;
}

/** A source as plain data, for the code that runs it. */
export interface SourcePlan {
  readonly name: string;
  readonly fetch: FetchPlan;
  readonly match?: string;
  readonly shape?: (answer: any) => unknown; // from whatever its schema gives back
  readonly asOf?: string;
  readonly timeoutMs?: number;
  readonly attempts: number;
  readonly hedge?: "p90" | "p95" | "p99" | number;
  readonly cacheForMs: number;
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  readonly maxBytes: number;
}

/** Declares a source. Its name, in kebab-case, is what the settings call it: `our-airports` is `OUR_AIRPORTS`. */
export function source<
  const Name extends string,
  P extends string,
  A,
  const Shape = A,
  const AsOf extends InstantField<A> | undefined = undefined,
>(
  name: Name,
  parts: (One<P, A> | Many<P, A>) &
    Resilience & {
      /** From upstream's words to ours; left out where they are the same. Pure. */
      readonly shape?: (answer: A) => Shape;
      /** The field with the instant that the answer speaks of: an ISO date, a `Date`, or seconds or milliseconds since 1970. */
      readonly asOf?: AsOf;
    },
): Source<Name, P, Shape, AsOf> {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw new TypeError(`A source's name is in kebab-case, like "our-airports"; "${name}" is not.`);
  const { get, batch, match, shape, asOf } = parts;
  const fetch = (get ?? batch) as Fetch<P, unknown> | undefined;
  if (!fetch) throw new TypeError(`The source "${name}" does not say where to ask: give it \`get\` or \`batch\`.`);
  if (match !== undefined && fetch.plan.params.length !== 1) {
    throw new TypeError(
      `The batch of the source "${name}" is matched with its only parameter, so it must have exactly one; it has ${fetch.plan.params.length}.`,
    );
  }
  const plan: SourcePlan = {
    name,
    fetch: fetch.plan,
    ...(match !== undefined && { match }),
    ...(shape && { shape }),
    ...(asOf !== undefined && { asOf }),
    ...resilienceOf(name, parts),
  };
  return Object.freeze({ kind: "source", name, asOf: asOf as AsOf, plan: Object.freeze(plan) });
}

function resilienceOf(name: string, parts: Resilience) {
  const { timeout, attempts = 2, hedge, cacheFor, staleWhileRevalidate, staleIfError, maxBytes = 4 * 2 ** 20 } = parts;
  if (!Number.isInteger(attempts) || attempts < 1 || attempts > 10)
    throw new TypeError(`The source "${name}" may be asked 1 to 10 times; ${attempts} is not such a number.`);
  if (!Number.isInteger(maxBytes) || maxBytes < 1)
    throw new TypeError(`The source "${name}" needs a size in whole bytes for \`maxBytes\`; ${maxBytes} is not one.`);
  const ms = (duration: Duration | undefined): number => (duration === undefined ? 0 : toMs(duration));
  return {
    ...(timeout !== undefined && { timeoutMs: toMs(timeout) }),
    attempts,
    ...(hedge !== undefined && { hedge: isPercentile(hedge) ? hedge : toMs(hedge) }),
    cacheForMs: ms(cacheFor),
    staleWhileRevalidateMs: ms(staleWhileRevalidate),
    staleIfErrorMs: ms(staleIfError),
    maxBytes,
  };
}

const isPercentile = (hedge: string): hedge is "p90" | "p95" | "p99" => /^p9[059]$/.test(hedge);
