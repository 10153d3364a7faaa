import { type Hello, sameProcess } from "./hello.ts";
import { type Outage, runsInHand } from "./outage.ts";
import { count, noRates, type Rates, type Tally } from "./rates.ts";
import { number, type SeenSpan, type SpanRecord, text } from "./span.ts";
import { runId, stateOfRun } from "./state.ts";
import { inOrder, type Trace, withSpans } from "./trace.ts";

/** All that the page knows, as a fold over what the feed sent. */
export interface World {
  readonly hello?: Hello;
  /** How many processes were seen before this one. */
  readonly epoch: number;
  /** When the connection was lost; absent while it stands. */
  readonly lostMs?: number;
  /** By trace id, oldest first. */
  readonly traces: ReadonlyMap<string, Trace>;
  readonly rates: Rates;
  readonly sources: ReadonlyMap<string, SourceHealth>;
  readonly logs: ReadonlyMap<string, LogHead>;
  /** Contracts that somebody else implements, by name, as calls to them were seen. */
  readonly remotes: ReadonlySet<string>;
  readonly outages: readonly Outage[];
}
export interface SourceHealth {
  readonly state: string;
  readonly atMs: number;
  readonly tookMs: number;
}
export interface LogHead {
  readonly position: number;
  readonly atMs: number;
}
export type Message =
  | { readonly type: "hello"; readonly hello: Hello; readonly atMs?: number }
  | { readonly type: "span"; readonly span: SpanRecord }
  | { readonly type: "lost"; readonly atMs: number };

export const emptyWorld: World = {
  epoch: 0,
  traces: new Map(),
  rates: noRates,
  sources: new Map(),
  logs: new Map(),
  remotes: new Set(),
  outages: [],
};

export const tracesKept = 300;
const sourcesKept = 24;
const outagesKept = 5;
const remotesKept = 24;

/** What the world is after these messages. `keep` names a trace that must not be forgotten, because somebody looks at it. */
export function apply(world: World, messages: readonly Message[], nowMs: number, keep?: string): World {
  let next = world;
  let spans: SpanRecord[] = [];
  const flush = () => {
    if (spans.length > 0) next = withNews(next, spans, nowMs);
    spans = [];
  };
  for (const message of messages) {
    if (message.type === "span") {
      spans.push(message.span);
      continue;
    }
    flush();
    next = message.type === "hello" ? greeted(next, message, nowMs) : { ...next, lostMs: next.lostMs ?? message.atMs };
  }
  flush();
  return next === world ? world : bounded(next, keep);
}

function greeted(
  world: World,
  { hello, atMs: heardMs = 0 }: Extract<Message, { readonly type: "hello" }>,
  nowMs: number,
): World {
  const { lostMs, ...rest } = world;
  if (!world.hello || sameProcess(world.hello, hello)) return { ...rest, hello };
  const atMs = lostMs ?? Math.min(nowMs, hello.startedMs);
  const outage: Outage = {
    epoch: world.epoch,
    pid: world.hello.pid,
    atMs,
    backMs: Math.max(atMs, hello.startedMs, heardMs),
    ...runsInHand(world.traces.values()),
  };
  return {
    ...rest,
    hello,
    epoch: world.epoch + 1,
    traces: new Map([...world.traces].map(([id, trace]) => [id, cut(trace, atMs)])),
    outages: [...world.outages, outage].slice(-outagesKept),
  };
}

/** Nobody will ever end the spans that a dead process left open. */
function cut(trace: Trace, atMs: number): Trace {
  const open = [...trace.spans.values()].filter(({ status }) => status === "open");
  if (open.length === 0) return trace;
  const ended = open.map((span) => ({ ...span, status: "cut" as const, endMs: Math.max(span.startMs, atMs) }));
  return withSpans(trace.id, trace, ended);
}

function withNews(world: World, spans: readonly SpanRecord[], nowMs: number): World {
  const byTrace = Map.groupBy(spans, ({ trace }) => trace);
  const traces = new Map(world.traces);
  const sources = new Map(world.sources);
  const logs = new Map(world.logs);
  const tallies: Tally[] = [];
  for (const [id, news] of byTrace) {
    const before = world.traces.get(id);
    const after = withSpans(
      id,
      before,
      news.map((span) => ({ ...span, epoch: before?.spans.get(span.span)?.epoch ?? world.epoch })),
    );
    traces.set(id, after);
    for (const changed of new Set(news.map(({ span }) => span))) {
      const span = after.spans.get(changed);
      if (!span) continue;
      const was = before?.spans.get(changed);
      tallies.push(...tally(was, span, after));
      if (span.status !== "open") observe(span, sources, logs);
    }
  }
  return {
    ...world,
    traces,
    sources: newest(sources),
    logs,
    remotes: withRemotes(world.remotes, spans),
    outages: withSignOfLife(world, spans),
    rates: count(world.rates, tallies, nowMs),
  };
}

