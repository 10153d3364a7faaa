import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { command, contract, failure, signal } from "../src/contracts/index.ts";
import { workflow } from "../src/orchestration/index.ts";
import { backend, createApiKey, type Running } from "../src/runtime/index.ts";

const root = resolve(import.meta.dirname, "..");
const Order = z.object({ id: z.string(), tenant: z.string(), fails: z.boolean().optional() });
const Orders = contract("orders", "1.0.0", {
  place: command({
    input: Order,
    output: z.object({ placed: z.string() }),
    failures: { SoldOut: failure(409, "Nothing is left.") },
    signals: { approved: signal(z.object({ by: z.string() }), { access: "orders:approve" }) },
    progress: z.object({ done: z.int(), at: z.string().default("the shelf") }),
    http: "POST /orders",
    access: "orders:place",
  }),
  bare: command({ input: Order }),
});
let open = true;
const place = workflow(
  Orders.place,
  { version: 1, tags: ({ tenant, id }) => ({ tenant, length: id.length }) },
  async ({ id, fails }, { run, fail }) => {
    // Later, so that who does not wait is answered before the end.
    const closed = () => pause(20).then(() => Promise.reject(new Error("closed")));
    const placed = await run.step("place", () => (open ? id : closed()), { attempts: 1 });
    if (fails) {
      await run.sleep("20ms"); // so that who does not wait is answered before the end
      throw fail.SoldOut();
    }
    run.progress({ done: 1 });
    await run.signal.approved;
    return { placed };
  },
);

let folder: string;
let running: Running;
const keys: Record<string, string> = {};
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trilith-runs-"));
  const keysFile = join(folder, "keys.json");
  const scopes = {
    ann: ["orders:place", "orders:approve"],
    eve: ["orders:place"],
    reader: ["runs:read"],
    operator: ["runs:read", "runs:operate", "orders:approve"],
    doer: ["runs:operate"],
  };
  for (const [id, own] of Object.entries(scopes)) keys[id] = await createApiKey(keysFile, { id, scopes: own });
  const environment = { PORT: "0", TRILITH_DATA: folder, TRILITH_KEYS_FILE: keysFile, TRILITH_LOG: "fatal" };
  running = await backend("shop", { orchestration: [place] }).start({
    environment: { ...environment, TRILITH_CONSOLE: "key" },
  });
});
afterAll(async () => {
  await running.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  open = true;
});

