import type { Client } from "pg";
import type { Clock } from "../../contracts/index.ts";

interface Watcher {
  readonly after: number;
  readonly wake: () => void;
  readonly end: (why: unknown) => void;
}
export interface WatcherPorts {
  readonly clock: Clock;
  readonly channel: string;
  readonly open: () => Promise<Client>;
  readonly notify: (payload: string) => Promise<unknown>;
  readonly head: (log: string) => Promise<number>;
}

/** How often a log is looked at by those who wait for it: while they are told of news, and while they are not. */
const toldPollMs = 1_000;
const untoldPollMs = 100;
/** News of this process go out no more often than this. */
const notifyMs = 20;

/**
 * Those who wait for a log to grow. Other processes tell of what they have appended, after the commit and on another
 * connection (a NOTIFY in the transaction itself would make all appends queue up for one lock). News can be lost with a
 * connection, so the logs that somebody waits for are looked at now and then as well.
 */
export class Watchers {
  readonly #ports: WatcherPorts;
  readonly #logs = new Map<string, Set<Watcher>>();
  readonly #news = new Map<string, number>();
  #listener: Client | "connecting" | undefined;
  #endPoll: (() => void) | undefined;
  #polling = false;
  #lookAgain = false;
  #endNotify: (() => void) | undefined;
  #notifying = false;
  #closed = false;
  constructor(ports: WatcherPorts) {
    this.#ports = ports;
  }

  /** Resolves once the log may be beyond `after`. */
  async wait(log: string, after: number, aborted: AbortSignal): Promise<void> {
    aborted.throwIfAborted();
    const watching = this.#watch(log, after, aborted);
    this.#listen();
    this.#poll(0);
    await watching;
  }

  /** This process has appended. */
  grown(log: string, position: number): void {
    this.#wake(log, position);
    this.#news.set(log, position);
    this.#tell();
  }

  /** Positions mean something else now: whoever waits for one looks again. */
  upset(log: string): void {
    this.#wake(log, Number.POSITIVE_INFINITY);
  }

  async end(why: unknown): Promise<void> {
    this.#closed = true;
    for (const watchers of this.#logs.values()) for (const { end } of watchers) end(why);
    this.#endPoll?.();
    this.#endNotify?.();
    if (this.#listener !== undefined && this.#listener !== "connecting") await this.#listener.end().catch(() => {});
  }

  #watch(log: string, after: number, aborted: AbortSignal): Promise<void> {
    const watchers = this.#logs.get(log) ?? new Set();
    this.#logs.set(log, watchers);
    return new Promise<void>((resolve, reject) => {
      const abort = (): void => watcher.end(aborted.reason);
      const leave = (): void => {
        watchers.delete(watcher);
        if (watchers.size === 0 && this.#logs.get(log) === watchers) this.#logs.delete(log);
        aborted.removeEventListener("abort", abort);
        if (this.#logs.size === 0) this.#endPoll?.();
      };
      const watcher: Watcher = {
        after,
        wake: () => {
          leave();
          resolve();
        },
        end: (why) => {
          leave();
          reject(why);
        },
      };
      watchers.add(watcher);
      aborted.addEventListener("abort", abort, { once: true });
    });
  }

  #wake(log: string, position: number): void {
    for (const { after, wake } of this.#logs.get(log) ?? []) if (after < position) wake();
  }

  #tell(): void {
    if (this.#closed || this.#notifying || this.#endNotify || this.#news.size === 0) return;
    const payload = JSON.stringify([...this.#news].slice(0, 50)); // a payload has up to 8,000 bytes
    this.#news.clear();
    this.#notifying = true;
    void this.#ports
      .notify(payload)
      .catch(() => {}) // whoever waits looks by himself in a moment
      .finally(() => {
        this.#notifying = false;
        if (this.#closed) return;
        this.#endNotify = this.#ports.clock.after(notifyMs, () => {
          this.#endNotify = undefined;
          this.#tell();
        });
      });
  }

  #listen(): void {
    if (this.#listener !== undefined || this.#closed) return;
    this.#listener = "connecting";
    const lost = (): void => {
      this.#listener = undefined;
    };
    void this.#ports.open().then(
      async (client) => {
        client.once("end", lost);
        client.once("error", lost);
        client.on("notification", ({ payload = "[]" }) => {
          for (const [log, position] of toNews(payload)) this.#wake(log, position);
        });
        this.#listener = client;
        try {
          await client.query(`listen "${this.#ports.channel}"`);
          // What was committed before the listening began was told to nobody.
          this.#poll(0);
        } catch {
          // As on a replica, which lets nobody listen. Whoever comes next tries on a connection of its own.
          lost();
          await client.end().catch(() => {});
        }
        if (this.#closed) await client.end().catch(() => {});
      },
      () => lost(),
    );
  }

  #poll(inMs: number): void {
    if (this.#closed) return;
    if (this.#polling) {
      this.#lookAgain = true;
      return;
    }
    this.#endPoll?.();
    const cancel = this.#ports.clock.after(inMs, () => {
      this.#endPoll = undefined;
      void this.#look();
    });
    const end = (): void => {
      this.#endPoll = undefined;
      cancel();
    };
    this.#endPoll = end;
  }

  async #look(): Promise<void> {
    this.#polling = true;
    await Promise.all(
      [...this.#logs.keys()].map(async (log) => {
        const position = await this.#ports.head(log).catch(() => -1); // it is away; there will be another look
        this.#wake(log, position);
      }),
    );
    this.#polling = false;
    const again = this.#lookAgain;
    this.#lookAgain = false;
    if (this.#logs.size === 0) return;
    this.#listen();
    const told = this.#listener !== undefined && this.#listener !== "connecting";
    this.#poll(again ? 0 : told ? toldPollMs : untoldPollMs);
  }
}

// Anybody in the database can write to a channel.
function toNews(payload: string): readonly (readonly [log: string, position: number])[] {
  try {
    const news: unknown = JSON.parse(payload);
    if (!Array.isArray(news)) return [];
    return news.filter(
      (item): item is [string, number] =>
        Array.isArray(item) && typeof item[0] === "string" && typeof item[1] === "number",
    );
  } catch {
    return [];
  }
}
