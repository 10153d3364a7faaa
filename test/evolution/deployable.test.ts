import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contractsCommand } from "../../src/cli/contracts-command.ts";
import type { Finding } from "../../src/evolution/index.ts";
import { createApiKey } from "../../src/runtime/index.ts";
import { until } from "../program.ts";
import { type Moment, toSeats } from "./seats.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trilith-deployable-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function start(data: string, moment: Moment = {}, more: { readonly [setting: string]: string } = {}) {
  const environment = { PORT: "0", TRILITH_DATA: data, TRILITH_LOG: "fatal", ...more };
  const running = await toSeats(moment).start({ environment });
  return { ...running, [Symbol.asyncDispose]: () => running.stop() };
}

const post = (url: string, body: object, headers: { readonly [name: string]: string } = {}) =>
  fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

let files = 0;
async function ask(moment: Moment, against: string, ...more: string[]) {
  const file = join(folder, `backend-${files++}.ts`);
  await writeFile(
    file,
    `import { toSeats } from ${JSON.stringify(join(import.meta.dirname, "seats.ts"))};\nexport default toSeats(${JSON.stringify(moment)});\n`,
  );
  const [said, complained]: [string[], string[]] = [[], []];
  const code = await contractsCommand(["deployable", file, "--against", against, ...more], {
    say: (text) => said.push(text),
    complain: (text) => complained.push(text),
  });
  return { code, said: said.join("\n"), complained: complained.join("\n") };
}
const rulesIn = (said: string): readonly string[] =>
  (JSON.parse(said) as { obstacles: Finding[] }).obstacles.map(({ rule }) => rule).sort();

describe("trilith contracts deployable, against a backend that runs", { timeout: 120_000 }, () => {
  let running: Awaited<ReturnType<typeof start>>;
  let run: string;
  let data: string;
  beforeAll(async () => {
    data = join(folder, "data");
    running = await start(data);
    expect((await post(`${running.url}/seats`, { seat: "A1" })).status).toBe(204);
    const begun = await post(`${running.url}/trips`, { seat: "B2" }, { prefer: "wait=0", "idempotency-key": "one" });
    expect(begun.status).toBe(202);
    run = begun.headers.get("location") ?? "";
    const state = async () => ((await (await fetch(new URL(run, running.url))).json()) as { state: string }).state;
    await until(async () => (await state()) === "waiting", "The run does not wait.");
  });
  afterAll(() => running.stop());

  it("says yes to itself, and what it looked at", async () => {
    const { code, said } = await ask({}, running.url);
    expect([code, said]).toEqual([
      0,
      expect.stringMatching(
        /✓ It can be deployed beside seats .*2 contracts, 1 kinds of stored events, 1 runs under way/,
      ),
    ]);
  });

  it.each<[string, Moment, readonly string[]]>([
    [
      "an event has no way from what is stored",
      { event: "torn" },
      ["event.upcaster-missing", "stored-event.missing-field"],
    ],
    ["an event has a new version, and does not lead down", { event: 2 }, ["event.version-raised"]],
    ["a workflow version is missing that runs are pinned to", { workflows: [2] }, ["run.workflow-missing"]],
    ["a scope is demanded of those who call", { access: "seats:hold" }, ["access.demanded"]],
    [
      "the stored inputs of runs cannot be read",
      { input: "torn" },
      ["input.missing-field", "stored-input.upcaster-missing"],
    ],
  ])("says no where %s", async (_, moment, rules) => {
    const { code, said } = await ask(moment, running.url, "--json");
    expect([code, rulesIn(said)]).toEqual([1, rules]);
  });

  it("says yes to a new event version that leads down to the one that is read there", async () => {
    const { code, said } = await ask({ event: "led" }, running.url);
    expect([code, said]).toEqual([0, expect.stringContaining("✓ It can be deployed beside seats")]);
  });

  it("says yes to a workflow version beside the old one", async () => {
    expect((await ask({ workflows: [1, 2] }, running.url)).code).toBe(0);
  });

  it("takes the place of the old one on its data: nothing is lost, and the run under way ends", async () => {
    await running.stop();
    running = await start(data, { event: 2, input: 2, workflows: [1, 2] });
    expect(await (await fetch(`${running.url}/seats/A1`)).json()).toMatchObject({ seat: "A1" });
    expect((await post(`${running.url}/seats`, { seat: "A1" })).status).toBe(409);
    expect((await post(`${running.url}/seats`, { seat: "C3" })).status).toBe(204);
    expect((await post(`${new URL(run, running.url)}/signals/approved`, { by: "Ann" })).status).toBe(202);
    const state = async () =>
      (await (await fetch(new URL(run, running.url))).json()) as { state: string; output?: unknown };
    await expect.poll(async () => (await state()).state, { timeout: 60_000 }).toBe("done");
    expect((await state()).output).toEqual({ ticket: "B2 for nobody, by Ann" });
    const { storedEvents, runs } = (await (await fetch(`${running.url}/.well-known/trilith.json`)).json()) as {
      storedEvents: unknown;
      runs: unknown;
    };
    expect(storedEvents).toEqual(
      expect.arrayContaining([
        { type: "seats.Held", version: 1 },
        { type: "seats.Held", version: 2 },
      ]),
    );
    expect(runs).toEqual([]);
    // The way back is closed: the log holds what the older code does not know.
    expect(rulesIn((await ask({}, running.url, "--json")).said)).toContain("event.version-lowered");
  });
});

