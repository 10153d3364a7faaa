import type { Engine } from "../../src/storage/host.ts";

const everyMs = 50;
/** Longer than any lease here: an owner that is there still was not the one that was struck. */
const patienceMs = 30_000;

/** Watches who owns what, and measures how long it takes until the runs of a struck node are somebody else's. */
export class Adoptions {
  readonly #engine: Engine;
  readonly #watching: Promise<void>;
  #owned: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  #open: { readonly at: number; readonly owner: string; readonly runs: ReadonlySet<string> }[] = [];
  readonly #took: number[] = [];
  #ended = false;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#watching = this.#watch();
  }

  /** Some node is struck now: whose runs all change hands, it was. */
  struck(): void {
    const at = performance.now();
    for (const [owner, runs] of this.#owned) this.#open.push({ at, owner, runs });
  }

  /** What is under way now says nothing: the database is away for a while. */
  disturbed(): void {
    this.#open = [];
  }

  async end(): Promise<{ readonly count: number; readonly median: number; readonly longest: number }> {
    this.#ended = true;
    await this.#watching;
    const took = this.#took.toSorted((a, b) => a - b);
    return {
      count: took.length,
      median: Math.round(took[Math.floor(took.length / 2)] ?? 0),
      longest: Math.round(took.at(-1) ?? 0),
    };
  }

  async #watch(): Promise<void> {
    while (!this.#ended) {
      await new Promise((resolve) => setTimeout(resolve, everyMs));
      const found = await Promise.all([
        this.#engine.find("run", { where: { owner: { from: "" } }, limit: 1_000 }),
        this.#engine.find("run node", { limit: 100 }),
      ]).catch(() => undefined); // PostgreSQL is away
      if (found) this.#see(found[0], new Set(found[1].map(({ key }) => key)));
    }
  }

  #see(rows: Awaited<ReturnType<Engine["find"]>>, listed: ReadonlySet<string>): void {
    const now = performance.now();
    const owned = new Map<string, Set<string>>();
    for (const { key, data } of rows) {
      const { owner } = data as { readonly owner: string };
      owned.set(owner, (owned.get(owner) ?? new Set()).add(key));
    }
    this.#owned = owned;
    const gone = this.#open.filter(({ owner }) => !owned.has(owner) && !listed.has(owner));
    const owners = new Set(gone.map(({ owner }) => owner));
    for (const owner of owners)
      this.#took.push(now - Math.max(...gone.filter((one) => one.owner === owner).map(({ at }) => at)));
    this.#open = this.#open.filter(({ owner, at }) => !owners.has(owner) && now - at < patienceMs);
  }
}
