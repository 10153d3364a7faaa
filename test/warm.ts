import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";

/** Before all tests: what the programs that they start have in common is compiled once, and not by each of them. */
export default async function warm({ config }: TestProject): Promise<void> {
  const modules = ["trilith", "trilith/sqlite", "trilith/postgres", "trilith/testing"];
  const code = `await Promise.all(${JSON.stringify(modules)}.map((name) => import(name)));`;
  const options = { cwd: config.root, env: { ...process.env, ...config.env } };
  await promisify(execFile)(
    process.execPath,
    ["--conditions=trilith-source", "--input-type=module", "-e", code],
    options,
  );
}
