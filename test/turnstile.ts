import type { Engine } from "../src/storage/host.ts";

/** Whose call passes, and how many of his in a row. */
export interface Pass {
  readonly who: number;
  readonly calls: number;
}

/**
 * Lets several keepers call one engine, or each his own, one call after the other, in an order that is told beforehand: what
 * happens between two calls of one keeper is the test's to say. A keeper waits for nothing but the engine.
 */
export class Turnstile {
  readonly #waiting: (() => Promise<unknown>)[][] = [];

  /** The engine as this keeper sees it. */
  before(who: number, engine: Engine): Engine {
    const waiting: (() => Promise<unknown>)[] = [];
    this.#waiting[who] = waiting;
    return new Proxy(engine, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        return (...asked: unknown[]) =>
          new Promise((resolve, reject) => {
            waiting.push(async () => {
              await Promise.resolve(member.apply(target, asked)).then(resolve, reject);
            });
          });
      },
    });
  }

  /** Lets calls pass until nobody waits, those who are not named in turn at the end. */
  async open(passes: readonly Pass[]): Promise<void> {
    for (const pass of passes) await this.pass(pass);
    for (let isWaited = true; isWaited; ) {
      isWaited = false;
      for (const who of this.#waiting.keys()) isWaited = (await this.#letIn(who)) || isWaited;
    }
  }

  async pass({ who, calls }: Pass): Promise<void> {
    for (let call = 0; call < calls && (await this.#letIn(who)); call++);
  }

  async #letIn(who: number): Promise<boolean> {
    await answered();
    const call = this.#waiting[who]?.shift();
    await call?.();
    await answered();
    return call !== undefined;
  }
}

/** What an answer led to has been asked for by now. */
const answered = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
