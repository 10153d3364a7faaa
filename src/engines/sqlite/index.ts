/**
 * The storage engine on SQLite: everything in one file, in this process. An adapter to storage's engine port; it may
 * import contracts and that port. Start with open.ts; writer.ts is the thread that writes, ledger.ts what it does.
 */
export { openSqlite, type SqliteOptions } from "./open.ts";
