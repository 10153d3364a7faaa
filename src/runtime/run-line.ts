import type { Clock } from "../contracts/index.ts";
import {
  type Admission,
  type Head,
  type Lane,
  type Line,
  type RunRow,
  type Standing,
  type Ticket,
  type Turn,
  untilFreed,
} from "../orchestration/host.ts";
import type { Append, Document, Engine, Outcome, Write } from "../storage/host.ts";
import { laneRows, runLog, runRows, ticketRows, turnRows } from "./run-collections.ts";

export interface LinePorts {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly append: (append: Omit<Append, "id">) => Promise<Outcome>;
}

/** The most runs that one look at the line gives. */
const mostHeads = 64;
const mostFreed = 64;

/**
 * Orchestration's line, as documents beside the runs. What many write at once (who waits, what is freed) are sums that
 * commute; what only an admission writes is guarded by the last event of the stream `line/<operation>`.
 */
export function toLine({ engine, clock, append }: LinePorts): Line {
  return {
    async look(operation, most) {
      const end = { stream: lineOf(operation), from: Number.MAX_SAFE_INTEGER, limit: 1, backwards: true };
      const [last] = await engine.read(runLog, end); // before all else: it guards what is read next
      const now = await engine.time();
      const freed = await engine.find(laneRows.name, {
        where: { operation: { equals: operation }, freed: { from: 1 } },
        limit: mostFreed,
      });
      const documents = await turnsOf(engine, operation, now, most, freed);
      const each = Math.max(4, Math.ceil(mostHeads / Math.max(1, documents.length)));
      const turns = await Promise.all(documents.map((document) => toTurn(engine, document, each)));
      const heads = turns.flatMap(({ heads }) => heads);
      const names = new Set([nameOf(operation, "virtual", ""), nameOf(operation, "lane", "")]);
      for (const { lane, meter } of heads) {
        if (lane !== undefined) names.add(nameOf(operation, "lane", lane));
        if (meter !== undefined) names.add(nameOf(operation, "meter", meter));
      }
      const found = await engine.find(laneRows.name, { where: { name: { in: [...names] } }, limit: names.size });
      const rows = new Map([...freed, ...found].map((row) => [row.key, row.data as LaneData])); // only this file writes them
      const [next] = await engine.find(turnRows.name, {
        where: {
          operation: { equals: operation },
          waiting: { from: 1 },
          opensAt: { from: now + 1, to: untilFreed - 1 },
        },
        orderBy: { column: "opensAt", descending: false },
        limit: 1,
      });
      const of = (kind: string) => [...rows.values()].filter((row) => row.kind === kind);
      // What was freed since the turns were read is for the next look: those who wait for it were not looked for.
      const seenFree = new Map(freed.map(({ data }) => [(data as LaneData).key, (data as LaneData).freed]));
      return {
        revision: last?.revision ?? -1,
        entry: last?.id,
        now,
        virtual: rows.get(nameOf(operation, "virtual", ""))?.at ?? 0,
        turns,
        lanes: new Map(
          of("lane").map(({ key, held }): [string, Lane] => [key, { held, freed: seenFree.get(key) ?? 0 }]),
        ),
        meters: new Map(of("meter").map(({ key, at }) => [key, at])),
        opensAt: next && (next.data as TurnData).opensAt, // only this file writes them
      };
    },
    async admit(operation, seen, admission) {
      const stream = lineOf(operation);
      const { admitted } = admission;
      const at = clock.now();
      const outcome = await append({
        expect: [
          { stream, revision: seen.revision < 0 ? "none" : seen.revision, event: seen.entry },
          ...admitted.map(({ run, revision = 0, entry }) => ({ stream: `run/${run}`, revision, event: entry })),
        ],
        events: [
          { stream, type: "Served", version: 1, data: JSON.stringify({ admitted: admitted.length }) },
          ...admitted.map(({ run }) => ({
            ...{ stream: `run/${run}`, type: "Admitted", version: 1 },
            data: JSON.stringify({ type: "Admitted", at }),
          })),
        ],
        documents: toWrites(operation, seen, admission, at),
      });
      if (!outcome.ok && outcome.why !== "conflict")
        throw new Error(`Runs of ${operation} could not be let in: ${outcome.why}.`);
      return outcome.ok;
    },
  };
}

/** What a run writes when it takes its place in the line. */
export function toQueued(
  { run, startedAt }: Pick<RunRow, "run" | "startedAt">,
  ticket: Ticket,
  last: { readonly revision: number; readonly event: string },
): readonly Write[] {
  const { operation, turn, priority, lane, meter } = ticket;
  const key = turnKey(operation, priority, turn);
  const initial = { operation, turn, priority, start: 0, order: orderOf(priority, 0), opensAt: 0, blockedBy: null };
  return [
    {
      collection: ticketRows.name,
      put: run,
      data: { turn: key, at: startedAt, lane, meter, revision: last.revision, entry: last.event },
    },
    { collection: turnRows.name, increment: key, by: { waiting: 1 }, initial: { ...initial, waiting: 0 } },
  ];
}

