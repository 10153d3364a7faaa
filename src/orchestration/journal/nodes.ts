/**
 * The port to the list of nodes that share the runs of a journal. Leases on it run on the list's own clock, one for all
 * nodes. A lease is a courtesy that keeps nodes out of each other's way; what keeps them apart for certain is the revision
 * that each append to a run expects.
 */
export interface Nodes {
  /** Whether this process alone has the runs: then whatever another held is free at once, and nobody tells news. */
  readonly alone: boolean;
  /** Puts a node on the list, with the workflows that it knows, for `leaseMs` from now. */
  enter(node: string, knows: readonly string[], leaseMs: number): Promise<void>;
  /** Keeps a node on the list for `leaseMs` from now; false where its lease is over: it must not come back by this id. */
  renew(node: string, leaseMs: number): Promise<boolean>;
  /** Takes a node off the list, and tells the others that it has let go of its runs. */
  leave(node: string): Promise<void>;
  /** Takes off the list whose lease is over, and says who else is on it and which owners of runs are not. */
  census(node: string): Promise<Census>;
  /** What has been done to runs after a place, by whomever; waits until there is something. From now on, without a place. */
  news(after: number | undefined, aborted: AbortSignal): Promise<News>;
}
export interface Census {
  readonly others: readonly string[];
  readonly gone: readonly string[];
}
export interface News {
  /** Where the next news begin. */
  readonly place: number;
  /** `told`: something is in its inbox. `ended`: it has come to its end. `free`: runs may be there for whoever has room. */
  readonly items: readonly { readonly what: "told" | "ended" | "free"; readonly run: string }[];
}
