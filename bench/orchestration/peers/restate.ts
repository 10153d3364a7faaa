import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { join } from "node:path";
import * as restate from "@restatedev/restate-sdk";
import { startLoad } from "../../frame/load.ts";
import { type Open, type Place, type Subject, Wrong } from "../../frame/subject.ts";
import { versionOf } from "../../frame/version.ts";
import { add, expected, steps } from "../five-steps.ts";

/** The Restate server with its own log, and a service over HTTP/2, as its quick start sets them up. */
export const version = (): Promise<string> => versionOf("@restatedev/restate-server");
export const works: { readonly [work: string]: Open } = { "five-steps": fiveSteps };

async function fiveSteps({ folder }: Place): Promise<Subject> {
  const [ingress, admin, node, port] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const results = new Set<number>();
  const five = restate.service({
    name: "five",
    handlers: {
      async run(context: restate.Context, n: number) {
        let sum = n;
        for (const step of steps) {
          const before = sum;
          sum = await context.run(`step-${step}`, () => add(before, step));
        }
        results.add(sum);
        return sum;
      },
    },
  });
  await restate.endpoint().bind(five).listen(port);
  const server = spawn(binary(), ["--no-logo", "--log-filter", "error"], {
    stdio: "ignore",
    env: {
      ...process.env,
      RESTATE_BASE_DIR: join(folder, "restate"),
      RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
      RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
      RESTATE_BIND_ADDRESS: `127.0.0.1:${node}`,
      DO_NOT_TRACK: "1",
    },
  });
  process.once("exit", () => server.kill("SIGKILL"));
  await until(() => fetch(`http://127.0.0.1:${admin}/health`).then(({ ok }) => ok), "The admin port");
  const registered = await fetch(`http://127.0.0.1:${admin}/deployments`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ uri: `http://127.0.0.1:${port}` }),
  });
  if (!registered.ok) throw new Error(`Restate does not take the service: ${await registered.text()}`);
  await until(() => fetch(`http://127.0.0.1:${ingress}/restate/health`).then(({ ok }) => ok), "The ingress");

  const load = startLoad(`http://127.0.0.1:${ingress}`, join(import.meta.dirname, "restate-requests.ts"));
  let acknowledged = 0;
  return {
    async round(asked) {
      const measured = await load.round(asked);
      acknowledged += measured.operations;
      return measured;
    },
    // It keeps what was done for a day, unless told otherwise, and can be asked for it.
    async verify() {
      const completed = await countCompleted(`http://127.0.0.1:${admin}`);
      if (completed < acknowledged)
        throw new Wrong(`${acknowledged} runs were acknowledged, and Restate knows of ${completed}.`);
      if (results.size < acknowledged)
        throw new Wrong(`${acknowledged} runs were acknowledged, and the service has done ${results.size}.`);
      for (const sum of [...results].slice(0, 1_000)) {
        const n = (sum - expected(0)) / 2 ** steps.length;
        if (!Number.isInteger(n)) throw new Wrong(`The service came to ${sum}, which is the result of no input.`);
      }
    },
    async close() {
      load.close();
      const gone = once(server, "exit");
      server.kill("SIGTERM");
      await gone;
    },
    pids: server.pid === undefined ? [] : [server.pid],
  };
}

function binary(): string {
  const require = createRequire(createRequire(import.meta.url).resolve("@restatedev/restate-server/package.json"));
  return require.resolve(`@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`);
}

async function countCompleted(admin: string): Promise<number> {
  const answer = await fetch(`${admin}/query`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({
      query: "select count(*) n from sys_invocation where target_service_name = 'five' and status = 'completed'",
    }),
  });
  if (!answer.ok) throw new Error(`Restate does not say what it has done: ${await answer.text()}`);
  const { rows } = (await answer.json()) as { readonly rows: readonly { readonly n: number }[] }; // the query's own column
  return rows[0]?.n ?? 0;
}

async function until(ready: () => Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await ready().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what} of Restate does not answer.`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
