import type { Append, Engine, Write } from "../../storage/host.ts";
import type { OpenedEngine } from "./room.ts";

/**
 * An engine that looks empty, on one that is not: its logs and collections go by other names there. Opening an engine
 * takes longer than most cases, so that they share one.
 */
export function toView({ engine, reopen, second }: OpenedEngine, prefix: string): OpenedEngine {
  return {
    engine: viewOf(engine, prefix),
    reopen: async () => viewOf(await reopen(), prefix),
    ...(second && { second: async () => viewOf(await second(), prefix) }),
    close: async () => {},
  };
}

function viewOf(engine: Engine, prefix: string): Engine {
  const toLog = (log: string): string => `${prefix}-${log}`;
  const toCollection = (name: string): string => `${prefix} ${name}`;
  const toWrite = (write: Write): Write => ({ ...write, collection: toCollection(write.collection) });
  const toAppend = (append: Append): Append =>
    append.documents ? { ...append, documents: append.documents.map(toWrite) } : append;
  return {
    define: (collection) => engine.define({ ...collection, name: toCollection(collection.name) }),
    append: (log, group) => engine.append(toLog(log), group.map(toAppend)),
    read: (log, query) => engine.read(toLog(log), query),
    texts: (log, query) => engine.texts(toLog(log), query),
    types: (log) => engine.types(toLog(log)),
    revision: (log, stream) => engine.revision(toLog(log), stream),
    find: (collection, query) => engine.find(toCollection(collection), query),
    count: (collection, query) => engine.count(toCollection(collection), query),
    receipt: (log, key) => engine.receipt(toLog(log), key),
    commit: (checkpoint, writes) => engine.commit({ ...checkpoint, log: toLog(checkpoint.log) }, writes.map(toWrite)),
    checkpoint: (log, reader) => engine.checkpoint(toLog(log), reader),
    head: (log) => engine.head(toLog(log)),
    watch: (log, after, aborted) => engine.watch(toLog(log), after, aborted),
    time: () => engine.time(),
    sweep: (log, now, limit) => engine.sweep(toLog(log), now, limit),
    claim: (collection, query, set) => engine.claim(toCollection(collection), query, set),
    collections: async () => {
      const names = await engine.collections();
      return names
        .filter((name) => name.startsWith(toCollection("")))
        .map((name) => name.slice(toCollection("").length));
    },
    empty: ({ collection, reader, beside }) =>
      engine.empty({
        collection: toCollection(collection),
        reader: { ...reader, log: toLog(reader.log) },
        ...(beside && { beside: { ...beside, collection: toCollection(beside.collection) } }),
      }),
    drop: ({ collection, reader }) =>
      engine.drop({
        ...(collection !== undefined && { collection: toCollection(collection) }),
        ...(reader && { reader: { ...reader, log: toLog(reader.log) } }),
      }),
    status: () => engine.status(),
    check: () => engine.check(),
    close: () => engine.close(),
  };
}
