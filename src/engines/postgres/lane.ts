import type { Client } from "pg";
import { type Connections, pipelined } from "./connections.ts";
import { shortQuery, type Value } from "./short-query.ts";
import { pinSession } from "./sql/pinned.ts";
import { NotConnected } from "./trouble.ts";

/** What can be called: each is prepared once a connection. */
export interface Statements {
  readonly append: string;
  readonly append_alone: string;
}
export interface Call {
  readonly statement: keyof Statements;
  readonly values: readonly Value[];
}

/**
 * The connection on which this process appends. Calls are sent behind each other without waiting for answers, so they are
 * done in the order in which they were sent. A lost connection fails what is under way, and the next call makes a new one.
 */
export class Lane {
  readonly #connections: Connections;
  readonly #statements: Statements;
  readonly #greet: (client: Client) => Promise<void>;
  #client: Promise<Client> | undefined;
  #present: Client | undefined;
  /** The present one, once it was greeted. */
  #ready: Client | undefined;
  #closed = false;
  /** `greet` is done on each new connection, before anything is called on it. */
  constructor(connections: Connections, statements: Statements, greet: (client: Client) => Promise<void>) {
    this.#connections = connections;
    this.#statements = statements;
    this.#greet = greet;
  }

  /** What is called is made when there is a connection: what they say is then as new as it can be. */
  async call(toCall: () => Call): Promise<string> {
    const client = this.#ready ?? (await this.#connected());
    const { statement, values } = toCall();
    return new Promise((resolve, reject) => {
      const told = (error: Error | null, answer: string | null | undefined): void => {
        if (!error && typeof answer === "string") {
          resolve(answer);
          return;
        }
        // A read-only server, or one that is about to end, answers on and on: another connection may lead elsewhere.
        if (isOver(error)) this.#drop(client);
        reject(error ?? new TypeError(`${statement} gave no answer.`));
      };
      client.query(shortQuery(statement, this.#statements[statement], values, told));
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const client = await this.#client?.catch(() => undefined);
    await client?.end().catch(() => {});
  }

  #connected(): Promise<Client> {
    this.#client ??= this.#connect().catch((error: unknown) => {
      this.#client = undefined;
      throw error;
    });
    return this.#client;
  }

  async #connect(): Promise<Client> {
    const client = await this.#connections.open(pipelined);
    // At once, and not when somebody asks next: that question would be lost with the connection.
    const forget = (): void => {
      if (this.#present === client) this.#forget();
    };
    client.once("end", forget);
    client.once("error", forget);
    this.#present = client;
    try {
      if (this.#closed) throw new NotConnected("It is being closed.");
      await client.query(pinSession); // `append_alone` counts on it
      await this.#greet(client);
      if (this.#present === client) this.#ready = client;
      return client;
    } catch (error) {
      this.#drop(client);
      throw error;
    }
  }

  #drop(client: Client): void {
    if (this.#present === client) this.#forget();
    client.end().catch(() => {}); // it may be gone already
  }

  #forget(): void {
    this.#present = undefined;
    this.#ready = undefined;
    this.#client = undefined;
  }
}

const isOver = (error: unknown): boolean => /^(25006|57|08|25P)/.test((error as { code?: string }).code ?? "");
