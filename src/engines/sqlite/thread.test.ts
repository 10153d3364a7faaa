import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "trilith-thread-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = new URL("./index.ts", import.meta.url).href;
const code = (data: string) =>
  `const { openSqlite } = await import(${JSON.stringify(open)}); const engine = await openSqlite({ folder: ${JSON.stringify(data)} }); console.log("opened", engine !== undefined); await engine.close();`;
const conditions = "--conditions=trilith-source";

test.each([
  ["a file", async () => [conditions, await file("open.mjs")]],
  ["a test file", async () => [conditions, "--test", await file("open.test.mjs")]],
  ["a line of code", async () => ["-C", "trilith-source", "--input-type=module", "-e", code(folder)]],
])("the engine opens in a process that was given %s", async (_, flags) => {
  const { stdout } = await promisify(execFile)(process.execPath, await flags());
  expect(stdout).toMatch(/opened true|pass 1/);
});

async function file(name: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, code(join(folder, "data")));
  return path;
}
