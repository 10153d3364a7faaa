// A backend whose workflow does whatever a test says: bodies are found by name, so that they are there after a restart.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backend, type Running } from "trilith";
import { command, contract, event, failure, query, signal } from "trilith/contracts";
import { schedule, startOn, type WorkflowContext, workflow } from "trilith/orchestration";
import { openPostgres } from "trilith/postgres";
import { entity, store } from "trilith/storage";
import { z } from "zod";
import type { TestDatabase } from "./shared-postgres.ts";
import { type SkippingClock, skippingClock } from "./skipping-clock.ts";

const Task = z.object({ body: z.string(), value: z.json().optional() });
const Message = z.object({ text: z.string() });
const No = failure(409, "No.");
const Name = z.object({ name: z.string() });

export const Counters = contract("counters", "1.0.0", {
  add: command({ input: Name, output: z.int(), failures: { No } }),
  refuse: command({ input: Name, failures: { No } }),
  get: query({ input: Name, output: z.int() }),
  Added: event(Name),
});
export const Lab = contract("lab", "1.0.0", {
  run: command({
    input: Task,
    output: z.unknown(),
    failures: { No },
    signals: { message: signal(Message, { access: "public" }), other: signal(Message, { access: "public" }) },
    progress: z.object({ step: z.string() }),
    http: "POST /lab",
    access: "public",
  }),
  child: command({ input: Task, output: z.unknown(), failures: { No } }),
  narrow: command({ input: Task.extend({ priority: z.int() }), output: z.unknown(), access: "public" }),
  tick: command({ input: Name }),
});

const counters = entity("counter", {
  events: Counters,
  state: z.object({ count: z.int() }),
  initial: { count: 0 },
  evolve: { Added: ({ count }) => ({ count: count + 1 }) },
});
const counting = store(
  Counters,
  { counters },
  {
    async add({ name }, { counters }) {
      if (name === "broken") throw new Error("It is broken.");
      return (await counters(name).decide((_, { Added }) => Added({ name }))).count;
    },
    refuse: async (_, { fail }) => fail.No(),
    get: async ({ name }, { counters }) => (await counters(name).state())?.count ?? 0,
  },
);

export type Body = (value: any, context: Context) => Promise<unknown>; // each test's own
type Context = WorkflowContext<typeof Lab.run, [typeof Counters, typeof Lab]>;

/** A run as it is shown. */
interface Shown {
  readonly status: number;
  readonly state: string;
  readonly output?: unknown;
  readonly progress?: unknown;
  readonly problem?: unknown;
  readonly reason?: string;
}

/** A laboratory on one engine, with time that can be put forward. */
export async function openLab(engine: "sqlite" | "postgres", postgres: TestDatabase, alwaysSuspend = false) {
  const data = await mkdtemp(join(tmpdir(), "trilith-lab-"));
  const schema = postgres.freshSchema();
  const clock: SkippingClock = skippingClock(1);
  clock.skip(5_400_000 - (clock.now() % 3_600_000)); // half past some hour
  const bodies = new Map<string, Body>();
  const act = ({ body, value }: z.infer<typeof Task>, context: object): Promise<unknown> => {
    const found = bodies.get(body);
    if (!found) throw new Error(`There is no body "${body}".`);
    return found(value, context as Context);
  };
  const made = backend("lab", {
    storage: [counting],
    orchestration: [
      workflow(Lab.run, { version: 1, uses: [Counters, Lab] }, act),
      workflow(Lab.child, { version: 1, uses: [Counters, Lab] }, act),
      workflow(
        Lab.narrow,
        { version: 1, uses: [Counters, Lab], concurrency: 2, priority: ({ priority }) => priority },
        act,
      ),
      workflow(Lab.tick, { version: 1, uses: [Counters] }, async ({ name }, { counters }) => {
        await counters.add({ name });
      }),
      schedule(Lab.tick, {
        cron: "0 * * * *",
        zone: "UTC",
        catchUp: "all",
        overlap: "queue",
        input: () => ({ name: "ticks" }),
      }),
      startOn(Counters.Added, Lab.tick, {
        input: ({ name }) => ({ name: name === "source" ? "from source" : `of ${name.length}` }),
        key: ({ name }) => (name === "source" ? "source" : "other"),
      }),
    ],
  });
  const start = async (): Promise<Running> =>
    made.start({
      environment: { PORT: "0", TRILITH_DATA: data, TRILITH_LOG: "silent" },
      clock,
      alwaysSuspend,
      ...(engine === "postgres" && { engine: await openPostgres({ url: postgres.url, schema }) }),
    });
  let running = await start();
  let names = 0;
  const known = (body: Body): string => {
    const name = `body ${names++}`;
    bodies.set(name, body);
    return name;
  };
  const get = async (run: string): Promise<Shown> => {
    const answer = await fetch(`${running.url}/runs/${run}`);
    return { ...((await answer.json()) as Shown), status: answer.status };
  };
  return {
    clock,
    bodies,
    known,
    get,
    get running() {
      return running;
    },
    /** Another node on the same log. */
    another: start,
    async restart() {
      await running.stop();
      running = await start();
    },
    /** Runs a body to its end. */
    run: (body: Body, value: z.infer<typeof Task>["value"] = null, key?: string): Promise<unknown> =>
      running.client(Lab, key === undefined ? {} : { key }).run({ body: known(body), value }),
    async begin(
      body: Body,
      value: z.infer<typeof Task>["value"] = null,
      options: Parameters<Running["begin"]>[2] = {},
    ) {
      return (await running.begin(Lab.run, { body: known(body), value }, options)).run;
    },
    count: (name: string): Promise<number> => running.client(Counters).get({ name }),
    async signal(run: string, text: string, { name = "message", key }: { name?: string; key?: string } = {}) {
      const answer = await fetch(`${running.url}/runs/${run}/signals/${name}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...(key !== undefined && { "idempotency-key": key }) },
        body: JSON.stringify({ text }),
      });
      return answer.status;
    },
    /** Waits until a run is in one of these states. */
    async until(run: string, ...states: readonly string[]) {
      // Less often the longer it takes: what comes after seconds is not missed for some milliseconds.
      for (let [ms, end] = [4, performance.now() + 60_000]; performance.now() < end; ms = Math.min(60, ms * 1.25)) {
        const found = await get(run);
        if (states.includes(found.state)) return found;
        await new Promise((resolve) => setTimeout(resolve, ms));
      }
      throw new Error(`Run ${run} is ${(await get(run)).state}, and not ${states.join(" or ")}.`);
    },
    async close() {
      await running.stop();
      await rm(data, { recursive: true, force: true });
    },
  };
}
export type OpenLab = Awaited<ReturnType<typeof openLab>>;
