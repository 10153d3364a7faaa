import type { Duration } from "../../contracts/index.ts";

/** Some records of an input, and where to go on after them. */
export interface Batch<T> {
  readonly records: readonly T[];
  /**
   * JSON. Where state is kept, a batch without it is refused: its records would be read anew after a restart, and counted
   * twice. `null` says that this cannot happen, for what was read once does not come again (a live stream).
   */
  readonly position?: unknown;
}
/** One stream of records with an event time of their own. */
export interface Input<T> {
  readonly name: string;
  /** Batches, from behind a position on. It is asked for the next one only when there is room. */
  readonly read: (after: unknown) => AsyncIterable<Batch<T>>;
  /** Event time, in ms since 1970. */
  readonly at: (record: T) => number;
  /** How much earlier than the latest record so far one may be (bounded out-of-orderness). */
  readonly outOfOrder: Duration;
  /** An input that brings nothing for so long holds the others up no more, until it does. */
  readonly idle?: Duration;
}
