/**
 * The inside door: what the runtime binds. It hands in the ports and gets providers for the views' operations.
 * Start with provideViews, then answer.ts (one answer), reading/reader.ts (one source) and fuse.ts (the rules). Feeds
 * start with FeedRunner, then feeds/run-feed.ts.
 */
import type { Clock, Dispatch, Provider } from "../contracts/index.ts";
import { toAnswer } from "./answer.ts";
import type { Candidates } from "./kept/candidates.ts";
import { type Listener, toListeners, toPushProviders } from "./kept/desk.ts";
import { KeptReader } from "./kept/kept-reader.ts";
import { keptViews } from "./kept/materialized.ts";
import type { FieldMeta, ViewMeta } from "./meta.ts";
import type { LastGood, Upstream } from "./port.ts";
import { Cache } from "./reading/cache.ts";
import type { SourceHealth } from "./reading/health.ts";
import { isTellable, LastGoodWriter } from "./reading/last-good.ts";
import { type AnyReader, Reader } from "./reading/reader.ts";
import { isPersonal } from "./reading/samples.ts";
import { checkRules } from "./rules-check.ts";
import type { SourcePlan } from "./source.ts";
import type { AnyView } from "./view.ts";

export type { Feed } from "./feeds/feed.ts";
export type { FeedHealth } from "./feeds/feed-health.ts";
export type { FeedHold, FeedKeeping } from "./feeds/feed-keeping.ts";
export { FeedRunner, type FeedRunnerPorts } from "./feeds/feed-runner.ts";
export type { FeedState } from "./feeds/kept-state.ts";
export { type Candidate, type Candidates, outranks } from "./kept/candidates.ts";
export type { Listener } from "./kept/desk.ts";
export { keptViews, pushesOf } from "./kept/materialized.ts";
export {
  type Aborted,
  type LastGood,
  type LastGoodGone,
  type LastGoodRecord,
  type Upstream,
  type UpstreamAnswer,
  UpstreamProblem,
  type UpstreamProblemKind,
  type UpstreamRequest,
} from "./port.ts";
export type { SourceHealth } from "./reading/health.ts";

export interface ViewPorts {
  readonly upstream: Upstream;
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  /** 0 up to 1, for pauses; `Math.random` is what production hands in. */
  readonly random: () => number;
  /** By source: stands in for scheme, host and port of its address, and may carry a path prefix. */
  readonly origins: { readonly [source: string]: string };
  /** By source: the value of the `authorization` header. */
  readonly credentials?: { readonly [source: string]: string };
  /** The sources whose names may lead to inner addresses; the others are only asked there in digits or as `localhost`. */
  readonly inner?: readonly string[];
  /** Where last good answers outlive the process; without it they do not. */
  readonly lastGood?: LastGood;
  /** Where the candidates of materialised views are; missing where there are none. */
  readonly candidates?: Candidates;
}
export interface Views {
  readonly providers: readonly Provider[];
  /** Who is to be handed the events that feed materialised views. */
  readonly listeners: readonly Listener[];
  /** How every source has been doing, by the order of declaration. */
  sources(): readonly SourceHealth[];
  /** How every view has been doing, by the order of declaration. */
  views(): readonly ViewHealth[];
  /** Last good answers that were not written: too many at once, or the store refused. */
  lost(): number;
  /** Aborts what is under way, and writes what waits to be kept. Views that are asked afterwards say that their sources are `slow`. */
  close(): Promise<void>;
}
/** How a view has been doing since the start. */
export interface ViewHealth {
  readonly view: string;
  /** The sources that it asks, by name. */
  readonly sources: readonly string[];
  readonly answers: number;
  /** Answers in which a rejected candidate said something else, by field. */
  readonly conflicts: { readonly [field: string]: number };
  /** Candidates that could not be normalised, by field. */
  readonly unusable: { readonly [field: string]: number };
  /** Of a list that matches records: pairs that a person should look at, when it was last merged. */
  readonly review: number;
}

const cacheEntries = 10_000;
const cacheBytes = 64 * 2 ** 20;

/**
 * Binds views to the outside. Throws where two sources share a name, settings name a source that is not there, or a view has
 * no rule for what its contract requires.
 */
