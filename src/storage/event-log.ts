import type { AnyEvent, EventNames, Named } from "../contracts/index.ts";
import type { HistoryOptions, PastEvent } from "./entity.ts";

/** The events of a log in their order, as a part of a store whose handlers read them. */
export interface EventLog<E> {
  readonly kind: "event log";
  readonly name: string;
  readonly events: { readonly [name: string]: unknown };
  readonly "~events"?: E;
}
export type AnyEventLog = EventLog<any>; // whatever its events are

/** Declares which events a store's handlers may read along the log: of its own contract, or of any other. */
export function eventLog<E extends { readonly [name: string]: unknown }>(
  name: string,
  parts: { readonly events: E },
): EventLog<{ [K in EventNames<E>]: E[K] }> {
  return Object.freeze({ kind: "event log", name, events: parts.events });
}

/** An event as the log has it: as an entity's history gives it, with its stream. */
export type LoggedEvent<E> = PastEvent<E> & { readonly stream: string };

export interface LogReadOptions<E> {
  /** The position behind which it begins; the beginning unless told. */
  readonly after?: number | undefined;
  /** Nothing later than an instant, or than a position of the log. */
  readonly until?: Date | number | undefined;
  /** Only these of the declared events. */
  readonly events?: readonly (keyof E & string)[] | undefined;
  /** Only of streams whose names begin with one of these, before the slash. */
  readonly categories?: readonly string[] | undefined;
  /** Only of these streams, `category/id`. */
  readonly streams?: readonly string[] | undefined;
}

/**
 * Reads the declared events, as their present version reads them; others are passed over. It reads page by page as the loop
 * asks for more, as far as the log goes by then; a loop that is left reads no further, and holds nothing.
 */
export interface LogReader<E> {
  /** Along the log, in the order of the positions. */
  read(options?: LogReadOptions<E>): AsyncIterable<LoggedEvent<E>>;
  /** Along one stream, `category/id`, from a revision on (inclusive), or backwards. */
  stream(name: string, options?: HistoryOptions): AsyncIterable<LoggedEvent<E>>;
  /** The stream's last revision, or -1. */
  revision(stream: string): Promise<number>;
  /** The last position of the log, or 0. */
  head(): Promise<number>;
}

/** The events that are declared, by their names there. A contract has operations beside them. */
export const eventsIn = (declared: AnyEventLog["events"]): readonly (readonly [string, AnyEvent & Named])[] =>
  Object.entries(declared).filter((entry): entry is [string, AnyEvent & Named] => isEvent(entry[1]));

const isEvent = (member: unknown): member is AnyEvent & Named =>
  typeof member === "object" && member !== null && (member as { kind?: unknown }).kind === "event" && "id" in member;
