import { Wrong } from "./subject.ts";

/** What each client was told is done, to be held against what is there in the end. Numbers of a client count from 0. */
export class Ledger {
  readonly #asked: number[] = [];
  readonly #acknowledged: number[][] = [];

  /** The next number of a client. */
  next(client: number): number {
    const number = this.#asked[client] ?? 0;
    this.#asked[client] = number + 1;
    return number;
  }

  acknowledged(client: number, number: number): void {
    this.#acknowledged[client] ??= [];
    this.#acknowledged[client].push(number);
  }

  get count(): number {
    return this.#acknowledged.reduce((sum, numbers) => sum + numbers.length, 0);
  }

  /** Throws a `Wrong` where something was acknowledged and is not among what is there, is there twice, or was never asked for. */
  async check(there: AsyncIterable<readonly [client: number, number: number]>): Promise<void> {
    const seen = this.#asked.map((asked) => new Uint8Array(asked));
    for await (const [client, number] of there) {
      const ofClient = seen[client];
      if (!ofClient || !(number < ofClient.length))
        throw new Wrong(`${client}/${number} is there and nobody wrote it.`);
      if (ofClient[number]) throw new Wrong(`${client}/${number} is there twice.`);
      ofClient[number] = 1;
    }
    for (const [client, numbers] of this.#acknowledged.entries()) {
      const missing = numbers?.filter((number) => !seen[client]?.[number]) ?? [];
      if (missing.length > 0)
        throw new Wrong(
          `Client ${client} was told that ${missing.slice(0, 5).join(", ")} are written, ${missing.length} in all; they are not there.`,
        );
    }
  }
}
