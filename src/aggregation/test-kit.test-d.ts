// What the tests of this folder share. Named like a type test, so that it is checked and never built into the package.
import { setImmediate } from "node:timers/promises";
import { anonymous, type Call, type Clock, type Dispatch, silent, silentTracing } from "../contracts/index.ts";
import type { Upstream, UpstreamRequest } from "./port.ts";

/** A clock that moves when it is told to. */
export class ManualClock implements Clock {
  #now = 1_000;
  #timers: { readonly at: number; readonly wake: () => void }[] = [];
  now = (): number => Date.UTC(2026, 0, 1) + this.#now;
  monotonic = (): number => this.#now;
  after = (ms: number, wake: () => void): (() => void) => {
    const timer = { at: this.#now + Math.max(0, ms), wake };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };
  get timers(): number {
    return this.#timers.length;
  }

  /** Moves on, timer by timer, and lets what they woke come to rest. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await turns();
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#now = Math.max(this.#now, next.at);
      next.wake();
      await turns();
    }
    this.#now = until;
    await turns();
  }
}

/** Keys that travel together leave a turn after they were asked for, and what they woke comes to rest in the next. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await setImmediate();
}

export interface Scripted {
  readonly afterMs?: number;
  readonly status?: number;
  readonly type?: string;
  readonly headers?: { readonly [name: string]: string };
  readonly body?: unknown;
  readonly throws?: Error;
}

/** An upstream in memory that does what the test says, on the test's clock. */
export class ScriptedUpstream implements Upstream {
  readonly requests: UpstreamRequest[] = [];
  aborts = 0;
  readonly #clock: Clock;
  readonly #script: (request: UpstreamRequest, count: number) => Scripted;
  constructor(clock: Clock, script: (request: UpstreamRequest, count: number) => Scripted) {
    this.#clock = clock;
    this.#script = script;
  }

  fetch(request: UpstreamRequest) {
    this.requests.push(request);
    const script = this.#script(request, this.requests.length);
    const { afterMs = 0, status = 200, type = "application/json", headers = {}, body, throws } = script;
    return new Promise<{ status: number; headers: { [name: string]: string }; body: Uint8Array }>((resolve, reject) => {
      let underWay = true;
      const cancel = this.#clock.after(afterMs, () => {
        underWay = false;
        const text = typeof body === "string" ? body : body === undefined ? "" : JSON.stringify(body);
        if (throws) reject(throws);
        else resolve({ status, headers: { "content-type": type, ...headers }, body: new TextEncoder().encode(text) });
      });
      request.aborted.addEventListener("abort", () => {
        if (underWay) this.aborts += 1;
        cancel();
        reject(request.aborted.reason);
      });
    });
  }
}

export const toCall = (more: Partial<Call> = {}): Call => ({
  principal: anonymous,
  trace: silentTracing.begin() ?? silent,
  aborted: new AbortController().signal,
  ...more,
});

export const nobody: Dispatch = {
  call: () => Promise.reject(new Error("Nobody was to be called.")),
  void: () => Promise.reject(new Error("Nobody was to be called.")),
};
