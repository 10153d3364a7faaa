import type { Clock } from "../../contracts/index.ts";
import type { News, Nodes } from "../journal/nodes.ts";

export interface BulletinPorts {
  readonly nodes: Nodes;
  readonly clock: Clock;
  readonly told: (item: News["items"][number]) => void;
  readonly failed: (error: unknown) => void;
}

const retryMs = 500;

/** Reads what other nodes do to runs, as it happens: one reader a node, whose cost does not depend on what was before. */
export class Bulletin {
  readonly #ports: BulletinPorts;
  readonly #ended = new AbortController();
  #reading: Promise<void> = Promise.resolve();
  constructor(ports: BulletinPorts) {
    this.#ports = ports;
  }

  follow(place: number): void {
    this.#reading = this.#read(place);
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#reading;
  }

  async #read(from: number): Promise<void> {
    const { nodes, told, failed } = this.#ports;
    const { signal } = this.#ended;
    let place = from;
    while (!signal.aborted) {
      try {
        const news = await nodes.news(place, signal);
        place = news.place;
        for (const item of news.items) told(item);
      } catch (error) {
        if (signal.aborted) return;
        failed(error);
        await this.#pause();
      }
    }
  }

  #pause(): Promise<void> {
    const { signal } = this.#ended;
    return new Promise((resolve) => {
      const disarm = this.#ports.clock.after(retryMs, resolve);
      signal.addEventListener(
        "abort",
        () => {
          disarm();
          resolve();
        },
        { once: true },
      );
    });
  }
}
