import { appends } from "./engine/appends.ts";
import { claims } from "./engine/claims.ts";
import { collections } from "./engine/collections.ts";
import { documents } from "./engine/documents.ts";
import { health } from "./engine/health.ts";
import { interleavings } from "./engine/interleavings.ts";
import { nodes } from "./engine/nodes.ts";
import { payloads } from "./engine/payloads.ts";
import { positions } from "./engine/positions.ts";
import { queries } from "./engine/queries.ts";
import { readers } from "./engine/readers.ts";
import { reads } from "./engine/reads.ts";
import { receipts } from "./engine/receipts.ts";
import {
  type Cases,
  type Check,
  DoesNotApply,
  type OpenEngine,
  type OpenedEngine,
  Room,
  settableClock,
} from "./engine/room.ts";
import { toView } from "./engine/view.ts";
import { watching } from "./engine/watching.ts";

/** One promise of the engine port, and how it is checked. */
export interface ConformanceCase {
  /** What is checked, in one word: "appends", "receipts". */
  readonly topic: string;
  /** A sentence of behaviour, unique in the suite. */
  readonly name: string;
  /** Rejects where the engine does not keep the promise. Resolves with a reason where it does not apply to this engine. */
  run(): Promise<string | undefined>;
}

const topics: { readonly [topic: string]: Cases } = {
  appends,
  receipts,
  positions,
  reads,
  payloads,
  collections,
  documents,
  queries,
  readers,
  claims,
  watching,
  health,
  nodes,
  interleavings,
};

/**
 * Everything that storage relies on in an engine, as cases for whatever runs tests, to be run one after the other in any
 * order. Cases share an engine where they can; `close` ends it when the last one has run.
 *
 *     const { cases, close } = engineConformance(open);
 *     afterAll(close);
 *     for (const { name, run } of cases)
 *       test(name, async ({ skip }) => {
 *         const reason = await run();
 *         if (reason !== undefined) skip(reason);
 *       });
 */
export function engineConformance(open: OpenEngine): Conformance {
  const shared = new Shared(open);
  const cases = Object.entries(topics).flatMap(([topic, checks]) =>
    Object.entries(checks).map(([name, check]) => ({
      topic,
      name,
      run: () => (typeof check === "function" ? shared.run(check) : runAlone(open, check.alone)),
    })),
  );
  return { cases, close: () => shared.close() };
}
export interface Conformance {
  readonly cases: readonly ConformanceCase[];
  close(): Promise<void>;
}

/** An engine that cases use one after the other. */
class Shared {
  readonly #open: OpenEngine;
  readonly #clock = settableClock();
  #opened: Promise<OpenedEngine> | undefined;
  #runs = 0;
  constructor(open: OpenEngine) {
    this.#open = open;
  }

  async run(check: Check): Promise<string | undefined> {
    this.#opened ??= this.#open({ clock: this.#clock }).then(followed);
    const view = toView(await this.#opened, `c${this.#runs++}`);
    try {
      return await reasonOf(check(new Room(view, this.#clock)));
    } catch (error) {
      await this.close(); // whatever it did to the engine is not the next one's business
      throw error;
    }
  }

  async close(): Promise<void> {
    const opened = await this.#opened;
    this.#opened = undefined;
    await opened?.close();
  }
}

/** What was opened, with the engine as it is now: the one that was opened last. */
function followed(opened: OpenedEngine): OpenedEngine {
  let { engine } = opened;
  return {
    ...opened,
    get engine() {
      return engine;
    },
    reopen: async () => {
      engine = await opened.reopen();
      return engine;
    },
  };
}

async function runAlone(open: OpenEngine, check: Check): Promise<string | undefined> {
  const clock = settableClock();
  const opened = await open({ clock });
  try {
    return await reasonOf(check(new Room(opened, clock)));
  } finally {
    await opened.close();
  }
}

async function reasonOf(checked: Promise<void>): Promise<string | undefined> {
  try {
    await checked;
    return undefined;
  } catch (error) {
    if (error instanceof DoesNotApply) return error.message;
    throw error;
  }
}
