import { resolve } from "node:path";
import { launchUpstreams } from "../upstreams/launch.ts";
import { TripsClient } from "./client.ts";
import { makeKeys, prepareFolder, toEnvironment } from "./environment.ts";
import { DidNotStart, supervise } from "./supervisor.ts";
import { startTraffic } from "./traffic.ts";

/** The example, alive until it is told to stop. */
export async function live(): Promise<void> {
  const data = resolve(process.env.TRILITH_DATA ?? ".data/trips");
  await prepareFolder(data);
  const upstreams = await launchUpstreams({ data, quiet: true });
  const keys = await makeKeys(data);
  const backend = await supervise({
    environment: toEnvironment(upstreams.urls, data),
    onEvent: (event) =>
      console.log(
        event.kind === "died"
          ? `\n  the backend was killed (${event.by}); starting it again`
          : `  it is up again after ${Math.round(event.afterMs)} ms, and its runs go on\n`,
      ),
    onEnd: (code) => void end(code),
  }).catch(async (error: unknown) => {
    await upstreams.stop();
    if (error instanceof DidNotStart) process.exit(error.code);
    throw error;
  });
  console.log(banner(backend.url, upstreams.urls, keys));
  const traffic = startTraffic(new TripsClient(backend.url, keys.traffic), console.log);

  let ending = false;
  const end = async (code: number): Promise<void> => {
    if (ending) return;
    ending = true;
    traffic.stop();
    console.log("\n  stopping: nothing new is accepted, what runs is finished or parked");
    await backend.stop();
    await upstreams.stop();
    process.exit(code);
  };
  process.on("SIGINT", () => void end(0));
  process.on("SIGTERM", () => void end(0));
}

function banner(
  url: string,
  upstreams: { readonly [name: string]: string },
  keys: { readonly newcomer: string; readonly newcomerFile: string },
): string {
  const list = Object.entries(upstreams).map(([name, at]) => `    ${name.padEnd(12)} ${at}`);
  return `
  Trilith: trips are being booked through orchestration, aggregation and storage.

    console      ${url}/console
    API docs     ${url}/docs

  upstreams, each a process of its own, each failing now and then:
${list.join("\n")}

  your API key   ${keys.newcomer}
                 (also in ${keys.newcomerFile}, for the README's curl examples)

  Crash it: press the button in the console, or kill -9 the process. Ctrl-C stops everything.
`;
}
