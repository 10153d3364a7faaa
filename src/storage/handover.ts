import type { Clock } from "../contracts/index.ts";
import type { StoredEvent } from "./engine.ts";
import type { EventCodec } from "./event-codec.ts";
import type { Handle, Subscription } from "./subscription.ts";

const shortestPauseMs = 100;
const longestPauseMs = 30_000;

/** Hands single events over to a subscription's handlers, each as often as it may be tried. */
export class Handover {
  readonly #subscription: Subscription;
  readonly #codec: EventCodec;
  readonly #clock: Clock;
  readonly #leaving: AbortSignal;
  readonly #aborted: AbortSignal;
  #trouble: string | undefined;
  constructor(
    subscription: Subscription,
    ports: {
      readonly codec: EventCodec;
      readonly clock: Clock;
      /** Fires when nothing is to be tried again: a handler that is under way may come to its end. */
      readonly leaving: AbortSignal;
      /** Fires when a handler's result is not wanted any more, which it is told. */
      readonly aborted: AbortSignal;
    },
  ) {
    this.#subscription = subscription;
    this.#codec = ports.codec;
    this.#clock = ports.clock;
    this.#leaving = ports.leaving;
    this.#aborted = ports.aborted;
  }

  /** What went wrong last, while it is tried again. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Tries until the event is taken, or gives the reason why it was not. */
  async deliver(event: StoredEvent): Promise<string | undefined> {
    const { attempts } = this.#subscription;
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#try(event, attempt);
        this.#trouble = undefined;
        return undefined;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        const isLast = attempt >= attempts;
        if (isLast) this.#trouble = undefined;
        if (isLast || this.#leaving.aborted) return reason;
        this.#trouble = `Position ${event.position}, attempt ${attempt} of ${attempts}: ${reason}`;
        await this.#pause(Math.min(longestPauseMs, shortestPauseMs * 2 ** (attempt - 1)));
        if (this.#leaving.aborted) return reason;
      }
    }
  }

  async #try({ id, stream, revision, position, at, type, version, data }: StoredEvent, attempt: number): Promise<void> {
    const value = await this.#codec.decode(type, version, data);
    const delivery = { id, stream, revision, position, at: new Date(at), attempt, aborted: this.#aborted };
    await (this.#subscription.handle[type] as Handle)(value, Object.freeze(delivery)); // it reads only what it handles
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const end = (): void => {
        forget();
        this.#leaving.removeEventListener("abort", end);
        resolve();
      };
      const forget = this.#clock.after(ms, end);
      if (this.#leaving.aborted) end();
      else this.#leaving.addEventListener("abort", end);
    });
  }
}
