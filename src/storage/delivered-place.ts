import type { Engine, Place, Write } from "./engine.ts";

/** Positions without an event of its own that a checkpoint may lag: a commit for each would cost more than looking again. */
const idle = 1_000;

/** Somebody else has moved the checkpoint: this process must not hand over any more. */
export class Lost extends Error {
  override readonly name = "Lost";
}

/**
 * Where a subscription stands, on disk. The checkpoint follows behind the handlers, one commit at a time, and carries with
 * it what was parked on the way.
 */
export class DeliveredPlace {
  readonly #reader: string;
  readonly #log: string;
  readonly #engine: Engine;
  /** Up to where all handlers have come to their end. */
  readonly #mark: () => number;
  readonly #committed: (error?: unknown) => void;
  #place: Place;
  #writes: Write[] = [];
  #delivered = false;
  #committing: Promise<void> | undefined;
  #failure: unknown;
  constructor(
    reader: string,
    place: Place,
    ports: {
      readonly engine: Engine;
      readonly log: string;
      readonly mark: () => number;
      /** Told after each commit, and why where it failed. */
      readonly committed: (error?: unknown) => void;
    },
  ) {
    this.#reader = reader;
    this.#place = place;
    this.#engine = ports.engine;
    this.#log = ports.log;
    this.#mark = ports.mark;
    this.#committed = ports.committed;
  }

  get epoch(): number {
    return this.#place.epoch;
  }

  /** Travels with the next commit. */
  write(write: Write): void {
    this.#writes.push(write);
  }

  /** An event of its own has come to its end, so that the checkpoint is worth moving. */
  delivered(): void {
    this.#delivered = true;
  }

  moveSoon(): void {
    if (!this.#committing && this.#isDue()) void this.#move();
  }

  /** Resolves once everything is on disk. */
  async flush(): Promise<void> {
    while (this.#committing || this.#isDue()) {
      await (this.#committing ?? this.#move());
      if (this.#failure !== undefined) throw this.#failure;
    }
  }

  #isDue(): boolean {
    const behind = this.#mark() - this.#place.position;
    return this.#writes.length > 0 || (this.#delivered && behind > 0) || behind >= idle;
  }

  /** One commit at a time, whoever asks for it: two from the same place would take each other for somebody else's. */
  #move(): Promise<void> {
    const told = (error?: unknown): void => {
      this.#committing = undefined;
      this.#failure ??= error;
      this.#committed(error);
    };
    this.#committing = this.#commit().then(() => told(), told);
    return this.#committing;
  }

  async #commit(): Promise<void> {
    const { epoch, position: from } = this.#place;
    const position = this.#mark();
    const writes = this.#writes;
    this.#writes = [];
    this.#delivered = false;
    const checkpoint = { log: this.#log, reader: this.#reader, epoch, from, position };
    if (!(await this.#engine.commit(checkpoint, writes)))
      throw new Lost(`Somebody else has moved the checkpoint of "${this.#reader}".`);
    this.#place = { epoch, position };
  }
}
