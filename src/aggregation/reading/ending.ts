import type { Aborted } from "../port.ts";

/**
 * An AbortController and its signal in one, and a fraction of them: there is one for every question, mostly with one
 * listener, and mostly nothing is aborted.
 */
export class Ending implements Aborted {
  #aborted = false;
  #listener: (() => void) | undefined;
  /** Where there are several: the others. */
  #others: (() => void)[] | undefined;

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#aborted ? new DOMException("Nobody waits for it any more.", "AbortError") : undefined;
  }

  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    const listeners = [this.#listener, ...(this.#others ?? [])];
    this.#listener = undefined;
    this.#others = undefined;
    for (const listener of listeners) listener?.();
  }

  addEventListener(_: "abort", listener: () => void): void {
    if (this.#aborted) return;
    if (!this.#listener) this.#listener = listener;
    else if (this.#others) this.#others.push(listener);
    else this.#others = [listener];
  }

  removeEventListener(_: "abort", listener: () => void): void {
    if (this.#listener === listener) this.#listener = undefined;
    else this.#others = this.#others?.filter((other) => other !== listener);
  }
}

/** The same as a signal, for whoever has to have one. */
export function toSignal(aborted: Aborted): AbortSignal {
  if (aborted instanceof AbortSignal) return aborted;
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  if (aborted.aborted) abort();
  else aborted.addEventListener("abort", abort, { once: true });
  return controller.signal;
}
