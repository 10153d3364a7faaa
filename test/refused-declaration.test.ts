import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { edited, projectWith } from "./check-project.ts";

const root = resolve(import.meta.dirname, "..");

/** What `trilith start` says and ends with, in a project whose backend cannot be loaded. */
async function refusedBy(backend: string, environment: NodeJS.ProcessEnv = {}) {
  await using project = await projectWith({ "backend.ts": backend });
  const main = join(root, "src/cli/main.ts");
  const args = ["--conditions=trilith-source", "--disable-warning=ExperimentalWarning", main, "start"];
  const options = { cwd: project.folder, env: { ...process.env, PORT: "0", NO_COLOR: "1", ...environment } };
  return await new Promise<{ readonly code: unknown; readonly said: string }>((done) => {
    execFile(process.execPath, args, options, (error, out, err) => done({ code: error?.code, said: out + err }));
  });
}

const scheduled = `import { backend } from "trilith";
import { schedule } from "trilith/orchestration";
import { bookTrip } from "./orchestration/book-trip.ts";
import { Trips } from "./contracts.ts";
const input = () => ({ flight: "UA1", booking: "0f5b4a52-3a0e-4c6b-9d0a-5d7f0c1c2b11", traveller: "Ada" });
const nightly = schedule(Trips.book, { cron: "0 25 * * *", zone: "Europe/Berlin", input });
export default backend("seats", { orchestration: [bookTrip, nightly] });
`;

test("a schedule with wrong times is told with its line and a right one, and without a stack", async () => {
  const { code, said } = await refusedBy(scheduled);
  expect(code).toBe(1);
  expect(said).toContain(`backend.ts:6:17
  The schedule "trips.book" has the times "0 25 * * *", which are none: invalid value for hour: 25. At six on working days is "0 6 * * 1-5"`);
  expect(said).not.toMatch(/^ +at /m);
  expect((await refusedBy(scheduled, { TRILITH_LOG: "debug" })).said).toMatch(/^ +at /m);
});

test("a schedule in no time zone is told in the same way", async () => {
  const { said } = await refusedBy(edited(scheduled, ["0 25 * * *", "0 2 * * *"], ["Europe/Berlin", "Berlin"]));
  expect(said).toMatch(
    /^backend\.ts:6:17\n {2}The schedule "trips\.book" is in the zone "Berlin", which is no time zone/,
  );
  expect(said).not.toMatch(/^ +at /m);
});

test("an error of the project's own code keeps its stack", async () => {
  const { said } = await refusedBy('throw new Error("My own.");\n');
  expect(said).toMatch(/My own\.\n +at .*backend\.ts:1:7/);
});

test("an accident inside of Trilith is nobody's line, and keeps its stack", async () => {
  const { said } = await refusedBy('import { entity } from "trilith/storage";\nentity("seat", undefined as never);\n');
  expect(said).toMatch(/Cannot read properties of undefined.*\n +at /);
  expect(said).not.toContain("TRILITH_LOG=debug shows the stack");
});
