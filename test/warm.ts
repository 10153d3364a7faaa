import { execFile } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";

/** Before all tests: what the programs that they start have in common is compiled once, and not by each of them. */
export default async function warm({ config }: TestProject): Promise<void> {
  const files = ["examples/trips/backend.ts", "src/cli/program.ts"].map(
    (file) => pathToFileURL(join(config.root, file)).href,
  );
  const modules = ["trilith", "trilith/sqlite", "trilith/postgres", "trilith/testing", ...files];
  const code = `await Promise.all(${JSON.stringify(modules)}.map((name) => import(name)));`;
  const options = { cwd: config.root, env: { ...process.env, ...config.env } };
  const flags = ["--conditions=trilith-source", "--input-type=module", "-e", code];
  await promisify(execFile)(process.execPath, flags, options).catch(() => {}); // what does not load fails where it is tested
}
