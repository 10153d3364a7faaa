import {
  type AnyCommand,
  type AnyContract,
  type Duration,
  type Fail,
  type HandlerInput,
  type HandlerOutput,
  type NameOf,
  type Operation,
  type OperationNames,
  operationsOf,
  toMs,
} from "../contracts/index.ts";
import type { AnyEntity, Entity, EntityReader, EntityWriter } from "./entity.ts";
import type { AnyEventLog, EventLog, LogReader } from "./event-log.ts";
import type { AnyReadModel, ReadModel, RowReader } from "./read-model.ts";
import type { Subscription } from "./subscription.ts";

/** What a store keeps: its own contract's entities, read models of anybody's events, and who is told of them. */
export type Parts<Owner extends string> = {
  readonly [name: string]: Entity<Owner, any, any> | AnyReadModel | AnyEventLog | Subscription; // whatever its events and its state are
};
type Reader<P> =
  P extends Entity<string, infer E, infer State>
    ? (id: string) => EntityReader<E, State>
    : P extends ReadModel<infer Row, infer Key, infer Indexes>
      ? RowReader<Row, Key & keyof Row, Indexes>
      : P extends EventLog<infer E>
        ? LogReader<E>
        : never;
type Writer<P> = P extends Entity<string, infer E, infer State> ? (id: string) => EntityWriter<E, State> : Reader<P>;

export type QueryContext<Op extends Operation, P> = { readonly fail: Fail<Op["failures"]> } & {
  readonly [K in keyof P as P[K] extends Subscription ? never : K]: Reader<P[K]>;
};
export type CommandContext<Op extends Operation, P> = { readonly fail: Fail<Op["failures"]>; readonly now: Date } & {
  readonly [K in keyof P as P[K] extends Subscription ? never : K]: Writer<P[K]>;
};
export type Handler<Op extends Operation, P> = (
  input: HandlerInput<Op>,
  context: Op["kind"] extends "query" ? QueryContext<Op, P> : CommandContext<Op, P>,
) => Promise<HandlerOutput<Op>>;

/** A contract, implemented by what a store keeps. */
export interface Store<Id extends string = string> {
  readonly kind: "store";
  /** The name of its contract. */
  readonly id: Id;
  readonly contract: AnyContract;
  readonly parts: { readonly [name: string]: AnyEntity | AnyReadModel | AnyEventLog | Subscription };
  readonly handlers: { readonly [operation: string]: AnyHandler };
  /** For how long receipts are kept, in ms, by command; of others for as long as the storage says. */
  readonly receiptsMs?: { readonly [operation: string]: number };
}
export type AnyStore = Store;
export type AnyHandler = (input: any, context: any) => Promise<unknown>; // each operation has its own types, forgotten in the map

type CommandNames<C> = { [K in keyof C]: C[K] extends AnyCommand ? K : never }[keyof C] & string;
export interface StoreOptions<C> {
  /**
   * For how long the receipt of a call with a key is kept, and with it the promise that the key has one effect: of all
   * commands, or by command. 30 days unless told. Longer than anybody tries again; what a run calls is kept for 30 days at
   * least, for a run may have been asleep.
   */
  readonly receiptsFor?: Duration | { readonly [K in CommandNames<C>]?: Duration };
}

/** Declares a store: what it keeps, and one handler an operation of its contract. */
export function store<C extends AnyContract, P extends Parts<NameOf<C>>>(
  contract: C,
  parts: P,
  handlers: NoInfer<{ readonly [K in OperationNames<C>]: C[K] extends Operation ? Handler<C[K], P> : never }>,
  options: NoInfer<StoreOptions<C>> = {},
): Store<NameOf<C>> {
  const id = contract["~contract"].name as NameOf<C>; // the contract's own name, widened by AnyContract
  const given = handlers as { readonly [operation: string]: AnyHandler };
  for (const operation of operationsOf(contract)) {
    if (typeof given[operation.id.slice(id.length + 1)] !== "function")
      throw new TypeError(`The store of "${id}" has no handler for ${operation.id}.`);
  }
  for (const [name, part] of Object.entries(parts)) {
    if (name === "fail" || name === "now")
      throw new TypeError(`The store of "${id}" calls a part "${name}", which its handlers have already. Rename it.`);
    if (part.kind === "entity" && part.owner !== id)
      throw new TypeError(
        `The entity "${part.name}" is made of the events of "${part.owner}", so it cannot be kept by the store of "${id}".`,
      );
  }
  return Object.freeze({
    kind: "store",
    id,
    contract,
    parts: Object.freeze({ ...parts }),
    handlers: Object.freeze({ ...given }),
    ...(options.receiptsFor !== undefined && { receiptsMs: Object.freeze(toReceipts(contract, options.receiptsFor)) }),
  });
}

function toReceipts(
  contract: AnyContract,
  asked: Duration | { readonly [command: string]: Duration | undefined },
): { readonly [operation: string]: number } {
  const id = contract["~contract"].name;
  const commands = operationsOf(contract).flatMap(({ kind, id: name }) =>
    kind === "command" ? [name.slice(id.length + 1)] : [],
  );
  const each = typeof asked === "string" ? Object.fromEntries(commands.map((name) => [name, asked])) : asked;
  return Object.fromEntries(
    Object.entries(each).flatMap(([name, kept]): [string, number][] => {
      if (!commands.includes(name))
        throw new TypeError(`The store of "${id}" keeps receipts of "${name}", which is no command of its contract.`);
      return kept === undefined ? [] : [[name, toMs(kept)]];
    }),
  );
}
