import { join, resolve } from "node:path";
import { type Clock, systemClock } from "../../contracts/index.ts";
import type { Engine } from "../../storage/host.ts";
import { SqliteEngine } from "./engine.ts";
import { lockFolder } from "./lock.ts";
import { makeFolder } from "./make-folder.ts";
import type { WriterOptions } from "./messages.ts";
import { startThread } from "./thread.ts";
import { sentenceOf } from "./trouble.ts";
import { WriterThread } from "./writer-thread.ts";

export interface SqliteOptions {
  /** Where the database lives; made if it is not there. One folder, one process. */
  readonly folder: string;
  readonly clock?: Clock;
  /** How many writes may wait for the disk; past it they are refused as `Unavailable`. 20,000 unless told. */
  readonly queue?: number;
  /** How many characters of JSON they may hold together. 64 Mi (67,108,864) unless told. */
  readonly queueSize?: number;
  /** The largest that the database file may become; past it writes fail as they do on a full disk. No bound unless told. */
  readonly maxBytes?: number;
}

/** Opens the storage engine on SQLite (WAL, flushed before anything is told). Throws a sentence where the folder or its file will not do. */
export async function openSqlite(options: SqliteOptions): Promise<Engine> {
  const { clock = systemClock, queue = 20_000, queueSize = 67_108_864, maxBytes } = options;
  const folder = resolve(options.folder);
  const file = join(folder, "trilith.db");
  try {
    makeFolder(folder);
  } catch (error) {
    throw new Error(`The data folder ${folder} cannot be made: ${(error as Error).message}.`, { cause: error });
  }
  const lock = orSay(`The data folder ${folder} cannot be used.`, () => lockFolder(folder));
  const settings: WriterOptions = { file, now: clock.now(), maxBytes };
  let writer: WriterThread | undefined;
  try {
    writer = await WriterThread.over(startThread("writer", settings), clock, {
      count: queue,
      size: queueSize,
    });
    return new SqliteEngine(file, { lock, writer, clock });
  } catch (error) {
    await writer?.close();
    lock.release();
    throw new Error(`The database ${file} cannot be opened. ${sentenceOf(error)}`, { cause: error });
  }
}

// A sentence of ours passes as it is; what SQLite or the system threw is put into one.
function orSay<T>(where: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { errcode, code } = error as { errcode?: unknown; code?: unknown };
    if (errcode === undefined && code === undefined) throw error;
    throw new Error(`${where} ${sentenceOf(error)}`, { cause: error });
  }
}