/** A process begins long before it can work, and this page hears of it after that: it is back with the first thing that it does. */
function withSignOfLife({ outages, epoch, traces }: World, spans: readonly SpanRecord[]): readonly Outage[] {
  const last = outages.at(-1);
  if (!last || last.epoch !== epoch - 1) return outages;
  const isNew = ({ trace, span, startMs }: SpanRecord) =>
    startMs > last.atMs && (traces.get(trace)?.spans.get(span)?.epoch ?? epoch) === epoch;
  const backMs = Math.min(last.backMs, ...spans.filter(isNew).map(({ startMs }) => startMs));
  return backMs < last.backMs ? [...outages.slice(0, -1), { ...last, backMs }] : outages;
}

function withRemotes(known: ReadonlySet<string>, spans: readonly SpanRecord[]): ReadonlySet<string> {
  const names = spans.flatMap((span) => {
    const isRemote = span.kind === "operation" && text(span, "trilith.layer") === "remote";
    return isRemote ? ((text(span, "trilith.operation") ?? span.name).split(".", 1)[0] ?? []) : [];
  });
  return names.every((name) => known.has(name)) ? known : new Set([...known, ...names].slice(0, remotesKept));
}

/** Each span counts once: a request when it comes in, everything else when it is over. */
function tally(was: SeenSpan | undefined, span: SeenSpan, trace: Trace): Tally[] {
  if (span.kind === "request") return was ? [] : [["requests", span.startMs, 1]];
  if (span.status === "open" || (was && was.status !== "open")) return [];
  const atMs = span.endMs ?? span.startMs;
  switch (span.kind) {
    case "run": {
      const state = stateOfRun(inOrder(trace), runId(span));
      return state === "done" || state === "undone" || state === "failed" ? [[state, atMs, 1]] : [];
    }
    case "step":
      return [["steps", atMs, 1]];
    case "view":
      return [["views", atMs, 1]];
    case "source":
      return [["sources", atMs, 1]];
    case "append":
      return [
        ["appends", atMs, 1],
        ["events", atMs, number(span, "trilith.events") ?? 1],
      ];
    case "operation":
      return [];
  }
}

function observe(span: SeenSpan, sources: Map<string, SourceHealth>, logs: Map<string, LogHead>): void {
  const atMs = span.endMs ?? span.startMs;
  if (span.kind === "source") {
    const name = text(span, "trilith.source") ?? span.name;
    const state = text(span, "trilith.state") ?? (span.status === "ok" ? "fresh" : "down");
    if (atMs >= (sources.get(name)?.atMs ?? 0)) sources.set(name, { state, atMs, tookMs: atMs - span.startMs });
  }
  if (span.kind === "append") {
    const log = text(span, "trilith.log") ?? "main";
    const position = number(span, "trilith.position");
    // The latest word counts, not the highest number: a restored log may stand at a lower position.
    if (position !== undefined && atMs >= (logs.get(log)?.atMs ?? 0)) logs.set(log, { position, atMs });
  }
}

const newest = (sources: Map<string, SourceHealth>): Map<string, SourceHealth> =>
  sources.size <= sourcesKept
    ? sources
    : new Map([...sources].sort(([, a], [, b]) => b.atMs - a.atMs).slice(0, sourcesKept));

/** Forgets the oldest traces. What still runs is forgotten last, and what somebody looks at not at all. */
function bounded(world: World, keep: string | undefined): World {
  const excess = world.traces.size - tracesKept;
  if (excess <= 0) return world;
  const oldest = [...world.traces.values()].filter(({ id }) => id !== keep);
  const isOpen = (trace: Trace) => [...trace.spans.values()].some(({ status }) => status === "open");
  const gone = [...oldest.filter((trace) => !isOpen(trace)), ...oldest.filter(isOpen)].slice(0, excess);
  const traces = new Map(world.traces);
  for (const { id } of gone) traces.delete(id);
  return { ...world, traces };
}
