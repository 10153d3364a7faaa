import { resolve } from "node:path";
import { launchUpstreams, type Name } from "../upstreams/launch.ts";
import type { Settings } from "../upstreams/settings.ts";
import { TripsClient } from "./client.ts";
import { onEnding } from "./ending.ts";
import { type Keys, makeKeys, toEnvironment } from "./environment.ts";
import { holdFolder, prepareFolder } from "./folder.ts";
import { paint } from "./paint.ts";
import { type Supervised, supervise } from "./supervisor.ts";
import { startTraffic } from "./traffic.ts";

/** As slow as such services are, so that something is under way at most moments, the one of a crash included. */
const behaviour: Partial<Record<Name, Partial<Settings>>> = {
  fares: { latency: "40..400" },
  payments: { latency: "200..1500" },
};

/** The example, alive until it is told to stop. */
export async function live(): Promise<void> {
  const data = resolve(process.env.TRILITH_DATA || ".data/trips");
  await prepareFolder(data);
  await using opened = new AsyncDisposableStack();
  const held = holdFolder(data);
  opened.defer(() => held.release());
  const upstreams = opened.use(await launchUpstreams({ data, quiet: true, behaviour }));
  const ended = Promise.withResolvers<number>();
  const backend = await supervise({
    environment: toEnvironment(upstreams.urls, data),
    onEvent: (event) =>
      console.log(
        event.kind === "died"
          ? paint("red", `\n  the backend was killed (${event.by}); starting it again`)
          : paint("green", `  it is up again after ${Math.round(event.afterMs)} ms, and its runs go on\n`),
      ),
    onEnd: ended.resolve,
  });
  opened.defer(() => backend.stop());
  onEnding(() => ended.resolve(0)); // until here a Ctrl-C ends everything at once, and nothing is lost
  const keys = await makeKeys(data);
  console.log(banner(backend.pages, upstreams.urls, keys));
  const client = new TripsClient(backend.url, keys.traffic);
  opened.defer(() => client.close());
  const traffic = startTraffic(client, console.log);
  opened.defer(() => traffic.stop());
  process.exitCode = await ended.promise;
  console.log("\n  stopping: nothing new is accepted, what runs is finished or parked");
}

function banner(pages: Supervised["pages"], upstreams: { readonly [name: string]: string }, keys: Keys): string {
  const list = Object.entries(upstreams).map(([name, at]) => `    ${name.padEnd(12)} ${at}`);
  const addresses = pages.map(
    ({ name, url, note }) => `    ${name.padEnd(12)} ${paint("cyan", url)}${note === undefined ? "" : ` (${note})`}`,
  );
  return `
  ${paint("bold", "Trilith")}: trips are being booked through orchestration, aggregation and storage.

${addresses.join("\n")}

  upstreams, each a process of its own, each failing now and then:
${list.join("\n")}

  your API key   ${keys.newcomer}
                 (also in ${keys.newcomerFile}, for the README's curl examples)

  Crash it: press the button in the console, or kill -9 the process. Ctrl-C stops everything.
`;
}
