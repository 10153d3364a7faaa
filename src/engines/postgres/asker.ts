import type { Calls } from "./calls.ts";
import type { Connections, Row } from "./connections.ts";
import { type Patience, rideOut, toFault } from "./riding-out.ts";
import { sentenceOf, troubleOf } from "./trouble.ts";

/** Statements on whichever connection is free, asked until there is an answer. What cannot be is a TypeError with a sentence. */
export class Asker {
  readonly #connections: Connections;
  readonly #schema: string;
  readonly #calls: Calls;
  readonly #patience: Patience;
  constructor(connections: Connections, schema: string, calls: Calls, patience: Patience) {
    this.#connections = connections;
    this.#schema = schema;
    this.#calls = calls;
    this.#patience = patience;
  }

  /** A statement that may be asked twice, because it only looks, or does the same the second time. */
  async ask<T extends Row>(sql: string, values: readonly unknown[]): Promise<readonly T[]> {
    try {
      return await rideOut(this.#patience, () => this.#connections.ask<T>(sql, values));
    } catch (error) {
      throw toError(error);
    }
  }

  /** A statement that must be done once: it notes its call's id in the same commit, and `recall` answers from that note. */
  async once<T extends Row>(
    toStatement: (call: string, again: boolean) => { readonly text: string; readonly values: readonly unknown[] },
    recall?: (reply: string) => Promise<readonly T[]>,
  ): Promise<readonly T[]> {
    const call = this.#calls.next();
    const connections = this.#connections;
    let twice = false;
    try {
      const rows = await rideOut(this.#patience, async (again) => {
        twice ||= again;
        if (again && recall) {
          const [noted] = await connections.ask<{ reply: string }>(
            `select reply from ${this.#schema}.call where id = $1`,
            [call],
          );
          if (noted) return recall(noted.reply);
        }
        const { text, values } = toStatement(call, again);
        return connections.ask<T>(text, values);
      });
      this.#calls.answered(call, twice);
      return rows;
    } catch (error) {
      throw toError(error);
    }
  }
}

const toError = (error: unknown): Error =>
  troubleOf(error) === "refused" ? new TypeError(sentenceOf(error), { cause: error }) : toFault(error);
