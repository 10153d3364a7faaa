import { type Call, type Named, type Operation, type Provider, toFail } from "../contracts/index.ts";
import type { AnyEventLog, LogReader } from "./event-log.ts";
import type { Folds } from "./folds.ts";
import type { AnyRowReader } from "./read-model.ts";
import type { AnyHandler, AnyStore } from "./store.ts";
import { readEntity } from "./unit.ts";

export interface QueryPorts {
  readonly folds: Folds;
  readonly rows: (store: AnyStore, part: string) => AnyRowReader;
  readonly reading: (events: AnyEventLog["events"]) => LogReader<unknown>;
}

/** One query of a store: its handler gets readers only, so there is nothing that it could change. */
export function toQueryProvider(
  store: AnyStore,
  operation: Operation & Named,
  { folds, rows, reading }: QueryPorts,
): Provider {
  const handler = store.handlers[operation.id.slice(store.id.length + 1)] as AnyHandler; // store() saw that it is there
  const parts = Object.entries(store.parts).flatMap(([name, part]): [string, unknown][] => {
    if (part.kind === "subscription") return [];
    if (part.kind === "event log") return [[name, reading(part.events)]];
    return [[name, part.kind === "entity" ? (id: string) => readEntity(folds, part, id) : rows(store, name)]];
  });
  const context = Object.freeze({
    ...Object.fromEntries(parts),
    fail: toFail(operation.id, operation.failures),
  });
  return Object.freeze({
    operation: operation.id,
    contract: store.contract,
    handle: async (input: unknown, _call: Call) => ({ output: await handler(input, context) }),
    // A query has no effect that a key could stand for.
    void: async () => ({ took: false }) as const,
  });
}
