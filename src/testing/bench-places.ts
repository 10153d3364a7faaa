import { randomUUID } from "node:crypto";
import { systemClock } from "../contracts/index.ts";
import { type TemporaryEngine, temporarySqlite } from "./temporary-sqlite.ts";

/** Where benches keep their runs. The same test passes in each of them. */
export interface BenchPlace extends AsyncDisposable {
  /** For the names of tests. */
  readonly name: string;
  /** Opens an engine with nothing on it, for one bench alone; missing where runs are kept without an engine. */
  readonly open?: () => Promise<TemporaryEngine>;
  /** Closes what benches have left open, and removes what they kept. */
  close(): Promise<void>;
}

/** In memory, which takes the least time: where a bench keeps its runs unless it is told. */
export const inMemory: BenchPlace = Object.freeze({
  name: "memory",
  close: async () => {},
  [Symbol.asyncDispose]: async () => {},
});

/** On SQLite: each bench has a file of its own in the folder for temporary files, which goes when the bench is closed. */
export const sqliteFiles = (): BenchPlace => toPlace("SQLite", () => temporarySqlite(systemClock));

/**
 * On PostgreSQL 15 or later (`npm install -D pg`): each bench has a schema of its own in this database, which is dropped
 * when the bench is closed. The role of the URL must be allowed to make schemas.
 */
export const postgresSchemas = (url: string): BenchPlace =>
  toPlace("PostgreSQL", async () => {
    const { openPostgres, pg } = await load();
    const schema = `bench_${randomUUID().replaceAll("-", "")}`;
    const drop = async (): Promise<void> => {
      const client = new pg.Client(url);
      client.on("error", () => {}); // whoever asks on it is told as well
      await client.connect();
      try {
        await client.query(`drop schema if exists "${schema}" cascade`);
      } finally {
        await client.end();
      }
    };
    try {
      const engine = await openPostgres({ url, schema, connections: 4 });
      return { engine, close: () => engine.close().then(drop) };
    } catch (error) {
      await drop().catch(() => {}); // where nobody answers, nothing was made
      throw error;
    }
  });

function toPlace(name: string, open: () => Promise<TemporaryEngine>): BenchPlace {
  const opened = new Set<() => Promise<void>>();
  const close = async (): Promise<void> => {
    await Promise.all([...opened].map((one) => one()));
  };
  return Object.freeze({
    name,
    async open() {
      const { engine, close } = await open();
      let closing: Promise<void> | undefined;
      const once = (): Promise<void> => {
        opened.delete(once);
        closing ??= close();
        return closing;
      };
      opened.add(once);
      return { engine, close: once };
    },
    close,
    [Symbol.asyncDispose]: close,
  });
}

// Loaded only where it is used, for its driver is installed by those alone who use it.
async function load() {
  try {
    const [{ openPostgres }, { default: pg }] = await Promise.all([
      import("../engines/postgres/index.ts"),
      import("pg"),
    ]);
    return { openPostgres, pg };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ERR_MODULE_NOT_FOUND" || !message.includes("'pg'")) throw error;
    const sentence = "A bench on PostgreSQL needs its driver, which is not installed. Install it: npm install -D pg@8";
    throw new Error(sentence, { cause: error });
  }
}
