import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type UpstreamName, upstreamNames } from "./product.ts";

/** What the upstreams are to be like from now on; whoever is not named is up and quick. */
export interface ToUpstreams {
  readonly slow?: { readonly [name in UpstreamName]?: number };
  readonly down?: readonly UpstreamName[];
}
export interface FromUpstreams {
  readonly ports: { readonly [name in UpstreamName]: number };
  /** Requests that came since this was told last. */
  readonly calls: number;
}

export interface Upstreams {
  /** Without a path: `http://127.0.0.1:4711`. */
  readonly origins: { readonly [name in UpstreamName]: string };
  /** Tells them what to be like, and gives how many requests came since they were told last. */
  be(like: ToUpstreams): Promise<number>;
  close(): void;
}

/** Four upstreams in a process of their own, so that what they use is not counted as a system's. */
export async function startUpstreams(): Promise<Upstreams> {
  const child = fork(join(import.meta.dirname, "upstreams-process.ts"), {
    execArgv: ["--conditions=trilith-source", "--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const tell = async (like: ToUpstreams): Promise<FromUpstreams> => {
    child.send(like);
    const [message] = (await once(child, "message")) as [FromUpstreams];
    return message;
  };
  const { ports } = await tell({});
  const origins = upstreamNames.map((name) => [name, `http://127.0.0.1:${ports[name]}`]);
  return {
    origins: Object.fromEntries(origins) as Upstreams["origins"], // one for each name
    be: async (like) => (await tell(like)).calls,
    close: () => void child.kill(),
  };
}
