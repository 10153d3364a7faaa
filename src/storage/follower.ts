import { type Clock, Fault } from "../contracts/index.ts";
import { Bell } from "./bell.ts";
import type { Engine } from "./engine.ts";
import type { ModelReader } from "./model-reader.ts";
import { Pace, type Progress } from "./progress.ts";

const shortestPauseMs = 100;
const longestPauseMs = 30_000;
/**
 * What is kept inline looks no more often than this whether the log went on without it, in ms: nearly all that it is woken
 * by are appends that carried its rows.
 */
const inlinePauseMs = 50;

interface Waiter {
  isMet(): boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Keeps a read model going: leads it to the log's end, and further when the log grows. Where the engine cannot, it tries
 * again after a pause; where it must not go on, it stops with the reason until it is resumed or rebuilt.
 */
export class Follower {
  readonly reader: ModelReader;
  readonly #engine: Engine;
  readonly #log: string;
  readonly #clock: Clock;
  /** Whether others than this process's own appends have to be looked out for. */
  readonly #live: boolean;
  readonly #report: (sentence: string) => void;
  readonly #bell = new Bell();
  readonly #asked: (() => Promise<void>)[] = [];
  readonly #waiters = new Set<Waiter>();
  readonly #pace: Pace;
  #running: Promise<void> | undefined;
  #closed = false;
  #position = 0;
  #arrived = false;
  #hasArrived = false;
  #pauseMs = shortestPauseMs;
  #stopped: string | undefined;
  constructor(
    reader: ModelReader,
    ports: {
      readonly engine: Engine;
      readonly log: string;
      readonly clock: Clock;
      readonly live: boolean;
      readonly report: (sentence: string) => void;
    },
  ) {
    this.reader = reader;
    this.#engine = ports.engine;
    this.#log = ports.log;
    this.#clock = ports.clock;
    this.#live = ports.live;
    this.#report = ports.report;
    this.#pace = new Pace(ports.clock);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Why it does not follow any more, where that is so. */
  get stopped(): string | undefined {
    return this.#stopped;
  }

  /** How far it has looked; its checkpoint may lie a little behind, where nothing was to be written. */
  get position(): number {
    return this.#position;
  }

  /** Whether it stood at the end of the log when it last looked. */
  get arrived(): boolean {
    return this.#arrived;
  }

  /** Whether it has ever come to the end of the log: from then on its rows are good to be read. */
  get hasArrived(): boolean {
    return this.#hasArrived;
  }

  progress(position: number, head: number): Progress | undefined {
    return this.#pace.progress(position, head);
  }

  /** The log has gone on without it. */
  fellBehind(): void {
    this.#arrived = false;
    this.#bell.ring();
  }

  /** Resolves once it has come to a position; fails where it does not within so many ms, or has stopped. */
  reached(position: number, withinMs: number): Promise<void> {
    return this.#until(() => this.#position >= position, `come to ${position}`, withinMs);
  }

  /** Resolves once it has come to the end of the log, and fails as `reached` does. */
  come(withinMs: number): Promise<void> {
    return this.#until(() => this.#hasArrived, "come to the end of the log", withinMs);
  }

  #until(isMet: () => boolean, what: string, withinMs: number): Promise<void> {
    if (isMet()) return Promise.resolve();
    const { reader } = this.reader.kept;
    if (this.#stopped !== undefined) return Promise.reject(toUnavailable(`"${reader}" has stopped. ${this.#stopped}`));
    return new Promise<void>((resolve, reject) => {
      const waiter: Waiter = {
        isMet,
        resolve: () => settle(resolve),
        reject: (error) => settle(() => reject(error)),
      };
      const forget = this.#clock.after(withinMs, () =>
        waiter.reject(toUnavailable(`"${reader}" is at position ${this.#position}, and has not ${what} in time.`)),
      );
      const settle = (end: () => void): void => {
        forget();
        this.#waiters.delete(waiter);
        end();
      };
      this.#waiters.add(waiter);
      this.#bell.ring();
    });
  }

  /** Does something between two steps, and goes on even where it had stopped. */
  between<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(toUnavailable("The storage has been closed."));
    return new Promise<T>((resolve, reject) => {
      this.#asked.push(async () => {
        const tell = await work().then(
          (done) => () => resolve(done),
          (error: unknown) => () => reject(error),
        );
        // Before it is told: after a rebuild it is not where it was, and nobody may take its rows for the present ones.
        this.#stopped = undefined;
        this.#arrived = false;
        this.#position = 0;
        tell();
      });
      this.#bell.ring();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#bell.ring();
    await this.#running;
    const closed = toUnavailable("The storage has been closed.");
    for (const { reject } of this.#waiters) reject(closed);
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      this.#bell.quiet();
      for (const ask of this.#asked.splice(0)) await ask();
      if (this.#stopped !== undefined) await this.#bell.heard();
      else await this.#step();
    }
    for (const ask of this.#asked.splice(0)) await ask(); // nobody waits for good
  }

  async #step(): Promise<void> {
    try {
      const { position, arrived } = await this.reader.step();
      this.#pauseMs = shortestPauseMs;
      this.#moved(position, arrived);
      if (arrived) await this.#wait(position);
    } catch (error) {
      if (this.#closed) return;
      this.#arrived = false;
      if (error instanceof Fault) {
        await this.#pause(this.#pauseMs);
        this.#pauseMs = Math.min(2 * this.#pauseMs, longestPauseMs);
      } else this.#stop(error instanceof Error ? error.message : String(error));
    }
  }

  #moved(position: number, arrived: boolean): void {
    this.#position = position;
    this.#arrived = arrived;
    if (arrived) {
      this.#hasArrived = true;
      this.#pace.arrived(position);
    } else this.#pace.moved(position);
    for (const waiter of this.#waiters) if (waiter.isMet()) waiter.resolve();
  }

  /** Until the log grows, or somebody rings. */
  async #wait(position: number): Promise<void> {
    const rung = this.#bell.heard();
    if (!this.#live) return rung;
    const enough = new AbortController();
    const grown = this.#engine.watch(this.#log, position, enough.signal);
    grown.catch(() => {}); // where the bell was first, nobody is left to be told that the watch was given up
    try {
      await Promise.race([rung, grown]);
    } finally {
      enough.abort();
    }
    if (this.reader.kept.model.kept === "inline") await this.#pause(inlinePauseMs);
  }

  /** Or until somebody rings. */
  async #pause(ms: number): Promise<void> {
    const forget = this.#clock.after(ms, () => this.#bell.ring());
    await this.#bell.heard();
    forget();
  }

  #stop(why: string): void {
    this.#stopped = why;
    const { reader } = this.reader.kept;
    const sentence = `"${reader}" has stopped. ${why}`;
    this.#report(sentence);
    for (const { reject } of this.#waiters) reject(toUnavailable(sentence));
  }
}

const toUnavailable = (message: string): Fault => new Fault("Unavailable", message, { outcome: "not done" });
