import { Draws } from "./identity.ts";

/** A part of a run with names of its own: the body, a branch, an undo. Keys are scope path, name and occurrence in the scope. */
export class Scope {
  readonly #path: string;
  readonly #occurrences = new Map<string, number>();
  readonly draws: Draws;
  constructor(run: string, path: string) {
    this.#path = path;
    this.draws = new Draws(run, path);
  }

  /** The next path under this name: `bookings.hold`, then `bookings.hold#2`. */
  next(name: string): string {
    const occurrence = (this.#occurrences.get(name) ?? 0) + 1;
    this.#occurrences.set(name, occurrence);
    return `${this.#path}${name}${occurrence === 1 ? "" : `#${occurrence}`}`;
  }
}
