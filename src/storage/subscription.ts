import { type AnyEvent, type Duration, type EventNames, type Named, toMs } from "../contracts/index.ts";
import type { Payload } from "./entity.ts";

/** What is known of an event besides its payload, where it is handed to a subscription. */
export interface Delivery {
  /** The same each time the event is handed over: what a receiver drops repetitions by. */
  readonly id: string;
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly at: Date;
  /** 1 the first time. */
  readonly attempt: number;
  /** Fires when the result is not wanted any more: the backend closes, or another node has taken over. */
  readonly aborted: AbortSignal;
}

/** Somebody who is handed events, each at least once, those of one stream in their order. */
export interface Subscription {
  readonly kind: "subscription";
  readonly name: string;
  readonly from: "beginning" | "now";
  readonly attempts: number;
  readonly atOnce: number;
  readonly inHand: number;
  readonly partitions: number;
  readonly leaseMs: number;
  readonly events: readonly (AnyEvent & Named)[];
  /** By the event's id. */
  readonly handle: { readonly [event: string]: Handle };
}
export type Handle = (event: any, delivery: Delivery) => unknown; // each event has its own types, forgotten in the map

/** Each has a checkpoint of its own, which is a commit. */
const mostPartitions = 256;

/**
 * Declares a subscription, on a store (as one of its parts) or beside the stores. An event counts as taken when its
 * handler has come to its end, so after a crash some are handed over again: a handler must not mind.
 */
export function subscription<E extends { readonly [name: string]: unknown }>(
  name: string,
  parts: {
    readonly events: E;
    /** Where a new subscription begins: with the first event that there is (unless told), or with what comes from now on. */
    readonly from?: "beginning" | "now";
    /** How often an event is tried before it is parked, and with it what follows in its stream: 5 times unless told. */
    readonly attempts?: number;
    /** How many handlers may be under way in a process at the same time, each with another stream: 8 unless told. */
    readonly atOnce?: number;
    /** How many events a process may have read and not be done with: 100 unless told. */
    readonly inHand?: number;
    /**
     * Into how many parts the streams are divided, which the processes on one database share among themselves: 1 unless
     * told, so that one process at a time hands over; up to 256. More than there will ever be processes, and not many more.
     */
    readonly partitions?: number;
    /** How long a process may be silent before the others take over from it: "10s" unless told, "1s" or more. */
    readonly lease?: Duration;
    readonly handle: NoInfer<{
      readonly [K in EventNames<E>]?: (event: Payload<E[K]>, delivery: Delivery) => void | Promise<void>;
    }>;
  },
): Subscription {
  const { from = "beginning", attempts = 5, atOnce = 8, inHand = 100, partitions = 1, lease = "10s" } = parts;
  const leaseMs = toMs(lease);
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw new TypeError(`A subscription's name is in kebab-case, like "ticket-mail"; "${name}" is not.`);
  for (const [what, value] of Object.entries({ attempts, atOnce, inHand, partitions })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new TypeError(`The subscription "${name}" has ${what} ${value}; give a whole number from 1 on.`);
  }
  if (partitions > mostPartitions)
    throw new TypeError(`The subscription "${name}" has ${partitions} partitions; ${mostPartitions} is the most.`);
  if (leaseMs < 1_000)
    throw new TypeError(
      `The subscription "${name}" has a lease of ${lease}; a second is the least that can be kept up.`,
    );
  const handlers = Object.entries(parts.handle as { readonly [event: string]: Handle | undefined });
  const events: (AnyEvent & Named)[] = [];
  const handle: Record<string, Handle> = {};
  for (const [event, handler] of handlers) {
    const declared = parts.events[event];
    if (!handler) continue;
    if (!isEvent(declared))
      throw new TypeError(`The subscription "${name}" handles "${event}", which is not one of its events.`);
    events.push(declared);
    handle[declared.id] = handler;
  }
  return Object.freeze({
    kind: "subscription",
    name,
    from,
    attempts,
    atOnce,
    inHand,
    partitions,
    leaseMs,
    events: Object.freeze(events),
    handle: Object.freeze(handle),
  });
}

const isEvent = (member: unknown): member is AnyEvent & Named =>
  typeof member === "object" && member !== null && (member as { kind?: unknown }).kind === "event" && "id" in member;
