import type { Made } from "../replay/code.ts";
import type { Scope } from "../replay/scope.ts";
import type { Step, Undone } from "./step.ts";

export type Undo = (done: Undone<any>) => PromiseLike<unknown> | void; // the step's own type, forgotten on the stack
export type Fallback = (failure: unknown) => unknown;
export interface Chained {
  readonly undo?: Undo;
  readonly or?: Fallback;
}

type AnyStep = Step<any>; // whatever its action gives

/** A step that begins when it is first awaited, and only once. */
export class LazyStep implements AnyStep, Made {
  readonly #begin: (chained: Chained) => Promise<unknown>;
  #chained: Chained = {};
  #begun: Promise<unknown> | undefined;
  readonly name: string;
  readonly scope: Scope;

  constructor(name: string, scope: Scope, begin: (chained: Chained) => Promise<unknown>) {
    this.name = name;
    this.scope = scope;
    this.#begin = begin;
  }

  get begun(): boolean {
    return this.#begun !== undefined;
  }

  undo(undo: Undo): this {
    return this.#chain({ undo });
  }

  or(or: Fallback): this {
    return this.#chain({ or });
  }

  // biome-ignore lint/suspicious/noThenProperty: being awaited is what starts a step
  then<A, B>(
    onDone?: ((value: any) => A | PromiseLike<A>) | null, // the step's own type is that of Step<T>
    onFailed?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#begun ??= this.#begin(this.#chained);
    return this.#begun.then(onDone, onFailed);
  }

  #chain(more: Chained): this {
    if (this.#begun) throw new TypeError(`The step "${this.name}" has begun; .undo and .or come before the await.`);
    this.#chained = { ...this.#chained, ...more };
    return this;
  }
}
