import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AnyContract,
  type Call,
  type Client,
  type Clock,
  type Provider,
  silent,
  silentTracing,
  systemClock,
  toClient,
} from "../../src/contracts/index.ts";
import { openPostgres } from "../../src/engines/postgres/index.ts";
import { openSqlite } from "../../src/engines/sqlite/index.ts";
import { type Journal, Runner, type RunnerEvent, type RunnerPorts, type RunRow } from "../../src/orchestration/host.ts";
import type { Workflow } from "../../src/orchestration/index.ts";
import { createDispatch } from "../../src/runtime/dispatcher.ts";
import { openRunJournal } from "../../src/runtime/run-journal.ts";
import { type Engine, openStorage } from "../../src/storage/host.ts";
import type { Store } from "../../src/storage/index.ts";
import { Memory, memoryEngine, virtualClock } from "../../src/testing/index.ts";
import { openDatabase, type TestDatabase } from "../shared-postgres.ts";

/** One place where runs are kept, and time as it passes there. */
export interface World extends AsyncDisposable {
  readonly clock: Clock;
  /** Another engine on the same place. */
  engine(): Promise<Engine>;
  /** Lets time pass until something is so; fails after so many ms. */
  until(isSo: () => boolean | Promise<boolean>, withinMs?: number): Promise<void>;
}
export interface TestNode {
  readonly name: string;
  readonly runner: Runner;
  readonly engine: Engine;
  readonly journal: Journal;
  readonly events: readonly RunnerEvent[];
  client<C extends AnyContract>(contract: C, call?: Partial<Call>): Client<C>;
  row(run: string): Promise<RunRow | undefined>;
  /** Drains it, while time goes on. */
  stop(): Promise<void>;
  /** As if the process were killed: nothing of it comes through any more. */
  die(): void;
  /** As if the engine were out of its reach; what it asks meanwhile is asked when the time is over. */
  cutOff(): () => void;
}
export interface NodeParts extends Partial<Omit<RunnerPorts, "journal" | "clock">> {
  readonly workflows: readonly Workflow[];
  readonly stores?: readonly Store[];
  readonly contracts: readonly AnyContract[];
}

/** In memory, on a clock that a test lets go on: seconds take milliseconds. */
export async function inMemory(): Promise<World> {
  const clock = virtualClock();
  const memory = new Memory();
  return {
    clock,
    engine: async () => memoryEngine({ clock, memory }),
    async until(isSo, withinMs = 60_000) {
      for (const end = clock.now() + withinMs; !(await isSo()); ) {
        if (clock.now() > end) throw new Error(`It is not so after ${withinMs} ms.`);
        await clock.advance(20);
      }
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

/** On a SQLite of its own, which one process has alone: every node is on the same engine. */
export async function onSqlite(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "trilith-nodes-"));
  const engine = await openSqlite({ folder });
  return {
    ...realTime,
    engine: async () => engine,
    [Symbol.asyncDispose]: async () => {
      await engine.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function onPostgres(postgres: TestDatabase): Promise<World> {
  const schema = postgres.freshSchema();
  const opened: Engine[] = [];
  return {
    ...realTime,
    async engine() {
      const engine = await openPostgres({ url: postgres.url, schema, connections: 3 });
      opened.push(engine);
      return engine;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(opened.map((engine) => engine.close()));
    },
  };
}
export { openDatabase, type TestDatabase };

const realTime = {
  clock: systemClock,
  async until(isSo: () => boolean | Promise<boolean>, withinMs = 60_000): Promise<void> {
    // Less often the longer it takes: each look asks a database, and other files are at work meanwhile.
    for (let [ms, end] = [3, performance.now() + withinMs]; !(await isSo()); ms = Math.min(40, ms * 1.2)) {
      if (performance.now() > end) throw new Error(`It is not so after ${withinMs} ms.`);
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
  },
};

let names = 0;

/** Starts a node over an engine of its own. */
export async function startNode(world: World, parts: NodeParts): Promise<TestNode> {
  const { workflows, stores = [], contracts, ...ports } = parts;
  const { clock } = world;
  const name = `node-${++names}`;
  const line = new Line(await world.engine());
  const { engine } = line;
  const dispatch = createDispatch(contracts);
  const storage = await openStorage(stores, { engine, clock });
  const journal = await openRunJournal(engine, clock);
  const events: RunnerEvent[] = [];
  const runner = new Runner(workflows, {
    ...{ journal, dispatch, clock, tracing: silentTracing, node: name, leaseMs: 900 },
    report: (event) => events.push(event),
    ...ports,
  });
  dispatch.bind("storage", storage.providers);
  dispatch.bind("orchestration", line.mute(runner.providers));
  await runner.start();
  return {
    ...{ name, runner, engine, journal, events },
    client: (contract, call = {}) =>
      toClient(contract, dispatch, {
        ...{ principal: { id: "ann", kind: "key", scopes: [] }, trace: silent },
        ...{ aborted: new AbortController().signal, ...call },
      }),
    row: (run) => journal.find(run),
    async stop() {
      let stopped = false;
      void runner.drain(0).then(() => {
        stopped = true;
      });
      await world.until(() => stopped);
    },
    die: () => line.cut(),
    cutOff: () => line.cut(),
  };
}

/** The way to an engine, which can be cut: what is asked then waits until it is whole again, as does what is answered. */
class Line {
  readonly engine: Engine;
  #whole: Promise<void> | undefined;

  constructor(engine: Engine) {
    this.engine = new Proxy(engine, {
      get: (target, name: keyof Engine) => {
        const method = target[name].bind(target) as (...given: unknown[]) => Promise<unknown>;
        return async (...given: unknown[]) => {
          await this.#whole;
          try {
            return await method(...given);
          } finally {
            await this.#whole;
          }
        };
      },
    });
  }

  cut(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#whole = promise;
    return () => {
      this.#whole = undefined;
      resolve();
    };
  }

  /** A dead node answers nobody. */
  mute(providers: readonly Provider[]): readonly Provider[] {
    return providers.map((provider) => ({
      ...provider,
      handle: async (...given) => {
        const reply = await provider.handle(...given);
        await this.#whole;
        return reply;
      },
    }));
  }
}
