import type { Clock } from "../../contracts/index.ts";
import type { BatchPlan } from "../source.ts";
import type { Flight } from "./flight.ts";
import { Register } from "./register.ts";

/** Longer addresses than this are cut off on the way by somebody. */
const longestKeys = 6_000;

/** A request that still takes keys. */
interface Boarding<T> {
  /** Who may see its answers. */
  readonly scope: string;
  readonly flight: Flight<T>;
  /** What the keys measure in an address, in characters. */
  length: number;
  /** Ends the waiting for others. */
  unwait: () => void;
}

/** Lets keys that are asked for at about the same time travel in one request. */
export class Batcher<T> {
  readonly #plan: BatchPlan;
  readonly #clock: Clock;
  /** Those that still take keys, by who may see their answers. */
  readonly #boarding = new Register<Boarding<T>>();
  constructor(plan: BatchPlan, clock: Clock) {
    this.#plan = plan;
    this.#clock = clock;
  }

  /** A key with a comma would be two in a list, so it travels alone. */
  takes(key: string): boolean {
    return this.#plan.size > 1 && key !== "" && !(this.#plan.keysAs === "list" && key.includes(","));
  }

  /** The flight that takes keys at the moment; nothing where there is none with room for this one. */
  flightFor(scope: string, key: string): Flight<T> | undefined {
    const boarding = this.#boarding.get(scope);
    if (boarding && boarding.length + key.length > longestKeys) {
      this.#depart(scope, boarding);
      return undefined;
    }
    return boarding?.flight;
  }

  /** From here on this one takes keys. */
  open(scope: string, flight: Flight<T>): Flight<T> {
    const boarding: Boarding<T> = { scope, flight, length: 0, unwait: () => {} };
    this.#boarding.set(scope, boarding);
    const { windowMs } = this.#plan;
    const depart = (): void => this.#depart(scope, boarding);
    if (windowMs === undefined) {
      const turn = setImmediate(depart);
      const unwait = (): void => clearImmediate(turn);
      boarding.unwait = unwait;
    } else boarding.unwait = this.#clock.after(windowMs, depart);
    return flight;
  }

  /** Puts a question aboard the flight that takes keys. */
  board(scope: string, question: string, key: string): void {
    const boarding = this.#boarding.get(scope);
    if (!boarding) return;
    boarding.length += key.length + 1;
    boarding.flight.board(question, key);
    if (boarding.flight.size >= this.#plan.size) this.#depart(scope, boarding);
  }

  /** A flight that was given up takes nobody any more. */
  forget(flight: Flight<T>): void {
    for (const boarding of this.#boarding.values()) {
      if (boarding.flight !== flight) continue;
      this.#boarding.delete(boarding.scope);
      boarding.unwait();
    }
  }

  #depart(scope: string, boarding: Boarding<T>): void {
    if (this.#boarding.get(scope) === boarding) this.#boarding.delete(scope);
    boarding.unwait();
    boarding.flight.depart();
  }
}
