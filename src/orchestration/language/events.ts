import type { AnyEvent, Named, Trace } from "../../contracts/index.ts";

/** The port to the log of business events. */
export interface Events {
  /** Writes an event, durable when this resolves; with the same key it is written once, however often it is asked. */
  emit(event: AnyEvent & Named, payload: unknown, about: Emitted): Promise<void>;
}
export interface Emitted {
  readonly run: string;
  /** The command that the run implements: `trips.book`. */
  readonly operation: string;
  readonly key: string;
  readonly trace: Trace;
}