describe("what a backend tells of itself", { timeout: 120_000 }, () => {
  it("is told to a key with the scope, where the console wants one", async () => {
    const data = join(folder, "guarded");
    await using running = await start(data, {}, { TRILITH_CONSOLE: "key" });
    const refused = await ask({}, running.url);
    expect([refused.code, refused.complained]).toEqual([
      2,
      expect.stringContaining('wants a key with the scope "contracts:read"'),
    ]);
    const key = await createApiKey(join(data, "keys.json"), { id: "deploy", scopes: ["contracts:read"] });
    await expect.poll(async () => (await ask({}, running.url, "--key", key)).code, { timeout: 60_000 }).toBe(0);
    const other = await createApiKey(join(data, "keys.json"), { id: "other", scopes: ["seats:hold"] });
    await expect
      .poll(
        async () =>
          (await fetch(`${running.url}/.well-known/trilith.json`, { headers: { authorization: `Bearer ${other}` } }))
            .status,
        { timeout: 60_000 },
      )
      .toBe(403);
  });

  it("says in headers and in the API's document that an operation is on its way out, also where it fails", async () => {
    await using running = await start(join(folder, "leaving"), { leaving: true });
    const { status, headers } = await fetch(`${running.url}/seats/A1`);
    expect([status, headers.get("deprecation"), headers.get("sunset")]).toEqual([
      404,
      "@1769817600",
      "Thu, 31 Dec 2026 23:59:59 GMT",
    ]);
    const document = (await (await fetch(`${running.url}/openapi.json`)).json()) as {
      paths: Record<string, { get?: object }>;
    };
    expect(document.paths["/seats/{seat}"]?.get).toMatchObject({ deprecated: true, description: "Look at the map." });
  });

  it("is asked for in vain where nobody answers, or somebody else does", async () => {
    expect(await ask({}, "http://127.0.0.1:9")).toMatchObject({
      code: 2,
      complained: expect.stringContaining("does not answer"),
    });
    expect(await ask({}, "no-such.lock.json")).toMatchObject({
      code: 2,
      complained: expect.stringContaining("cannot be read"),
    });
  });

  it("is as good as a lock file, for the contracts", async () => {
    const lock = join(folder, "there.lock.json");
    const file = join(folder, "there.ts");
    await writeFile(
      file,
      `import { toSeats } from ${JSON.stringify(join(import.meta.dirname, "seats.ts"))};\nexport default toSeats({});\n`,
    );
    const quiet = { say: () => {}, complain: () => {} };
    expect(await contractsCommand(["publish", file, "--lock", lock], quiet)).toBe(0);
    expect((await ask({}, lock)).code).toBe(0);
    expect(rulesIn((await ask({ access: "seats:hold" }, lock, "--json")).said)).toEqual(["access.demanded"]);
  });
});
