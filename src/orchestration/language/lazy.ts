import type { Made } from "../replay/code.ts";
import type { Scope } from "../replay/scope.ts";

/**
 * Something to await that begins when it is first awaited, once, and in the part of the run that awaits it: so a race
 * can take it back when it loses.
 */
export class Lazy<T> implements Promise<T>, Made {
  readonly name: string;
  readonly scope: Scope;
  readonly [Symbol.toStringTag] = "Lazy";
  readonly #begin: () => Promise<T>;
  #begun: Promise<T> | undefined;

  constructor(name: string, scope: Scope, begin: () => Promise<T>) {
    this.name = name;
    this.scope = scope;
    this.#begin = begin;
  }

  get begun(): boolean {
    return this.#begun !== undefined;
  }

  // biome-ignore lint/suspicious/noThenProperty: being awaited is what starts it
  then<A = T, B = never>(
    onDone?: ((value: T) => A | PromiseLike<A>) | null,
    onFailed?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#begun ??= this.#begin();
    return this.#begun.then(onDone, onFailed);
  }

  catch<B = never>(onFailed?: ((error: unknown) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.then(undefined, onFailed);
  }

  finally(onEnd?: (() => void) | null): Promise<T> {
    return this.then().finally(onEnd);
  }
}
