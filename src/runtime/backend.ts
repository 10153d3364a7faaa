import type { Feed, View } from "../aggregation/index.ts";
import type { Adapted, AnyContract, Clock } from "../contracts/index.ts";
import type { Rehearse } from "../gateway/index.ts";
import type { Workflow } from "../orchestration/index.ts";
import type { Engine } from "../storage/host.ts";
import type { Store, Subscription } from "../storage/index.ts";
import { type Composition, checkOlder, toServed, toUsed } from "./composition.ts";
import { type Orchestrated, toOrchestration } from "./orchestrated.ts";
import type { Running } from "./running.ts";
import type { Environment } from "./settings.ts";

type ContractOf<Id extends string> = Id extends `${infer C}.${string}` ? C : Id;
type Needed<W> = W extends Workflow<string, infer N> ? N : never;
type Kept = readonly (Store | Subscription)[];
type Missing<S extends Kept, W extends readonly Orchestrated[], V extends readonly View[]> = Exclude<
  Needed<W[number]>,
  Extract<S[number], Store>["id"] | ContractOf<Extract<W[number], Workflow>["id"] | V[number]["id"]>
>;

export interface StartOptions {
  /** Where settings come from; by default the process's own environment. */
  readonly environment?: Environment;
  /** What keeps the bytes; by default SQLite in the data folder. It is closed with the backend. */
  readonly engine?: Engine;
  /** Time, for tests that skip it. */
  readonly clock?: Clock;
  /**
   * For tests: every run leaves memory at every result, and comes back by replay. What a workflow does must not depend on
   * whether it was in memory all the time.
   */
  readonly alwaysSuspend?: boolean;
  /** For mocks: callers may ask for a failure by its name, with the header `Mock-Failure`. */
  readonly rehearse?: Rehearse;
}

/**
 * Whether there is a GraphQL endpoint at `/graphql`, and what a request may ask at most: `depth` fields inside each other
 * (12 unless told), `cost` (1,000 unless told; 10 for each operation, 1 for each field, ten times that in a list). Needs the
 * packages `graphql` and `graphql-yoga`.
 */
export type Graphql = boolean | { readonly depth?: number; readonly cost?: number };

export interface Backend {
  readonly name: string;
  /** What it is made of, for tools that look at it without starting it. */
  readonly composition: Composition;
  /** What this backend implements, of each contract the operations that it has. */
  readonly serves: readonly AnyContract[];
  /** Older major versions of what it implements, as they were published. */
  readonly older: readonly AnyContract[];
  /** What its workflows call, whoever implements it. */
  readonly uses: readonly AnyContract[];
  readonly workflows: readonly { readonly operation: string; readonly version: number }[];
  /**
   * Opens the log, takes over what an earlier process left under way, and listens. Rejects with a sentence that says
   * what is wrong: a bad setting, a busy port, a data folder that cannot be written or that another process has.
   */
  start(options?: StartOptions): Promise<Running>;
}

/** Composes a backend from its layers: the only place that knows them all. A contract that is used by a workflow and implemented by nobody does not compile without its address. */
export function backend<
  const S extends Kept = [],
  const W extends readonly Orchestrated[] = [],
  const V extends readonly View[] = [],
>(
  name: string,
  parts: {
    readonly storage?: S;
    readonly orchestration?: W;
    readonly aggregation?: V;
    readonly version?: string;
    /** Older major versions that are still answered: `adapt(TripsV1, Trips, …)`. */
    readonly older?: readonly Adapted[];
    readonly graphql?: Graphql;
    readonly feeds?: readonly Feed[];
  } & ([Missing<S, W, V>] extends [never]
    ? { readonly remote?: { readonly [contract: string]: string } }
    : { readonly remote: { readonly [K in Missing<S, W, V>]: string } }),
): Backend {
  const { storage = [], orchestration = [], aggregation = [], feeds = [] } = parts;
  const { older = [], remote = {}, version = "0.0.0", graphql = false } = parts;
  const layers = { storage, ...toOrchestration(orchestration), aggregation, feeds };
  const composition = Object.freeze({ ...layers, older, remote, graphql });
  checkOlder(composition);
  return Object.freeze({
    name,
    composition,
    serves: toServed(composition),
    older: older.map(({ published }) => published),
    uses: toUsed(composition),
    workflows: composition.orchestration.map(({ id, version }) => ({ operation: id, version })),
    // What only a backend needs that runs is half of all there is: whoever looks at one waits for none of it.
    async start(options: StartOptions = {}) {
      const { startBackend } = await import("./start-backend.ts");
      return startBackend({ name, version, composition }, options);
    },
  });
}
