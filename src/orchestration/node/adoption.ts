import { type Clock, validateStored } from "../../contracts/index.ts";
import type { Entries } from "../journal/entries.ts";
import {
  type Entry,
  type Item,
  inboxFrom,
  type Journal,
  type Loaded,
  type RunRow,
  toSeen,
  Unreadable,
} from "../journal/journal.ts";
import { toTicket } from "../language/flow.ts";
import type { Verdict } from "../replay/verdict.ts";
import { toOuterEnd } from "../steering/outer-end.ts";
import { toReplayed } from "../steering/retrying.ts";
import { type Asked, datedAt, pauseReason, Steering, toNote } from "../steering/steering.ts";
import { journalOf } from "./active-runs.ts";
import type { Catalog, Known } from "./catalog.ts";

export interface AdoptionPorts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly catalog: Catalog;
  /** Reads the run's present stretch, when there is room for it. */
  readonly load: () => Promise<Loaded>;
  /** Whether a run may be tried now that may be what ends processes. */
  readonly mayTry: (row: RunRow, claims: number) => boolean;
  /** The claim is about to be written down; told how its row forgets it, should it come to nothing while its node goes on. */
  readonly counting: (uncount: () => Promise<unknown>) => void;
}
export type Adopted =
  | {
      readonly kind: "adopted";
      readonly known: Known;
      readonly row: RunRow;
      readonly input: unknown;
      readonly entries: Entries;
      readonly inbox: readonly Item[];
      /** Of the entries, in characters of JSON. */
      readonly size: number;
    }
  /** It waits for a person now. */
  | { readonly kind: "paused"; readonly reason: string }
  /** It may be what ends processes, and waits for its trial. */
  | { readonly kind: "suspected" }
  /** Somebody wanted it to end. */
  | { readonly kind: "ended"; readonly verdict: Verdict & { readonly kind: "failed" } }
  /** It is left alone until then. */
  | { readonly kind: "later"; readonly at: number }
  /** Its time has come, and it waits in line now. */
  | { readonly kind: "queued" }
  /** Somebody else has written to it. */
  | { readonly kind: "fenced" };

/** A run that was claimed so often in succession, and got nowhere before its node was gone, is taken for the reason. */
const mostClaims = 8;
/** From here on it is tried beside few others, and then alone. */
const suspiciousClaims = 3;
/** From here on it is left alone for a time before each trial, so that kills in quick succession count once. */
const delayedClaims = 5;
const firstDelayMs = 500;
/** After somebody else has written to it: whoever did may do so again. */
const fencedDelayMs = 100;
/** What may be read before the claim is written down: no process ends of this much. */
const lightSize = 2 ** 20;
const lightEntries = 16;

/**
 * Brings a claimed run back from its journal. The claim is written down before any of its code runs, and before more is
 * read than a little: that fences off whoever had the run before, and tells of a run that takes its node with it, wherever
 * in its code it does so, or in its journal.
 */
export async function adopt(row: RunRow, node: string, ports: AdoptionPorts): Promise<Adopted> {
  const { journal } = ports;
  try {
    if (await isLight(row, journal)) return await takeUp(row, node, ports, { counted: false });
    const counted = await count(row, node, ports);
    if ("kind" in counted) return counted;
    return (await endUnread(counted, ports)) ?? (await takeUp(counted, node, ports, { counted: true }));
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    const ended = await endUnread(row, ports);
    if (ended) return ended;
    const reason = `The run cannot be taken up: ${error.message} Look at the log's streams of this run; nobody goes on with it.`;
    await journal.strand(row.run, node, reason);
    return { kind: "paused", reason };
  }
}

/** Whether nobody's process can have ended of it so far, and it is small. */
async function isLight({ run, claims = 0, size, from = 0 }: RunRow, journal: Journal): Promise<boolean> {
  if (claims > 0) return false;
  return size === undefined ? (await journal.revision(run)) - from < lightEntries : size <= lightSize;
}

/** Writes the claim down, with nothing read but how the journal ends; or says why it is not taken up. */
async function count(row: RunRow, node: string, ports: AdoptionPorts): Promise<RunRow | Adopted> {
  const { journal, clock } = ports;
  const { run, from = 0 } = row;
  const last = await journal.revision(run);
  const end = await journal.last(run);
  const tail = end?.type === "Claimed" ? await journal.read(run, Math.max(from, last - mostClaims)) : [];
  const claims = Math.min(row.claims ?? 0, trailingClaims(tail));
  if (claims >= mostClaims) return (await endUnread(row, ports)) ?? (await pauseUnread(row, last, claims, ports));
  const written = end?.at ?? 0;
  const at = claims < delayedClaims ? 0 : written + firstDelayMs * 2 ** (claims - delayedClaims);
  if (at > clock.now()) {
    await journal.putBack(run, node, at);
    return { kind: "later", at };
  }
  if (claims >= suspiciousClaims && !ports.mayTry(row, claims)) return { kind: "suspected" };
  const term = (row.term ?? 0) + 1;
  const taken = { owner: node, claims: (row.claims ?? 0) + 1, term } as const;
  const claimed = { type: "Claimed", node, term, at: Math.max(clock.now(), written) } as const;
  ports.counting(() => uncount(row, last + 1, journal));
  const appended = await journal.append(run, last, [claimed], { row: taken });
  return typeof appended === "object" && "position" in appended ? { ...row, ...taken } : fenced(row, node, ports);
}