export function provideViews(views: readonly AnyView[], ports: ViewPorts): Views {
  views.forEach(checkRules);
  const { origins, credentials = {}, inner = [], clock } = ports;
  const sources = sourcesOf(views);
  for (const name of [...Object.keys(origins), ...Object.keys(credentials), ...inner]) {
    if (!sources.has(name))
      throw new TypeError(
        `The settings name the source "${name}", and no view has one. There are: ${[...sources.keys()].join(", ") || "none"}.`,
      );
  }
  const cache = new Cache(cacheEntries, cacheBytes);
  const lastGood = ports.lastGood && { store: ports.lastGood, writer: new LastGoodWriter(ports.lastGood, clock) };
  const readers = new Map(
    [...sources].map(([name, source]) => {
      const origin = Object.hasOwn(origins, name) ? checkedOrigin(name, origins[name] ?? "") : undefined;
      const secret = Object.hasOwn(credentials, name) ? credentials[name] : undefined;
      const own = {
        ...(origin !== undefined && { origin }),
        ...(secret !== undefined && { credentials: secret }),
        mayBeInner: inner.includes(name),
      };
      const kept = lastGood && mayOutlive(source, views) && { lastGood };
      const { upstream, dispatch, random } = ports;
      return [name, new Reader(source, { upstream, dispatch, clock, random, cache, ...own, ...kept })];
    }),
  );
  const tallies = new Map(
    views.map(({ id, sources }): [string, Tally] => [
      id,
      {
        sources: [...new Set(sources.map((asked) => baseOf(asked).name))],
        answers: 0,
        conflicts: new Map(),
        unusable: new Map(),
        review: 0,
      },
    ]),
  );
  const { candidates } = ports;
  const materialised = keptViews(views);
  checkKept(materialised, candidates);
  const pushes = candidates ? toPushProviders(materialised, candidates, clock) : [];
  const answers = views.map((view): Provider => {
    const answer = toAnswer(view, withKept(view, readers, ports), clock);
    const tally = tallies.get(view.id);
    return {
      operation: view.id,
      handle: async (input, call) => {
        const reply = await answer(input as any, call); // its type is the operation's, which the caller has checked
        if (tally && "meta" in reply) count(tally, reply.meta as ViewMeta); // toAnswer gives every reply its meta
        return reply;
      },
    };
  });
  return {
    providers: [...answers, ...pushes],
    listeners: candidates ? toListeners(materialised, candidates, clock) : [],
    sources: () => [...readers.values()].map((reader) => reader.health()),
    views: () =>
      [...tallies].map(([view, { sources, answers, conflicts, unusable, review }]) => ({
        view,
        sources,
        answers,
        conflicts: Object.fromEntries(conflicts),
        unusable: Object.fromEntries(unusable),
        review,
      })),
    lost: () => lastGood?.writer.lost ?? 0,
    async close() {
      for (const reader of readers.values()) reader.close();
      cache.clear();
      await lastGood?.writer.flush();
    },
  };
}

/** The readers of one view: those of sources that it hears read what is kept. */
function withKept(
  { many, ...own }: AnyView,
  readers: ReadonlyMap<string, Reader>,
  { candidates, clock }: ViewPorts,
): ReadonlyMap<string, AnyReader> {
  const view: AnyView = many?.view ?? own;
  if (!view.kept || !candidates) return readers;
  const heard = view.kept.intakes.map(
    ({ source }) => [source.name, new KeptReader(view, source.base ?? source, candidates, clock)] as const,
  );
  return new Map<string, AnyReader>([...readers, ...heard]);
}

function checkKept(views: readonly AnyView[], candidates: Candidates | undefined): void {
  for (const { id, operation, kept } of views) {
    if (!candidates)
      throw new TypeError(`The view ${id} is materialised, and there is no place to keep what it hears.`);
    for (const { source } of kept?.intakes ?? []) {
      if (isTellable(source) && !isPersonal(operation.output) && !isPersonal(operation.input)) continue;
      throw new TypeError(
        `The view ${id} would keep on disk what its source "${source.name}" says, and that is personal, or has a schema that does not say. Ask the source instead.`,
      );
    }
  }
}

interface Tally {
  readonly sources: readonly string[];
  answers: number;
  readonly conflicts: Map<string, number>;
  readonly unusable: Map<string, number>;
  review: number;
}

/** Field by field; of a list, item by item. */
function count(tally: Tally, { fields, items = [], list }: ViewMeta): void {
  tally.answers += 1;
  tally.review = list?.doubts ?? tally.review;
  countFields(tally, fields);
  for (const item of items) countFields(tally, item.fields);
}

function countFields({ conflicts, unusable }: Tally, fields: ViewMeta["fields"]): void {
  const add = (counts: Map<string, number>, field: string, more: number): void =>
    void counts.set(field, (counts.get(field) ?? 0) + more);
  for (const field of Object.keys(fields)) {
    const { conflict, rejected, nested } = fields[field] as FieldMeta; // it is one of its own names
    if (conflict) add(conflicts, field, 1);
    for (const candidate of rejected) if (candidate.unusable) add(unusable, field, 1);
    for (const inside in nested) {
      const { conflicts: more = 0 } = nested[inside] ?? {};
      if (more > 0) add(conflicts, `${field}.${inside}`, more);
    }
  }
}

/** What somebody marked as personal, at the source or in an answer that it is part of, is written to no disk from here. */
const mayOutlive = (source: SourcePlan, views: readonly AnyView[]): boolean =>
  source.staleIfErrorMs > 0 &&
  isTellable(source) &&
  !views.some(
    ({ sources, operation }) =>
      sources.some((asked) => baseOf(asked) === source) &&
      (isPersonal(operation.output) || isPersonal(operation.input)),
  );

function sourcesOf(views: readonly AnyView[]): ReadonlyMap<string, SourcePlan> {
  const sources = new Map<string, SourcePlan>();
  for (const source of views.flatMap(({ sources }) => sources.map(baseOf))) {
    const known = sources.get(source.name);
    if (known && known !== source)
      throw new TypeError(
        `Two sources are called "${source.name}". Declare it once and use it in both views, or rename one.`,
      );
    sources.set(source.name, source);
  }
  return sources;
}

/** A source that is asked in other words is the one upstream that it is. */
const baseOf = (source: SourcePlan): SourcePlan => source.base ?? source;

function checkedOrigin(source: string, origin: string): string {
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.search || url.hash) {
    throw new TypeError(
      `The address of the source "${source}" must be like "https://airports.test" or "https://airports.test/v2", without credentials and without a query.`,
    );
  }
  return origin;
}
