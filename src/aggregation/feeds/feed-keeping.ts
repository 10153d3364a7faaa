import type { FeedState } from "./kept-state.ts";

/** The port: who runs which feed, and where its state is. */
export interface FeedKeeping {
  /** The name of this node. */
  readonly node: string;
  /** Takes a feed, unless another node has it. From then on nobody who had it before can write its state. */
  take(feed: string): Promise<FeedHold | undefined>;
  /** The node that had a feed when it was last looked; undefined where nobody has. */
  holder(feed: string): Promise<string | undefined>;
  /** How often a hold has to be renewed; infinity where no other node could take it. */
  readonly renewEveryMs: number;
}
/** A feed that this node has. */
export interface FeedHold {
  readonly state: FeedState;
  /** False where another node may have the feed by now. */
  renew(): Promise<boolean>;
  /** Leaves it to the others. */
  release(): Promise<void>;
}