/** The claim was written with this revision; if it was not, or somebody else has written since, there is nothing to forget. */
const uncount = ({ run, claims = 0 }: RunRow, revision: number, journal: Journal): Promise<unknown> =>
  journal.append(run, revision, [], { row: { claims } });

/** Whoever had it before was at it still. It has lost it with the row, so the next claim finds it at rest. */
async function fenced({ run }: RunRow, node: string, { journal, clock }: AdoptionPorts): Promise<Adopted> {
  await journal.putBack(run, node, clock.now() + fencedDelayMs);
  return { kind: "fenced" };
}

async function takeUp(
  row: RunRow,
  node: string,
  ports: AdoptionPorts,
  { counted }: { readonly counted: boolean },
): Promise<Adopted> {
  const { journal, clock, catalog } = ports;
  const { entries, size } = await ports.load();
  const { first: started, others } = entries;
  const inbox = await journal.inbox(row.run, inboxFrom(started));
  const { standing } = new Steering(others, inbox);
  if (standing?.control.to === "terminate") return await end(row, lastOf(row, entries), standing, "terminate", ports);
  // None of its code has run, so there is nothing to undo, and none of it is to run now.
  if (standing?.control.to === "cancel" && isBeforeCode(entries))
    return await end(row, lastOf(row, entries), standing, "cancel", ports);
  if (standing?.control.to === "pause")
    return await pause(row, entries, inbox, pauseReason({ ...standing, reason: standing.control.reason }), ports);

  // Whoever cancels it does not wait for its time, nor for its turn.
  const startsAt = standing?.control.to === "cancel" ? undefined : row.startsAt;
  if (startsAt !== undefined && clock.now() < startsAt) {
    await journal.putBack(row.run, node, startsAt); // a signal or a resume has made it due
    return { kind: "later", at: startsAt };
  }

  const known = catalog.named(row.workflow);
  if (!known || (started?.type !== "Started" && started?.type !== "Continued"))
    return await strand(row, entries, inbox, "its journal has no beginning", ports);
  const read = await validateStored(known.workflow.operation, started.input);
  if (!read.ok) return await strand(row, entries, inbox, `its input is not what ${row.workflow} reads`, ports);

  const { flow, id } = known.workflow;
  const isNew = started.type === "Started" && !others.some(({ type }) => type === "Claimed");
  if (startsAt !== undefined && isNew && flow && journal.line && !row.ticket) {
    const now = clock.now();
    const last = lastOf(row, entries);
    const queues = { ticket: toTicket(id, flow, read.value), startedAt: now, revision: last + 1 };
    const change = { row: { state: "queued", owner: null }, queues } as const;
    const placed = await journal.append(
      row.run,
      last,
      [{ type: "Queued", at: Math.max(now, entries.last?.at ?? 0) }],
      change,
    );
    if (typeof placed === "object" && "position" in placed) return { kind: "queued" };
    await journal.putBack(row.run, node, now + fencedDelayMs);
    return { kind: "fenced" };
  }

  const state = others.some(({ type }) => type === "UndoBegan") ? "undoing" : "running";
  const last = lastOf(row, entries);
  const claims = row.claims ?? 0;
  const { term = others.filter(({ type }) => type === "Claimed").length } = row;
  const counts = counted ? { claims, term } : { claims: claims + 1, term: term + 1 };
  const taken = { owner: node, state, ...counts } as const;
  const claimed: Entry = {
    type: "Claimed",
    node,
    term: taken.term,
    at: Math.max(clock.now(), entries.last?.at ?? 0),
  };
  const fresh = counted ? [] : [claimed];
  // A claim that is written down already has left the state as it was for any run.
  const isWritten = counted && state === "running";
  if (!counted) ports.counting(() => uncount(row, last + 1, journal));
  const appended = isWritten ? undefined : await journal.append(row.run, last, fresh, { row: taken });
  if (appended !== undefined && (typeof appended === "string" || "refused" in appended))
    return fenced(row, node, ports);
  const present = toReplayed(entries.with(fresh), row.from);
  return { kind: "adopted", known, row: { ...row, ...taken }, input: read.value, entries: present, inbox, size };
}

const poisonous = (claims: number): string =>
  `The run was taken up ${claims} times, and each time its node was gone before it got any further. It may be what ends the process: look for a step that takes too much memory, never gives way or exits, mend it, and resume the run.`;

