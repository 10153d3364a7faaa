/** How a feed is doing, as this node sees it. Counts are since the feed began, whoever ran it; instants in ms since 1970. */
export interface FeedHealth {
  readonly feed: string;
  /**
   * `elsewhere`: another node runs it. `stuck`: something fails, and is tried again after a pause. `over`: every input
   * has come to its end.
   */
  readonly state: "elsewhere" | "running" | "stuck" | "over";
  /** The node that has it, as far as this one knows. */
  readonly node?: string;
  /** Null before there is one, and at the end. */
  readonly watermark: number | null;
  readonly inputs: readonly {
    readonly input: string;
    readonly state: "active" | "idle" | "over";
    readonly records: number;
    readonly watermark: number | null;
    /** How much earlier than the latest record so far one may be, in ms. */
    readonly outOfOrderMs: number;
  }[];
  /** How long after its end a window still takes records, in ms; missing where the stage has no windows. */
  readonly allowedLatenessMs?: number;
  /** Records that came too late. */
  readonly late: number;
  /** Calls that were answered here since the start of this process. */
  readonly handedOver: number;
  /** Calls that are written down and not answered yet. */
  readonly owed: number;
  readonly stuck?: {
    readonly since: number;
    readonly attempts: number;
    /** The code of the failure, `internal` where it has none. */
    readonly code: string;
    readonly reason: string;
  };
}
