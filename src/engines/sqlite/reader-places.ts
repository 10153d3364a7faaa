import type { Statements } from "./statements.ts";

interface Reader {
  epoch: number;
  position: number;
  /** Whether this transaction moved it; written once, before it commits. */
  moved: boolean;
}

/** How far the readers of one log have come, as the writer changes it inside its transaction. */
export class ReaderPlaces {
  readonly #statements: Statements;
  readonly #log: number;
  readonly #epoch: number;
  readonly #readers = new Map<string, Reader>();
  constructor(statements: Statements, log: number, epoch: number) {
    this.#statements = statements;
    this.#log = log;
    this.#epoch = epoch;
  }

  /** Whether it has come as far as a position of the present epoch. */
  isAt(name: string, head: number): boolean {
    const { epoch, position } = this.#reader(name);
    return epoch === this.#epoch && position >= head;
  }

  /** Moves it on; never back. */
  advance(name: string, position: number): void {
    this.move(name, Math.max(this.#reader(name).position, position));
  }

  /** Whether it stands where somebody takes it to stand. */
  mayMove(name: string, epoch: number, from: number): boolean {
    const reader = this.#reader(name);
    return epoch === this.#epoch && reader.epoch === epoch && reader.position === from;
  }

  move(name: string, position: number): void {
    const reader = this.#reader(name);
    reader.position = position;
    reader.moved = true;
  }

  forget(name: string): void {
    this.#readers.delete(name);
    this.#statements.for("delete from reader where log = ? and name = ?").run(this.#log, name);
  }

  /** Writes those that were moved. */
  flush(): void {
    for (const [name, reader] of this.#readers) {
      if (!reader.moved) continue;
      this.#statements
        .for(
          `insert into reader (log, name, epoch, position) values (?, ?, ?, ?)
           on conflict (log, name) do update set epoch = excluded.epoch, position = excluded.position`,
        )
        .run(this.#log, name, reader.epoch, reader.position);
      reader.moved = false;
    }
  }

  #reader(name: string): Reader {
    const known = this.#readers.get(name);
    if (known) return known;
    const row = this.#statements
      .for("select epoch, position from reader where log = ? and name = ?")
      .get(this.#log, name) as { epoch: number; position: number } | undefined;
    const reader = { epoch: row?.epoch ?? this.#epoch, position: row?.position ?? 0, moved: false };
    this.#readers.set(name, reader);
    return reader;
  }
}
