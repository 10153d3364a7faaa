import { AsyncLocalStorage } from "node:async_hooks";
import type { Scope } from "./scope.ts";

/** Where in a run some code is: in a scope, or inside the action of a local step, where no further step may begin. */
export type Place = { readonly run: string; readonly scope: Scope } | { readonly run: string; readonly action: string };

/**
 * Tells which part of a run asks, whichever client object it asks through: an undo is written with the body's clients,
 * and a branch may use its neighbour's. One for each runner.
 */
export class Places {
  readonly #storage = new AsyncLocalStorage<Place>();

  /** Runs code in a place, up to its end. */
  in<T>(place: Place, code: () => T | PromiseLike<T>): Promise<T> {
    return this.#storage.run(place, async () => await code());
  }

  /** The same for code that may be done at once. */
  at<T>(place: Place, code: () => T | PromiseLike<T>): T | Promise<T> {
    return this.#storage.run(place, () => {
      const given = code();
      return isPromiseLike(given) ? Promise.resolve(given) : given;
    });
  }

  /** The scope of the code that asks; `given` where it cannot be told. */
  scope(run: string, given: Scope): Scope {
    const place = this.#storage.getStore();
    if (place?.run !== run) return given;
    if ("scope" in place) return place.scope;
    throw new Error(
      `The step "${place.action}" asks for a step of its own. Steps stand side by side: take it out of the action.`,
    );
  }
}

const isPromiseLike = <T>(value: T | PromiseLike<T>): value is PromiseLike<T> =>
  typeof (value as { then?: unknown } | null | undefined)?.then === "function";
