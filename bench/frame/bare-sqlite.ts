import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** A file with the durability that everybody has here, and nothing else. */
export function openBareSqlite(folder: string): DatabaseSync {
  const database = new DatabaseSync(join(folder, "bare.db"));
  database.exec("pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -65536");
  return database;
}

export function inTransaction(database: DatabaseSync, work: () => void): void {
  database.exec("begin immediate");
  try {
    work();
    database.exec("commit");
  } catch (error) {
    database.exec("rollback");
    throw error;
  }
}

export const sqliteVersion = (): string => process.versions.sqlite ?? "";
