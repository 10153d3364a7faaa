import {
  type AnyContract,
  type Fail,
  type HandlerInput,
  type HandlerOutput,
  type NameOf,
  type Operation,
  type OperationNames,
  operationsOf,
} from "../contracts/index.ts";
import type { AnyEntity, Entity, EntityReader, EntityWriter } from "./entity.ts";
import type { AnyReadModel, ReadModel, RowReader } from "./read-model.ts";
import type { Subscription } from "./subscription.ts";

/** What a store keeps: its own contract's entities, read models of anybody's events, and who is told of them. */
export type Parts<Owner extends string> = {
  readonly [name: string]: Entity<Owner, any, any> | AnyReadModel | Subscription; // whatever its events and its state are
};
type Reader<P> =
  P extends Entity<string, infer E, infer State>
    ? (id: string) => EntityReader<E, State>
    : P extends ReadModel<infer Row, infer Key, infer Indexes>
      ? RowReader<Row, Key & keyof Row, Indexes>
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
  readonly parts: { readonly [name: string]: AnyEntity | AnyReadModel | Subscription };
  readonly handlers: { readonly [operation: string]: AnyHandler };
}
export type AnyStore = Store;
export type AnyHandler = (input: any, context: any) => Promise<unknown>; // each operation has its own types, forgotten in the map

/** Declares a store: what it keeps, and one handler an operation of its contract. */
export function store<C extends AnyContract, P extends Parts<NameOf<C>>>(
  contract: C,
  parts: P,
  handlers: NoInfer<{ readonly [K in OperationNames<C>]: C[K] extends Operation ? Handler<C[K], P> : never }>,
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
  });
}
