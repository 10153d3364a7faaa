import { type Child, startChild } from "./child.ts";
import type { Settings } from "./settings.ts";

export const names = ["openflights", "ourairports", "faa", "flights", "fares", "payments"] as const;
export type Name = (typeof names)[number];

export interface LaunchOptions<N extends Name = Name> {
  /** The folder in which payments keeps its ledger. */
  readonly data: string;
  /** The same seed meets the same latencies and failures. Default 1. */
  readonly seed?: number;
  /** Keep the services' complaints off this process's standard error. */
  readonly quiet?: boolean;
  /** Default: all. */
  readonly only?: readonly N[];
  /** Default: any free port. */
  readonly ports?: Partial<Record<Name, number>>;
  /** Instead of the services' own: `all` for each, a name for that one, which wins. */
  readonly behaviour?: Partial<Record<Name | "all", Partial<Settings>>>;
}

export interface Upstreams<N extends Name = Name> extends AsyncDisposable {
  readonly urls: Readonly<Record<N, string>>;
  /** Changes how a service behaves from the next request on, and resolves to all of its settings. */
  control(name: N, settings: Partial<Settings>): Promise<Settings>;
  /** Ends the process and starts another on the same port, with the settings of the launch. SIGKILL is a crash. */
  restart(name: N, signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the services, each as its own process, and resolves when all are ready. They end when this process ends. */
export async function launchUpstreams<N extends Name = Name>(options: LaunchOptions<N>): Promise<Upstreams<N>> {
  const wanted: readonly N[] = options.only ?? (names as readonly Name[] as readonly N[]);
  const children = new Map<N, Child>();
  const stop = async () => void (await Promise.all([...children.values()].map((child) => child.stop("SIGTERM"))));
  const start = async (name: N, port: number) => void children.set(name, await startChild(name, flagsOf(name, port)));
  const flagsOf = (name: N, port: number) => ({
    port,
    seed: options.seed ?? 1,
    data: options.data,
    quiet: options.quiet ?? false,
    settings: { ...options.behaviour?.all, ...options.behaviour?.[name] },
  });

  const started = await Promise.allSettled(wanted.map((name) => start(name, options.ports?.[name] ?? 0)));
  const failed = started.find((result) => result.status === "rejected");
  if (failed) {
    await stop();
    throw failed.reason;
  }

  const childOf = (name: N): Child => {
    const child = children.get(name);
    if (!child) throw new Error(`The upstream "${name}" was not launched. Add it to "only".`);
    return child;
  };

  return {
    urls: Object.fromEntries(wanted.map((name) => [name, childOf(name).url])) as Record<N, string>,
    async control(name, settings) {
      const response = await fetch(`${childOf(name).url}/control`, { method: "POST", body: JSON.stringify(settings) });
      if (!response.ok) throw new Error(`The upstream "${name}" refused its settings. ${await response.text()}`);
      return (await response.json()) as Settings;
    },
    async restart(name, signal = "SIGTERM") {
      const { url, stop } = childOf(name);
      await stop(signal);
      await start(name, Number(new URL(url).port));
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
