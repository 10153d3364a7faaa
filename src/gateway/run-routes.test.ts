import { afterEach, expect, test } from "vitest";
import { z } from "zod";
import { command, contract, Failed, nothing, type Problem, signal, toProblem } from "../contracts/index.ts";
import type { RunStatus, Runs, SignalAnswer } from "./ports.ts";
import { answering, type Started, startGateway, Trips } from "./start-gateway.test-d.ts";

let started: Started | undefined;
afterEach(() => started?.stop());

const run: RunStatus = {
  ...{
    run: "r1",
    operation: "trips.book",
    state: "done",
    startedAt: "2026-01-01T00:00:00.000Z",
    startedBy: "key:starter",
  },
  output: { ticket: "T-1", secret: "no" },
};
const signals: { run: string; name: string; payload: unknown; by: string }[] = [];
const runsOf = (status: RunStatus, answer: SignalAnswer = "taken"): Runs => ({
  status: async (id) => (id === status.run ? status : undefined),
  async *follow() {},
  async signal(run, name, payload, { principal }) {
    signals.push({ run, name, payload, by: principal.id });
    return answer;
  },
});
async function start(status: RunStatus = run, answer?: SignalAnswer): Promise<Started> {
  signals.length = 0;
  started = await startGateway(answering({}), { runs: runsOf(status, answer) });
  return started;
}
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

test("a run is shown to whoever started it and to whoever may call its operation, and to nobody else", async () => {
  const { get, key } = await start();
  const as = async (id: string, ...scopes: string[]) => get("/runs/r1", { headers: bearer(await key(id, ...scopes)) });
  const own = await as("starter");
  expect(own.status).toBe(200);
  expect(await own.json()).toEqual({
    ...{ run: "r1", operation: "trips.book", state: "done", startedAt: run.startedAt },
    output: { ticket: "T-1" },
  });
  expect((await as("colleague", "trips:book")).status).toBe(200);
  expect((await as("stranger", "trips:approve")).status).toBe(403);
  expect((await get("/runs/r1")).status).toBe(401);
  expect((await get("/runs/r2", { headers: bearer(await key("starter")) })).status).toBe(404);
});

test("a run that failed says with which problem", async () => {
  const problem = toProblem(new Failed("trips.book", "SoldOut", Trips.book.failures.SoldOut, { flight: "UA1" }));
  const { output: _none, ...failed } = run;
  const { get, key } = await start({ ...failed, state: "failed", problem });
  const answer = await get("/runs/r1", { headers: bearer(await key("starter")) });
  expect(await answer.json()).toMatchObject({ state: "failed", problem: { code: "SoldOut", status: 409 } });
});

test("a run of an operation that is closed to the outside is not there, but for its starter", async () => {
  const { get, key } = await start({ ...run, operation: "trips.hidden", output: "x" });
  expect((await get("/runs/r1", { headers: bearer(await key("stranger", "trips:book")) })).status).toBe(404);
  expect((await get("/runs/r1", { headers: bearer(await key("starter")) })).status).toBe(200);
});

test("a signal reaches its run with its payload and its sender", async () => {
  const { post, key } = await start();
  const answer = await post("/runs/r1/signals/approved", { by: "Grace" }, bearer(await key("boss", "trips:approve")));
  expect([answer.status, answer.headers.get("location")]).toEqual([202, "/runs/r1"]);
  expect(signals).toEqual([{ run: "r1", name: "approved", payload: { by: "Grace" }, by: "key:boss" }]);
});

