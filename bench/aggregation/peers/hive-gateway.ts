import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { versionOf } from "../../frame/version.ts";
import { type Answerer, toWorks } from "../asking.ts";

/** Hive Gateway over a supergraph that GraphQL Mesh composed of the four upstreams, with its `--jit`. */
export const version = (): Promise<string> => versionOf("@graphql-hive/gateway");

const bin = join(import.meta.dirname, "../../node_modules/.bin");

const answer: Answerer = async ({ origins }, { folder }) => {
  const supergraph = join(folder, "supergraph.graphql");
  const config = join(import.meta.dirname, "mesh.config.ts");
  const environment = { ...process.env, NODE_OPTIONS: "", BENCH_ORIGINS: JSON.stringify(origins) };
  await promisify(execFile)(join(bin, "mesh-compose"), ["-c", config, "-o", supergraph], { env: environment });
  const port = await freePort();
  const options = ["supergraph", supergraph, "--jit", "--host", "127.0.0.1", "--port", String(port)];
  const gateway = spawn(join(bin, "hive-gateway"), options, {
    cwd: folder,
    env: { ...environment, NODE_ENV: "production", LOG_LEVEL: "error" },
    stdio: "ignore",
  });
  process.once("exit", () => gateway.kill("SIGKILL"));
  const origin = `http://127.0.0.1:${port}`;
  await until(() => fetch(`${origin}/readiness`).then(({ ok }) => ok));
  return {
    origin,
    pids: gateway.pid === undefined ? [] : [gateway.pid],
    async close() {
      const gone = once(gateway, "exit");
      gateway.kill("SIGKILL"); // it waits for keep-alive connections otherwise
      await gone;
    },
  };
};
export const works = toWorks(answer, {
  product: join(import.meta.dirname, "hive-requests.ts"),
  page: join(import.meta.dirname, "hive-page-requests.ts"),
});

async function until(ready: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await ready().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("Hive Gateway does not become ready.");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
