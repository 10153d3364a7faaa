import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import backend from "../examples/trips/backend.ts";
import { toEnvironment } from "../examples/trips/run/environment.ts";
import { launchUpstreams, type Upstreams } from "../examples/trips/upstreams/launch.ts";
import { wellBehaved } from "../examples/trips/upstreams/settings.ts";
import { createApiKey } from "../src/runtime/index.ts";
import { type SkippingClock, skippingClock } from "./skipping-clock.ts";

/** The example's backend in this process, on a port of its own, over upstreams that behave unless they are told not to. */
export interface TripsBackend extends AsyncDisposable {
  readonly url: string;
  readonly upstreams: Upstreams;
  readonly clock: SkippingClock;
  /** An API key for somebody who may do just that. */
  keyFor(...scopes: readonly string[]): Promise<string>;
}

export async function startTripsBackend(more: { readonly [setting: string]: string } = {}): Promise<TripsBackend> {
  await using opened = new AsyncDisposableStack();
  const data = await mkdtemp(join(tmpdir(), "trilith-trips-"));
  opened.defer(() => rm(data, { recursive: true, force: true }));
  const upstreams = opened.use(await launchUpstreams({ data, behaviour: { all: wellBehaved } }));
  const clock = skippingClock(3);
  const environment = { ...toEnvironment(upstreams.urls, data), TRILITH_LOG: "fatal", PORT: "0", ...more };
  const running = await backend.start({ environment, clock });
  opened.defer(() => running.stop());
  const ends = opened.move();
  let keys = 0;
  return {
    url: running.url,
    upstreams,
    clock,
    keyFor: (...scopes) => createApiKey(join(data, "keys.json"), { id: `key-${keys++}`, scopes }),
    [Symbol.asyncDispose]: () => ends.disposeAsync(),
  };
}