test("a signal that carries nothing in particular needs no body", async () => {
  const Rounds = contract("trips", "1.2.0", {
    book: command({
      input: z.object({}),
      signals: {
        go: signal(z.object({ by: z.string().optional() }), { access: "public" }),
        stop: signal(nothing, { access: "public" }),
        turn: signal(z.object({ to: z.string() }), { access: "public" }),
      },
      http: "POST /trips",
      access: "public",
    }),
  });
  signals.length = 0;
  started = await startGateway(answering({}), { runs: runsOf(run), contracts: [Rounds] });
  const { url, get } = started;
  const send = (name: string, init: RequestInit = {}) =>
    fetch(`${url}/runs/r1/signals/${name}`, { method: "POST", ...init }).then(({ status }) => status);
  expect(await send("go")).toBe(202);
  expect(await send("go", { headers: { "content-type": "application/json" }, body: "" })).toBe(202);
  expect(await send("stop")).toBe(202);
  expect(await send("turn")).toBe(422);
  expect(signals.map(({ name, payload }) => [name, payload])).toEqual([
    ["go", {}],
    ["go", {}],
    ["stop", {}],
  ]);
  const { paths } = (await (await get("/openapi.json")).json()) as { paths: { [path: string]: any } }; // looked at here
  const bodyOf = (name: string) => paths[`/runs/{run}/signals/${name}`].post.requestBody.required;
  expect([bodyOf("go"), bodyOf("turn")]).toEqual([false, true]);
});

test.each([
  ["that the operation does not have", "/runs/r1/signals/nonsense", { by: "x" }, 404],
  ["that is for the inside only", "/runs/r1/signals/nudged", {}, 404],
  ["with a prototype's name", "/runs/r1/signals/constructor", {}, 404],
  ["to a run that is not there", "/runs/r2/signals/approved", { by: "x" }, 404],
  ["with an unknown field", "/runs/r1/signals/approved", { by: "x", at: 1 }, 422],
  ["of a wrong type", "/runs/r1/signals/approved", { by: 1 }, 422],
  ["with nothing", "/runs/r1/signals/approved", "", 422],
])("a signal %s does not reach the run", async (_what, path, body, status) => {
  const { post, key } = await start();
  const answer = await post(path, body, bearer(await key("boss", "trips:approve", "trips:book")));
  expect(answer.status).toBe(status);
  expect(answer.headers.get("content-type")).toContain("application/problem+json");
  expect(signals).toEqual([]);
});

test("a signal needs its own scope", async () => {
  const { post, key } = await start();
  expect((await post("/runs/r1/signals/approved", { by: "x" })).status).toBe(401);
  const answer = await post("/runs/r1/signals/approved", { by: "x" }, bearer(await key("starter", "trips:book")));
  expect(answer.status).toBe(403);
  expect(await answer.json()).toMatchObject({ detail: expect.stringContaining('"trips:approve"') });
  expect(signals).toEqual([]);
});

test.each([
  ["ended", 409, "Ended"],
  ["no such run", 404, "UnknownRoute"],
  ["no such signal", 404, "UnknownRoute"],
] as const)("a run that answers a signal with %j is a %i", async (said, status, code) => {
  const { post, key } = await start(run, said);
  const answer = await post("/runs/r1/signals/approved", { by: "x" }, bearer(await key("boss", "trips:approve")));
  expect([answer.status, ((await answer.json()) as Problem).code]).toEqual([status, code]);
});

test("whoever follows a run and goes away is let go of, and the run is not followed any more", async () => {
  const followed: AbortSignal[] = [];
  const runs: Runs = {
    ...runsOf({ ...run, operation: "trips.tell", state: "running", progress: { done: 1, secret: "no" } }),
    async *follow(_run, aborted) {
      followed.push(aborted);
      yield { done: 1, secret: "no" };
      await new Promise((resolve) => aborted.addEventListener("abort", resolve, { once: true }));
    },
  };
  started = await startGateway(answering({}), { runs });
  const { get, key } = started;
  const leaving = new AbortController();
  const headers = bearer(await key("starter"));
  const shown = (await (await get("/runs/r1", { headers })).json()) as { progress: unknown };
  expect(shown.progress).toEqual({ done: 1 });
  const answer = await get("/runs/r1/progress", { headers, signal: leaving.signal });
  expect(answer.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("data:")) text += (await reader?.read())?.value ?? "";
  expect(text).toContain('event: progress\ndata: {"done":1}\n\n');
  expect(followed[0]?.aborted).toBe(false);
  leaving.abort();
  await expect.poll(() => followed[0]?.aborted).toBe(true);
  expect((await get("/runs/r1/progress", { headers: bearer(await key("stranger", "trips:approve")) })).status).toBe(
    404,
  );
});