/** A run that this code cannot go on with waits for a person. */
const strand = (
  row: RunRow,
  entries: Entries,
  inbox: readonly Item[],
  why: string,
  ports: AdoptionPorts,
): Promise<Adopted> =>
  pause(row, entries, inbox, `The run cannot be taken up: ${why}. Deploy code that can, and resume it.`, ports);

async function pause(
  row: RunRow,
  entries: Entries,
  inbox: readonly Item[],
  reason: string,
  { journal, clock }: AdoptionPorts,
): Promise<Adopted> {
  const at = clock.now();
  const before = seenBefore(entries);
  const last = inbox.at(-1);
  const inboxSeen = last && last.revision > before ? toSeen(last) : { revision: before };
  const change = { row: { state: "paused", owner: null, wakeAt: null, reason }, inboxSeen } as const;
  const notes = new Steering(entries.others, inbox).open.filter(({ control }) => control.to !== "cancel").map(toNote);
  const paused = datedAt(at, [...notes, { type: "Paused", reason }]);
  const appended = await journal.append(row.run, lastOf(row, entries), paused, change);
  if (appended === "inbox moved" && row.owner !== null) {
    await journal.putBack(row.run, row.owner, at); // whoever claims it next sees what has come
    return { kind: "later", at };
  }
  return appended === "fenced" ? { kind: "fenced" } : { kind: "paused", reason };
}

/** A run that may be what ends processes is paused without a look at its journal, which may be what does. */
async function pauseUnread(row: RunRow, last: number, claims: number, ports: AdoptionPorts): Promise<Adopted> {
  const { journal, clock } = ports;
  const { run } = row;
  const reason = poisonous(claims);
  const at = clock.now();
  const inboxSeen = toSeen((await journal.inbox(run)).at(-1));
  const change = { row: { state: "paused", owner: null, wakeAt: null, reason }, inboxSeen } as const;
  const appended = await journal.append(run, last, [{ type: "Paused", reason, at }], change);
  if (appended === "inbox moved" && row.owner !== null) {
    await journal.putBack(run, row.owner, at); // whoever claims it next sees what has come
    return { kind: "later", at };
  }
  return appended === "fenced" ? { kind: "fenced" } : { kind: "paused", reason };
}

/** Somebody may want a run to end whose journal nobody can read, or should: that takes nothing of it but where it begins and ends. */
async function endUnread(row: RunRow, ports: AdoptionPorts): Promise<Adopted | undefined> {
  const { journal } = ports;
  const { run, from } = row;
  try {
    // A further stretch begins with what was left of the inbox: what was meant for a life before it is not among that.
    const first = await journal.read(run, from, 1).catch(ifUnreadable);
    const inbox = await journal.inbox(run, inboxFrom(first?.[0]));
    if (new Steering(first ?? [], inbox).standing?.control.to !== "terminate") return undefined;
    const retried = await journal.last(run, "Retried", from).catch(ifUnreadable);
    const { standing } = new Steering([...(first ?? []), ...(retried ? [retried] : [])], inbox);
    if (standing?.control.to !== "terminate") return undefined;
    return await end(row, await journal.revision(row.run), standing, "terminate", ports);
  } catch (error) {
    return ifUnreadable(error);
  }
}

function ifUnreadable(error: unknown): undefined {
  if (!(error instanceof Unreadable)) throw error;
}

/** Ends a run without its code. */
async function end(
  row: RunRow,
  last: number,
  asked: Asked,
  to: "cancel" | "terminate",
  { journal, clock }: AdoptionPorts,
): Promise<Adopted> {
  const at = clock.now();
  const { end, change, verdict } = toOuterEnd(row, to, { by: asked.by, reason: asked.control.reason }, at);
  const appended = await journalOf(row, { journal, progressed: () => {} }, anyExtent).append(
    row.run,
    last,
    datedAt(at, [toNote(asked), end]),
    change,
  );
  return appended === "fenced" ? { kind: "fenced" } : { kind: "ended", verdict };
}

const anyExtent = { isEnding: () => true, size: 0 } as const;

/** What stands in the journal of a run of which no code has run; claimed it may have been, by a node that died. */
const beforeCode: ReadonlySet<string> = new Set(["Started", "Queued", "Steered", "Paused"]);
const isBeforeCode = ({ length, others }: Entries): boolean =>
  length === others.length && others.every(({ type }) => beforeCode.has(type));

/** The last item of the inbox that earlier stretches have seen. */
const seenBefore = ({ first }: Entries): number => (first?.type === "Continued" ? first.inbox.upTo : -1);

/** The revision of a run's last entry, of which `entries` are the present stretch. */
const lastOf = ({ from = 0 }: RunRow, entries: Entries): number => from + entries.length - 1;

function trailingClaims(entries: readonly Entry[]): number {
  const last = entries.findLastIndex(({ type }) => type !== "Claimed");
  return entries.length - 1 - last;
}