/** What is written of a run that gives up its place. */
export function toLeft(run: string, { operation, turn, priority }: Ticket): readonly Write[] {
  const key = turnKey(operation, priority, turn);
  return [
    { collection: ticketRows.name, remove: run },
    { collection: turnRows.name, increment: key, by: { waiting: -1 }, initial: { waiting: 0 } },
  ];
}

/** What a run writes when it ends that was let in. */
export function toFreed({ operation, lane }: Ticket): readonly Write[] {
  return lane === undefined ? [] : [toLaneChange(operation, lane, { held: -1, freed: 1 })];
}

interface TurnData {
  readonly turn: string;
  readonly priority: number;
  readonly start: number;
  readonly waiting: number;
  readonly opensAt: number;
}
interface LaneData {
  readonly kind: "lane" | "meter" | "virtual";
  readonly key: string;
  readonly held: number;
  readonly freed: number;
  /** Of a meter its next arrival, of the virtual time what it is. */
  readonly at: number;
}

const lineOf = (operation: string): string => `line/${operation}`;
const nameOf = (operation: string, kind: LaneData["kind"], key: string): string =>
  JSON.stringify([operation, kind, key]);
const turnKey = (operation: string, priority: number, turn: string): string =>
  JSON.stringify([operation, priority, turn]);
/** As text, by which an index can give turns in their order: the higher priority first, then the earlier start. */
const orderOf = (priority: number, start: number): string =>
  `${String(1_000 - priority).padStart(4, "0")} ${String(start).padStart(16, "0")}`;

async function turnsOf(
  engine: Engine,
  operation: string,
  now: number,
  most: number,
  freed: readonly Document[],
): Promise<readonly Document[]> {
  const where = { operation: { equals: operation }, waiting: { from: 1 } };
  const orderBy = { column: "order", descending: false };
  const open = await engine.find(turnRows.name, { where: { ...where, opensAt: { to: now } }, orderBy, limit: most });
  if (freed.length === 0) return open;
  const lanes = freed.map(({ data }) => (data as LaneData).key); // only this file writes them
  const blocked = await engine.find(turnRows.name, {
    where: { ...where, blockedBy: { in: lanes } },
    orderBy,
    limit: most,
  });
  return [...new Map([...open, ...blocked].map((row) => [row.key, row])).values()];
}

async function toTurn(engine: Engine, { key, data }: Document, limit: number): Promise<Turn> {
  const { turn, priority, start, waiting } = data as TurnData; // only this file writes them
  const orderBy = { column: "at", descending: false };
  const tickets = await engine.find(ticketRows.name, { where: { turn: { equals: key } }, orderBy, limit });
  const heads = tickets.map((ticket) => {
    const { lane, meter, revision = 0, entry } = ticket.data as Omit<Head, "run">; // only this file writes them
    return {
      ...{ run: ticket.key, revision },
      ...(entry !== undefined && { entry }),
      ...(lane !== undefined && { lane }),
      ...(meter !== undefined && { meter }),
    };
  });
  return { key: turn, priority, start, waiting, heads };
}

function toWrites(operation: string, seen: Standing, admission: Admission, now: number): readonly Write[] {
  const { admitted, turns, meters, virtual } = admission;
  const writes: Write[] = [];
  const left = new Map<string, number>();
  const taken = new Map<string, number>();
  const priorities = new Map(
    seen.turns.flatMap(({ priority, heads }) => heads.map(({ run }) => [run, priority] as const)),
  );
  for (const { run, turn, lane } of admitted) {
    writes.push({ collection: ticketRows.name, remove: run });
    writes.push({ collection: runRows.name, patch: run, data: { state: "waiting", wakeAt: now, holds: true } });
    const key = turnKey(operation, priorities.get(run) ?? 0, turn);
    left.set(key, (left.get(key) ?? 0) + 1);
    if (lane !== undefined) taken.set(lane, (taken.get(lane) ?? 0) + 1);
  }
  for (const [key, count] of left)
    writes.push({ collection: turnRows.name, increment: key, by: { waiting: -count }, initial: { waiting: 0 } });
  for (const { key, priority, start, opensAt, blockedBy } of turns) {
    const data = { start, order: orderOf(priority, start), opensAt, blockedBy };
    writes.push({ collection: turnRows.name, patch: turnKey(operation, priority, key), data });
  }
  for (const lane of new Set([...taken.keys(), ...seen.lanes.keys()])) {
    const by = { held: taken.get(lane) ?? 0, freed: -(seen.lanes.get(lane)?.freed ?? 0) };
    if (by.held !== 0 || by.freed !== 0) writes.push(toLaneChange(operation, lane, by));
  }
  for (const [meter, at] of meters) writes.push(toMark(operation, "meter", meter, at));
  if (virtual !== seen.virtual) writes.push(toMark(operation, "virtual", "", virtual));
  return writes;
}

function toLaneChange(operation: string, lane: string, by: { readonly held: number; readonly freed: number }): Write {
  const name = nameOf(operation, "lane", lane);
  const initial = { name, operation, kind: "lane", key: lane, held: 0, freed: 0 };
  return { collection: laneRows.name, increment: name, by, initial };
}

function toMark(operation: string, kind: "meter" | "virtual", key: string, at: number): Write {
  const name = nameOf(operation, kind, key);
  return { collection: laneRows.name, put: name, data: { name, operation, kind, key, held: 0, freed: 0, at } };
}
