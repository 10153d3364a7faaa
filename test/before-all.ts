import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";
import { startPostgres, type TestPostgres } from "./postgres.ts";

/**
 * Before all tests: what the programs that they start have in common is compiled once, and not by each of them; and one
 * PostgreSQL stands ready for all files of which none needs a server of its own (shared-postgres.ts).
 */
export default async function beforeAll({ config, vitest }: TestProject): Promise<() => Promise<void>> {
  let postgres: Promise<TestPostgres> | undefined;
  const desk = createServer((_, response) => {
    postgres ??= startPostgres();
    postgres.then(
      ({ url }) => response.end(url),
      (error) => response.writeHead(500).end(String(error)),
    );
  }).listen(0, "127.0.0.1");
  await once(desk, "listening");
  vitest.provide("postgresAt", `http://127.0.0.1:${(desk.address() as AddressInfo).port}`);
  await compile(config.root, { ...process.env, ...config.env });
  return async () => {
    desk.close();
    await (await postgres?.catch(() => undefined))?.remove();
  };
}

async function compile(root: string, env: NodeJS.ProcessEnv): Promise<void> {
  const files = ["examples/trips/backend.ts", "src/cli/program.ts"].map((file) => pathToFileURL(join(root, file)).href);
  const modules = ["trilith", "trilith/sqlite", "trilith/postgres", "trilith/testing", ...files];
  const code = `await Promise.all(${JSON.stringify(modules)}.map((name) => import(name)));`;
  const flags = ["--conditions=trilith-source", "--input-type=module", "-e", code];
  await promisify(execFile)(process.execPath, flags, { cwd: root, env }).catch(() => {}); // what does not load fails where it is tested
}
