import { type Duration, toMs } from "../contracts/index.ts";
import type { Fetch, FetchPlan, HttpPlan } from "./fetch.ts";
import { checkedName, toHeaders } from "./headers.ts";
import { type Resilience, type ResiliencePlan, toResilience } from "./resilience.ts";

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

export interface One<P extends string, A> {
  readonly get: Fetch<P, A>;
  readonly batch?: never;
  readonly match?: never;
  readonly batchSize?: never;
  readonly batchWindow?: never;
  readonly keysAs?: never;
}
/** Many records for many keys; ours is the one whose `match` field equals the address's only parameter, wherever it stands. */
export interface Many<P extends string, A> {
  readonly batch: Fetch<P, readonly A[]>;
  readonly match: KeysTo<A, string | number>;
  readonly get?: never;
  /**
   * How many keys one request asks for at most, 1 to 1,000. 100 unless said otherwise where the address has its
   * parameter in the query (`?iata=DAL,HOU`), or where an adapter of one's own is handed the keys; 1 where it is part of the path.
   */
  readonly batchSize?: number;
  /** How long a key waits for others to travel with. Without it, only those that are asked for in the same turn do. */
  readonly batchWindow?: Duration;
  /** How several keys are written: `?iata=DAL,HOU` (`"list"`, unless said otherwise) or `?iata=DAL&iata=HOU` (`"repeated"`). */
  readonly keysAs?: "list" | "repeated";
}

/** A source as plain data, for the code that runs it. */
export interface SourcePlan extends ResiliencePlan {
  readonly name: string;
  readonly fetch: FetchPlan;
  /** Of a batch: how our record is found, and how keys travel. */
  readonly batch?: BatchPlan;
  readonly shape?: (answer: any) => unknown; // from whatever its schema gives back
  readonly asOf?: string;
  readonly from?: (input: any) => { readonly [param: string]: unknown }; // from the input of whatever view asks
  readonly headers: { readonly [name: string]: string };
  /** The header that takes the token, where it is not `authorization`; `?name` is a parameter of the query. */
  readonly tokenIn?: string;
  /** The source that this one is, asked in other words. */
  readonly base?: SourcePlan;
  /** What it is asked with, made of the view's input or of an item; before `from`. */
  readonly asks?: (input: any) => { readonly [field: string]: unknown } | undefined; // from the input of whatever asks
  /** The source whose answer it is asked with. */
  readonly after?: {
    readonly source: SourcePlan;
    readonly asks: (record: any, input: any) => { readonly [field: string]: unknown } | undefined; // from its shape
  };
}
export interface BatchPlan {
  readonly match: string;
  readonly size: number;
  /** Without it, the keys of one turn travel together. */
  readonly windowMs?: number;
  readonly keysAs: "list" | "repeated";
}

/** Declares a source. Its name, in kebab-case, is what the settings call it: `our-airports` is `OUR_AIRPORTS`. */
export function source<
  const Name extends string,
  P extends string,
  A,
  const Shape = A,
  const AsOf extends InstantField<A> | undefined = undefined,
  Given extends object = { readonly [K in P]: unknown },
>(
  name: Name,
  parts: (One<P, A> | Many<P, A>) &
    Resilience & {
      /** From upstream's words to ours; left out where they are the same. Pure. */
      readonly shape?: (answer: A) => Shape;
      /** The field with the instant that the answer speaks of: an ISO date, a `Date`, or seconds or milliseconds since 1970. */
      readonly asOf?: AsOf;
      /** From the view's input to the parameters; left out where they have the same names and words. Pure. */
      readonly from?: (input: Given) => { readonly [K in P]: unknown };
      /** Sent with every request over HTTP. Credentials are not among them: they come from the settings. */
      readonly headers?: { readonly [name: string]: string };
      /**
       * Where the token of the settings is sent as it is: in a header, like `"x-api-key"`, or in the query, like
       * `"?api_key"`; as `authorization: Bearer …` unless said otherwise.
       */
      readonly tokenIn?: string;
    },
): Source<Name, keyof Given & string, Shape, AsOf> {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw new TypeError(`A source's name is in kebab-case, like "our-airports"; "${name}" is not.`);
  const { get, batch, match, shape, asOf, from, headers = {}, tokenIn } = parts;
  const fetch = (get ?? batch) as Fetch<P, unknown> | undefined;
  if (!fetch) throw new TypeError(`The source "${name}" does not say where to ask: give it \`get\` or \`batch\`.`);
  const plan: SourcePlan = {
    name,
    fetch: fetch.plan,
    ...(match !== undefined && { batch: toBatch(name, fetch.plan, match, parts) }),
    ...(shape && { shape }),
    ...(asOf !== undefined && { asOf }),
    ...(from && { from }),
    headers: toHeaders(`The source "${name}"`, headers),
    ...(tokenIn !== undefined && { tokenIn: toTokenPlace(name, tokenIn) }),
    ...toResilience(name, parts),
    ...oneAttempt(name, fetch.plan, parts),
  };
  return Object.freeze({ kind: "source", name, asOf: asOf as AsOf, plan: Object.freeze(plan) });
}

/** A header, or with a question mark before it a parameter of the query. */
function toTokenPlace(source: string, tokenIn: string): string {
  if (!tokenIn.startsWith("?")) return checkedName(`The source "${source}"`, tokenIn.toLowerCase());
  if (/^\?[\w.~-]+$/.test(tokenIn)) return tokenIn;
  throw new TypeError(
    `The source "${source}" cannot send its token in the query as ${JSON.stringify(tokenIn)}; write it like "?api_key".`,
  );
}

/** What is not declared to be the same when it is asked twice is asked once. */
function oneAttempt(source: string, { via, ...fetch }: FetchPlan, { attempts = 1, hedge }: Resilience) {
  const isIdempotent = via !== "http" || (fetch as HttpPlan).send?.idempotent !== false;
  if (isIdempotent) return {};
  if (attempts > 1 || hedge !== undefined)
    throw new TypeError(
      `The source "${source}" is asked by POST, and may not be asked twice for one answer unless it says that this changes nothing: give sending() \`idempotent: true\`, or leave out \`attempts\` and \`hedge\`.`,
    );
  return { attempts: 1 };
}

function toBatch(
  source: string,
  fetch: FetchPlan,
  match: string,
  { batchSize, batchWindow, keysAs = "list" }: Pick<Many<string, unknown>, "batchSize" | "batchWindow" | "keysAs">,
): BatchPlan {
  const [param, ...more] = fetch.params;
  if (param === undefined || more.length > 0)
    throw new TypeError(
      `The batch of the source "${source}" is matched with its only parameter, so it must have exactly one; it has ${fetch.params.length}.`,
    );
  const inPath = fetch.via === "http" && fetch.url.path.includes(`{${param}}`);
  // Whoever wrote a key into a path most likely meant one: an address of many is asked for only where somebody says so.
  const size = batchSize ?? (inPath || fetch.via === "call" ? 1 : 100);
  if (!Number.isInteger(size) || size < 1 || size > 1_000)
    throw new TypeError(`The source "${source}" asks for 1 to 1,000 keys at once; ${size} is not such a number.`);
  if (size > 1 && fetch.via === "call")
    throw new TypeError(
      `The source "${source}" asks another contract's query, which takes one key at a time: leave out \`batchSize\`.`,
    );
  if (keysAs === "repeated" && inPath)
    throw new TypeError(
      `The source "${source}" has its key in the path, where it cannot be repeated: leave out \`keysAs\`.`,
    );
  return Object.freeze({ match, size, keysAs, ...(batchWindow !== undefined && { windowMs: toMs(batchWindow) }) });
}
