import type { Entry, Journal, RunRow } from "../orchestration/host.ts";
import { openRunJournal } from "../runtime/run-journal.ts";
import type { Engine } from "../storage/host.ts";
import type { BenchPlace } from "./bench-places.ts";
import { memoryJournal } from "./memory-journal.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** The runs of one bench: the journal that its nodes write to, and what is read back of it. */
export interface Keeping {
  readonly journal: Journal;
  /** Every run, in the order in which they were begun, as of the last look. */
  readonly rows: readonly RunRow[];
  readonly commits: number;
  entries(run: string): readonly Entry[];
  /** Reads back what there is by now. */
  look(): Promise<void>;
  close(): Promise<void>;
}

export async function keep(place: BenchPlace, clock: VirtualClock): Promise<Keeping> {
  if (!place.open) return inMemory();
  const opened = await clock.during(place.open);
  const journal = await openRunJournal(onBench(opened.engine, clock), clock);
  return onEngine(journal, opened.close);
}

function inMemory(): Keeping {
  const journal = memoryJournal();
  return {
    journal,
    get rows() {
      return journal.rows();
    },
    get commits() {
      return journal.commits;
    },
    entries: (run) => journal.entries(run),
    look: async () => {},
    close: async () => {},
  };
}

function onEngine(journal: Journal, close: () => Promise<void>): Keeping {
  let commits = 0;
  const seen = new Map<string, { row: RunRow | undefined; readonly entries: Entry[] }>();
  const append: Journal["append"] = async (run, revision, entries, change) => {
    const appended = await journal.append(run, revision, entries, change);
    if (typeof appended !== "object" || !("position" in appended)) return appended;
    commits++;
    if (change.begin) seen.set(run, { row: undefined, entries: [] });
    return appended;
  };
  return {
    journal: { ...journal, append },
    get rows() {
      return [...seen.values()].flatMap(({ row }) => row ?? []);
    },
    get commits() {
      return commits;
    },
    entries: (run) => [...(seen.get(run)?.entries ?? [])],
    async look() {
      for (const [run, one] of seen) {
        one.entries.push(...(await journal.read(run, one.entries.length)));
        one.row = await journal.find(run);
      }
    },
    close,
  };
}

/**
 * An engine as a bench has it: nobody else is there, its time is the bench's, and while it is at work no time passes. What
 * it does, it does as ever.
 */
function onBench(engine: Engine, clock: VirtualClock): Engine {
  return new Proxy(engine, {
    get(target, name: keyof Engine) {
      const method = target[name].bind(target) as (...given: unknown[]) => Promise<unknown>;
      if (name === "time") return async () => clock.now();
      if (name === "status") return async () => ({ ...(await target.status()), exclusive: true });
      if (name === "watch") return method; // it waits for whatever comes, which is no work
      return (...given: unknown[]) => clock.during(() => method(...given));
    },
  });
}
