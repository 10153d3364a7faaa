/**
 * The inside door: what the runtime binds. It hands in the ports and gets providers for the views' operations.
 * Start with provideViews, then answer.ts (one answer), reading/reader.ts (one source) and fuse.ts (the rules).
 */
import type { Clock, Dispatch, Provider } from "../contracts/index.ts";
import { toAnswer } from "./answer.ts";
import type { Upstream } from "./port.ts";
import { Cache } from "./reading/cache.ts";
import type { SourceHealth } from "./reading/health.ts";
import { Reader } from "./reading/reader.ts";
import type { SourcePlan } from "./source.ts";
import type { AnyView } from "./view.ts";

export {
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
}
export interface Views {
  readonly providers: readonly Provider[];
  /** How every source has been doing, by the order of declaration. */
  sources(): readonly SourceHealth[];
  /** Aborts what is under way. Views that are asked afterwards say that their sources are `slow`. */
  close(): void;
}

const cacheEntries = 10_000;
const cacheBytes = 64 * 2 ** 20;

/** Binds views to the outside. Throws where two sources share a name, or settings name a source that is not there. */
export function provideViews(views: readonly AnyView[], ports: ViewPorts): Views {
  const { origins, credentials = {}, clock } = ports;
  const sources = sourcesOf(views);
  for (const name of [...Object.keys(origins), ...Object.keys(credentials)]) {
    if (!sources.has(name))
      throw new TypeError(
        `The settings name the source "${name}", and no view has one. There are: ${[...sources.keys()].join(", ") || "none"}.`,
      );
  }
  const cache = new Cache(cacheEntries, cacheBytes);
  const readers = new Map(
    [...sources].map(([name, source]) => {
      const origin = Object.hasOwn(origins, name) ? checkedOrigin(name, origins[name] ?? "") : undefined;
      const secret = Object.hasOwn(credentials, name) ? credentials[name] : undefined;
      const own = { ...(origin !== undefined && { origin }), ...(secret !== undefined && { credentials: secret }) };
      const { upstream, dispatch, random } = ports;
      return [name, new Reader(source, { upstream, dispatch, clock, random, cache, ...own })];
    }),
  );
  return {
    providers: views.map((view) => ({ operation: view.id, handle: toAnswer(view, readers, clock) })),
    sources: () => [...readers.values()].map((reader) => reader.health.summary()),
    close() {
      for (const reader of readers.values()) reader.close();
      cache.clear();
    },
  };
}

function sourcesOf(views: readonly AnyView[]): ReadonlyMap<string, SourcePlan> {
  const sources = new Map<string, SourcePlan>();
  for (const source of views.flatMap(({ sources }) => sources)) {
    const known = sources.get(source.name);
    if (known && known !== source)
      throw new TypeError(
        `Two sources are called "${source.name}". Declare it once and use it in both views, or rename one.`,
      );
    sources.set(source.name, source);
  }
  return sources;
}

function checkedOrigin(source: string, origin: string): string {
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.search || url.hash) {
    throw new TypeError(
      `The address of the source "${source}" must be like "https://airports.test" or "https://airports.test/v2", without credentials and without a query.`,
    );
  }
  return origin;
}