const ask = async (who: string | undefined, method: string, path: string, body?: unknown) => {
  const answer = await fetch(running.url + path, {
    method,
    headers: {
      ...(who !== undefined && { authorization: `Bearer ${keys[who]}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
      prefer: "wait=0",
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as any, location: answer.headers.get("location") }; // looked at below
};
const begin = async (id: string, about: object = {}): Promise<string> => {
  const { body, status } = await ask("ann", "POST", "/orders", { id, tenant: "acme", ...about });
  expect(status).toBe(202);
  return body.run;
};
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 60_000; !(await isSo()); await new Promise((done) => setTimeout(done, 10)))
    if (performance.now() > end) throw new Error("It is not so after 10 s.");
}
const becomes = (run: string, state: string) => until(async () => (await running.runs.status(run))?.state === state);

describe("runs over HTTP", () => {
  it("are found by conditions that all hold, page by page, for the scope runs:read", async () => {
    const runs: string[] = [];
    for (let n = 0; n < 5; n++) runs.push(await begin(`http ${n}`, { tenant: `http ${n % 2}` }));
    const first = await ask("reader", "GET", "/runs?operation=orders.place&tag.tenant=http%200&limit=2");
    expect(first.body.runs.map(({ run }: { run: string }) => run)).toEqual([runs[4], runs[2]]);
    const next = await ask(
      "reader",
      "GET",
      `/runs?operation=orders.place&tag.tenant=http%200&limit=2&after=${first.body.next}`,
    );
    expect(next.body).toEqual({
      runs: [
        expect.objectContaining({
          ...{ run: runs[0], operation: "orders.place", workflow: "orders.place@1", startedBy: "key:ann" },
          tags: { tenant: "http 0", length: 6 },
        }),
      ],
    });
    const one = await ask(
      "reader",
      "GET",
      `/runs?id=${runs[1]?.slice(0, 30)}&state=waiting,running&tag.length.from=6&startedFrom=2020-01-01`,
    );
    expect(one.body.runs).toHaveLength(1);
    expect((await ask("reader", "GET", "/runs?tag.length=%226%22")).body.runs).toEqual([]);
    const counts = (await ask("reader", "GET", "/runs/counts")).body.counts;
    expect(counts[0]).toMatchObject({ operation: "orders.place", more: false });
  });

  it("are refused to strangers, and so is a question that makes no sense", async () => {
    expect((await ask(undefined, "GET", "/runs")).status).toBe(401);
    expect((await ask("ann", "GET", "/runs")).status).toBe(403);
    expect(
      (await ask("reader", "POST", "/runs/actions", { action: "cancel", filter: { state: "paused" } })).status,
    ).toBe(403);
    for (const query of ["colour=red", "state=tired", "limit=1000", "after=x", "startedFrom=yesterday", "order=up"])
      expect((await ask("reader", "GET", `/runs?${query}`)).body, query).toMatchObject({
        status: 422,
        code: "InvalidInput",
      });
    for (const body of [
      {},
      { action: "sing", filter: {} },
      { action: "cancel", filter: {} },
      { action: "cancel", filter: { colour: 1 } },
      { action: "cancel", filter: { tags: { a: [] } } },
    ])
      expect((await ask("operator", "POST", "/runs/actions", body)).status, JSON.stringify(body)).toBe(422);
  });

  it("are paused, resumed, cancelled and terminated by operators, and cancelled by whoever began them", async () => {
    const run = await begin("steered");
    expect((await ask("eve", "POST", `/runs/${run}/cancel`)).status).toBe(403);
    expect((await ask("ann", "POST", `/runs/${run}/pause`)).status).toBe(403);
    const paused = await ask("operator", "POST", `/runs/${run}/pause`, { reason: "lunch" });
    expect(paused).toMatchObject({ status: 202, location: `/runs/${run}`, body: { run } });
    await becomes(run, "paused");
    expect((await ask("ann", "GET", `/runs/${run}`)).body.reason).toBe("Paused by key:operator: lunch");
    expect((await ask("operator", "POST", `/runs/${run}/resume`)).status).toBe(202);
    await until(async () => (await running.runs.status(run))?.state !== "paused");
    expect((await ask("operator", "POST", `/runs/${run}/resume`)).body).toMatchObject({
      ...{ status: 409, code: "NotNow", title: expect.stringContaining("only a paused run can be resumed") },
    });
    expect((await ask("ann", "POST", `/runs/${run}/cancel`)).status).toBe(202);
    await becomes(run, "cancelled");
    expect((await ask("ann", "GET", `/runs/${run}`)).body).toMatchObject({
      state: "cancelled",
      problem: { code: "Cancelled", status: 409 },
    });
    const other = await begin("terminated");
    expect((await ask("operator", "POST", `/runs/${other}/terminate`)).status).toBe(202);
    await becomes(other, "terminated");
    expect((await ask("operator", "POST", "/runs/nowhere/cancel")).status).toBe(404);
    expect((await ask("operator", "POST", `/runs/${other}/terminate`, { why: "x" })).status).toBe(422);
    const history = await ask("reader", "GET", `/runs/${run}/history`);
    expect(history.body.entries).toContainEqual(expect.objectContaining({ type: "Cancelled", by: "key:ann" }));
    expect((await ask("ann", "GET", `/runs/${run}/history`)).status).toBe(403);
  });

  it("are retried and forked, and say which declared failure they came to", async () => {
    open = false;
    const run = await begin("retried");
    await becomes(run, "failed");
    open = true;
    expect((await ask("operator", "POST", `/runs/${run}/retry`)).status).toBe(202);
    await until(async () => (await running.runs.history(run)).entries.at(-1)?.type === "SignalAwaited");
    expect(await ask("reader", "GET", `/runs/${run}/fork`)).toMatchObject({ status: 200, body: { again: ["place"] } });
    expect(await ask("doer", "GET", `/runs/${run}/fork`)).toMatchObject({ status: 200, body: { again: ["place"] } });
    expect((await ask("reader", "GET", `/runs/${run}/fork?step=nothing`)).status).toBe(409);
    expect((await ask("reader", "GET", `/runs/${run}/fork?stop=place`)).status).toBe(422);
    expect((await ask(undefined, "GET", `/runs/${run}/fork`)).status).toBe(401);
    expect((await ask("reader", "GET", "/runs/nowhere/fork")).status).toBe(404);
    const forked = await ask("operator", "POST", `/runs/${run}/fork`, {
      step: "place",
      input: { id: "other", tenant: "b", fails: true },
    });
    expect(forked).toMatchObject({ status: 202, location: `/runs/${forked.body.run}` });
    await becomes(forked.body.run, "failed");
    const [row] = (await ask("reader", "GET", `/runs?id=${forked.body.run}`)).body.runs;
    expect(row).toMatchObject({
      state: "failed",
      failure: "SoldOut",
      startedBy: "key:operator",
      tags: { tenant: "b" },
    });
    expect((await ask("operator", "POST", `/runs/${run}/fork`, { input: { id: 1 } })).status).toBe(422);
    expect((await ask("operator", "POST", `/runs/${run}/fork`, { step: "nothing" })).status).toBe(409);
  });

  it("take one order for all that a filter finds, in the background", async () => {
    for (let n = 0; n < 60; n++) await begin(`bulk ${n}`, { tenant: "bulk" });
    const begun = await ask("operator", "POST", "/runs/actions", {
      ...{ action: "cancel", filter: { tags: { tenant: "bulk" }, operation: "orders.place" }, reason: "closing down" },
    });
    expect(begun).toMatchObject({ status: 202, body: { action: "cancel", state: "under way" } });
    await until(async () => (await ask("reader", "GET", begun.location ?? "")).body.state === "done");
    expect((await ask("reader", "GET", begun.location ?? "")).body).toMatchObject({ found: 60, taken: 60 });
    await until(
      async () =>
        (await ask("reader", "GET", "/runs?tag.tenant=bulk&state=cancelled&limit=200")).body.runs.length === 60,
    );
  });

  it("are in the OpenAPI document", async () => {
    const { paths } = (await ask(undefined, "GET", "/openapi.json")).body;
    for (const path of [
      "/runs",
      "/runs/counts",
      "/runs/actions",
      "/runs/{run}/cancel",
      "/runs/{run}/fork",
      "/runs/{run}/history",
    ])
      expect(paths, path).toHaveProperty([path]);
  });
});

describe("runs from code", () => {
  it("are found by typed tags, signalled and waited for", async () => {
    const run = await begin("code", { tenant: "code" });
    const orders = running.runs.of(Orders.place, place);
    expect((await orders.list({ tags: { tenant: "code" } })).runs.map((one) => one.run)).toEqual([run]);
    // @ts-expect-error: the workflow has no such tag
    await orders.list({ tags: { colour: "red" } });
    expect(await orders.result(run, { withinMs: 20 })).toBeUndefined();
    await orders.signal(run, "approved", { by: "bob" });
    // @ts-expect-error: the command has no such signal
    await expect(orders.signal(run, "denied", {})).rejects.toThrow("no such signal");
    const ended = await orders.result(run, { withinMs: 5_000 });
    expect(ended?.output.placed).toBe("code");
    await expect(running.runs.cancel(run)).rejects.toThrow("has ended: it is done");
    await expect(orders.signal(run, "approved", { by: "bob" })).rejects.toThrow("ended");
    expect((await running.runs.counts()).some(({ state }) => state === "done")).toBe(true);
  });

  it("tell of themselves in the words of their command", async () => {
    const { run } = await running.begin(Orders.place, { id: "told", tenant: "told" }, { key: "told once" });
    const orders = running.runs.of(Orders.place, place);
    await until(async () => (await orders.status(run))?.progress?.done === 1);
    const at: string | undefined = (await orders.status(run))?.progress?.at;
    expect(at).toBe("the shelf");
    const aborted = new AbortController();
    for await (const { done } of orders.follow(run, aborted.signal)) {
      expect(done satisfies number).toBe(1);
      break;
    }
    // @ts-expect-error: the command declares no progress
    const none = async () => (await running.runs.of(Orders.bare).status(run))?.progress?.done;
    expect(await none()).toBeUndefined(); // and the run is none of its own
    expect((await orders.list({ key: "told once" })).runs).toMatchObject([{ run, key: "told once" }]);
    expect((await ask("reader", "GET", "/runs?key=told%20once")).body.runs).toMatchObject([{ run }]);
    expect((await ask("reader", "GET", "/runs?key=told")).body.runs).toEqual([]);
    await orders.signal(run, "approved", { by: "bob" });
  });

  it("throw what their caller would be told", async () => {
    const { run } = await running.begin(Orders.place, { id: "failing", tenant: "acme", fails: true });
    await expect(running.runs.of(Orders.place).result(run, { withinMs: 5_000 })).rejects.toMatchObject({
      code: "SoldOut",
    });
    const fork = await running.runs.fork(run, { input: { id: "forked", tenant: "x" } });
    await running.runs.terminate(fork, { reason: "enough" });
    await expect(running.runs.of(Orders.place).result(fork, { withinMs: 5_000 })).rejects.toMatchObject({
      code: "Terminated",
      message: expect.stringContaining("enough"),
    });
    const bulk = await running.runs.of(Orders.place, place).all("retry", { tags: { tenant: "x" } });
    await until(async () => (await running.runs.bulk(bulk.id))?.state === "done");
    expect(await running.runs.bulk(bulk.id)).toMatchObject({ found: 1, taken: 1 });
  });
});

describe("trilith runs", () => {
  const trilith = (...args: readonly string[]) =>
    new Promise<{ readonly code: number; readonly out: string; readonly err: string }>((done) => {
      const flags = [
        "--conditions=trilith-source",
        "--disable-warning=ExperimentalWarning",
        join(root, "src/cli/main.ts"),
      ];
      const env = { ...process.env, TRILITH_KEY: keys.operator };
      execFile(process.execPath, [...flags, "runs", ...args], { env }, (error, out, err) =>
        done({ code: error ? Number(error.code) : 0, out, err }),
      );
    });

  it("finds and steers the runs of a backend over HTTP", async () => {
    const run = await begin("cli", { tenant: "cli" });
    const at = ["--url", running.url];
    const keyed = await running.begin(Orders.place, { id: "keyed", tenant: "keyed" }, { key: "from the cli" });
    expect((await trilith("list", "--run-key", "from the cli", ...at)).out).toContain(keyed.run);
    const found = await trilith("list", "--tag", "tenant=cli", "--operation", "orders.place", ...at);
    expect(found).toMatchObject({
      code: 0,
      out: expect.stringMatching(new RegExp(`^${run}  \\w+ .*orders\\.place\n$`)),
    });
    expect(JSON.parse((await trilith("show", run, ...at)).out)).toMatchObject({ run, operation: "orders.place" });
    expect((await trilith("pause", run, "--reason", "tea", ...at)).out).toMatch(/^Taken\. The run is /);
    await becomes(run, "paused");
    expect((await trilith("list", "--state", "paused", "--id", run, ...at)).out).toContain(
      "Paused by key:operator: tea",
    );
    expect((await trilith("resume", run, ...at)).code).toBe(0);
    expect((await trilith("signal", run, "approved", '{"by": "me"}', ...at)).out).toBe("Taken.\n");
    await becomes(run, "done");
    expect(JSON.parse((await trilith("history", run, ...at)).out).entries.at(-1)).toMatchObject({ type: "Ended" });
    const fork = ["fork", run, "--step", "place", "--input", '{"id": "f", "tenant": "cli"}', ...at];
    const asked = await trilith(...fork);
    expect(asked).toMatchObject({ code: 1, out: "" });
    expect(asked.err).toContain("does again, under keys of its own: place. That holds for what was undone since");
    expect((await running.runs.list({ tags: { tenant: "cli" } })).runs).toHaveLength(1);
    expect((await trilith(...fork, "--yes")).out).toMatch(/^Begun: run /);
    expect((await trilith("cancel", "--all", "--tag", "tenant=cli", ...at)).out).toMatch(/in the background/);
    await until(
      async () => (await running.runs.list({ tags: { tenant: "cli" }, states: ["cancelled"] })).runs.length === 1,
    );
    expect((await trilith("counts", ...at)).out).toMatch(/done +orders\.place@1/);
  }, 120_000);

  it("says in a sentence what cannot be done, what is not understood, and that nobody answers", async () => {
    const at = ["--url", running.url];
    expect(await trilith("cancel", "nowhere", ...at)).toMatchObject({ code: 1, err: "There is no such run.\n" });
    expect(await trilith("juggle", "x", ...at)).toMatchObject({
      code: 2,
      err: expect.stringContaining("is not understood"),
    });
    expect(await trilith("list", "--url", "http://127.0.0.1:9")).toMatchObject({
      code: 2,
      err: expect.stringContaining("Nobody answers at http://127.0.0.1:9"),
    });
    expect((await trilith("--help")).out).toContain("trilith runs list");
  }, 120_000);
});
