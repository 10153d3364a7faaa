import { type Clock, validate } from "../contracts/index.ts";
import type { Catalog, Known } from "./catalog.ts";
import { toTicket } from "./flow.ts";
import { type Entry, type Item, inboxFrom, type Journal, type RunRow, Unreadable } from "./journal.ts";

export interface AdoptionPorts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly catalog: Catalog;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Whether a run may be tried that may be what ends processes: one at a time, so that it takes no other one with it. */
  readonly mayTry: (run: string) => boolean;
}
export type Adopted =
  | {
      readonly kind: "adopted";
      readonly known: Known;
      readonly row: RunRow;
      readonly input: unknown;
      readonly entries: readonly Entry[];
      readonly inbox: readonly Item[];
    }
  /** It waits for a person now. */
  | { readonly kind: "paused"; readonly reason: string }
  /** It is left alone until then. */
  | { readonly kind: "later"; readonly at: number }
  /** Its time has come, and it waits in line now. */
  | { readonly kind: "queued" }
  /** Somebody else has written to it. */
  | { readonly kind: "fenced" };

/** A run that was claimed so often in succession, and got nowhere before its node was gone, is taken for the reason. */
const mostClaims = 5;
const suspiciousClaims = 3;
const retryMs = 500;

/**
 * Brings a claimed run back from its journal. The claim is written down before any of its code runs: that fences off
 * whoever had the run before, and tells of a run that takes its node with it, wherever in its code it does so.
 */
export async function adopt(row: RunRow, node: string, ports: AdoptionPorts): Promise<Adopted> {
  const { journal, clock, catalog } = ports;
  try {
    if (row.startsAt !== undefined && clock.now() < row.startsAt) {
      await journal.putBack(row.run, node, row.startsAt); // a signal has made it due
      return { kind: "later", at: row.startsAt };
    }
    const entries = await journal.read(row.run, row.from);
    const [started] = entries;
    const known = catalog.named(row.workflow);
    if (!known || (started?.type !== "Started" && started?.type !== "Continued"))
      return await strand(row, entries, "its journal has no beginning", ports);
    const inbox = await journal.inbox(row.run, inboxFrom(started));
    const read = await validate(known.workflow.operation.input, started.input);
    if (!read.ok) return await strand(row, entries, `its input is not what ${row.workflow} reads`, ports);

    const { flow, id } = known.workflow;
    if (row.startsAt !== undefined && flow && journal.line && !row.ticket && entries.length === 1) {
      const queues = toTicket(id, flow, read.value);
      const placed = await journal.append(row.run, 0, [], { row: { state: "queued", owner: null }, queues });
      if (typeof placed === "object" && "position" in placed) return { kind: "queued" };
      await journal.putBack(row.run, node, clock.now());
      return { kind: "fenced" };
    }

    const claims = Math.min(row.claims ?? 0, trailingClaims(entries));
    if (claims >= mostClaims) return await pause(row, entries, poisonous(claims), ports);
    if (claims >= suspiciousClaims && !ports.mayTry(row.run)) {
      const at = clock.now() + retryMs * (0.5 + ports.random());
      await journal.putBack(row.run, node, at);
      return { kind: "later", at };
    }
    const term = entries.filter(({ type }) => type === "Claimed").length + 1;
    const claimed = { type: "Claimed", node, term, at: Math.max(clock.now(), entries.at(-1)?.at ?? 0) } as const;
    const state = entries.some(({ type }) => type === "UndoBegan") ? "undoing" : "running";
    const taken = { owner: node, state, claims: (row.claims ?? 0) + 1 } as const;
    const appended = await journal.append(row.run, lastOf(row, entries), [claimed], { row: taken });
    if (typeof appended === "string" || "refused" in appended) {
      // Whoever had it before was at it still. It has lost it with the row, so the next claim finds it at rest.
      await journal.putBack(row.run, node, clock.now());
      return { kind: "fenced" };
    }
    const adopted = { known, row: { ...row, ...taken }, input: read.value, entries: [...entries, claimed], inbox };
    return { kind: "adopted", ...adopted };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    const reason = `The run cannot be taken up: ${error.message} Look at the log's streams of this run; nobody goes on with it.`;
    await journal.strand(row.run, node, reason);
    return { kind: "paused", reason };
  }
}

const poisonous = (claims: number): string =>
  `The run was taken up ${claims} times, and each time its node was gone before it got any further. It may be what ends the process: look for a step that takes too much memory or exits, mend it, and resume the run.`;

/** A run that this code cannot go on with waits for a person. */
const strand = (row: RunRow, entries: readonly Entry[], why: string, ports: AdoptionPorts): Promise<Adopted> =>
  pause(row, entries, `The run cannot be taken up: ${why}. Deploy code that can, and resume it.`, ports);

async function pause(
  row: RunRow,
  entries: readonly Entry[],
  reason: string,
  { journal, clock }: AdoptionPorts,
): Promise<Adopted> {
  const change = { row: { state: "paused", owner: null, wakeAt: null, reason } } as const;
  const paused = { type: "Paused", reason, at: clock.now() } as const;
  const appended = await journal.append(row.run, lastOf(row, entries), [paused], change);
  return appended === "fenced" ? { kind: "fenced" } : { kind: "paused", reason };
}

/** The revision of a run's last entry, of which `entries` are the present stretch. */
const lastOf = ({ from = 0 }: RunRow, entries: readonly Entry[]): number => from + entries.length - 1;

function trailingClaims(entries: readonly Entry[]): number {
  const last = entries.findLastIndex(({ type }) => type !== "Claimed");
  return entries.length - 1 - last;
}
