import { stableHash } from "./stable-hash.ts";

type Task = () => Promise<void>;

/** Work side by side, and in order where it belongs together: what has the same name goes through the same lane. */
export class Lanes {
  readonly #lanes: Task[][];
  readonly #busy = new Set<Promise<void>>();
  #closed = false;
  constructor(count: number) {
    this.#lanes = Array.from({ length: count }, () => []);
  }

  /** A task must not throw. */
  push(name: string, task: Task): void {
    const lane = this.#lanes[stableHash(name) % this.#lanes.length] as Task[]; // inside the bounds
    lane.push(task);
    if (lane.length === 1 && !this.#closed) this.#start(lane);
  }

  /** Begins nothing more. Resolves when what was under way is done. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#busy);
  }

  #start(lane: Task[]): void {
    const work = this.#work(lane).finally(() => this.#busy.delete(work));
    this.#busy.add(work);
  }

  async #work(lane: Task[]): Promise<void> {
    for (let task = lane[0]; task && !this.#closed; task = lane[0]) {
      await task();
      lane.shift();
    }
  }
}
