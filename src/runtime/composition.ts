import { pushesOf } from "../aggregation/host.ts";
import type { Feed, View } from "../aggregation/index.ts";
import { type Adapted, type AnyContract, type Named, type Operation, operationsOf } from "../contracts/index.ts";
import type { Schedule, StartOn, Workflow } from "../orchestration/index.ts";

import type { Store, Subscription } from "../storage/index.ts";

/** What a backend is made of. */
export interface Composition {
  /** Stores, and subscriptions to what they write that belong to none of them. */
  readonly storage: readonly (Store | Subscription)[];
  readonly orchestration: readonly Workflow[];
  /** What begins runs by the calendar, and by events. */
  readonly schedules: readonly Schedule[];
  readonly starts: readonly StartOn[];
  readonly aggregation: readonly View[];
  /** Older major versions of what is implemented here, adapted to it. */
  readonly older: readonly Adapted[];
  /** Contracts that somebody else implements: their addresses by name. */
  readonly remote: { readonly [contract: string]: string };
  readonly feeds: readonly Feed[];
  readonly graphql: boolean | { readonly depth?: number; readonly cost?: number };
}

/** The operations that this backend implements, as contracts: what it has routes and documents for. */
export function toServed({ storage, orchestration, aggregation }: Composition): readonly AnyContract[] {
  const operations = [
    ...[...orchestration, ...aggregation].map(({ operation }) => operation as Operation & Named),
    ...pushesOf(aggregation),
  ];
  const contracts = new Map<string, { [member: string]: unknown } & AnyContract>();
  for (const part of storage)
    if (part.kind === "store") contracts.set(part.contract["~contract"].name, { ...part.contract });
  for (const operation of operations) {
    const { name } = operation.about;
    const contract = contracts.get(name) ?? { "~contract": operation.about };
    for (const member of [operation, ...(operation.about.events ?? [])])
      contract[member.id.slice(name.length + 1)] = member;
    contracts.set(name, contract);
  }
  return [...contracts.values()].map((contract) => Object.freeze(contract));
}

/** Throws a sentence where an older version cannot be served: nobody implements what it is adapted to, or it is there twice. */
export function checkOlder(composition: Composition): void {
  const operations = new Set(toServed(composition).flatMap((contract) => operationsOf(contract).map(({ id }) => id)));
  const names = new Set<string>();
  for (const { contract, ways } of composition.older) {
    const { name } = contract["~contract"];
    if (names.has(name)) throw new TypeError(`"${name}" is adapted twice. Keep one of the two.`);
    names.add(name);
    for (const { older, present } of ways)
      if (!operations.has(present.id))
        throw new TypeError(`${older.id} is adapted to ${present.id}, which nobody here implements.`);
  }
}

/** The contracts that workflows call, each once. */
export const toUsed = ({ orchestration }: Composition): readonly AnyContract[] => [
  ...new Map(
    orchestration.flatMap(({ uses }) => uses).map((contract) => [contract["~contract"].name, contract]),
  ).values(),
];

/** Throws a sentence where a schedule or a start is of a command that nobody implements here. */
export function checkStarts(composition: Composition): void {
  const served = new Set(
    toServed(composition)
      .flatMap(operationsOf)
      .map(({ id }) => id),
  );
  for (const { name, operation } of [...composition.schedules, ...composition.starts]) {
    if (served.has(operation.id)) continue;
    throw new TypeError(
      `"${name}" begins runs of ${operation.id}, which nobody here implements. Add its workflow under "orchestration".`,
    );
  }
}

/** Throws a sentence where two feeds would share a state, or one hands over to a command that nobody can be asked for. */
export function checkFeeds({ feeds }: Composition, reachable: readonly AnyContract[]): void {
  const names = new Set<string>();
  const operations = new Set(reachable.flatMap(operationsOf).map(({ id }) => id));
  for (const { name, into, late } of feeds) {
    if (names.has(name)) throw new TypeError(`Two feeds are called "${name}". Give one another name.`);
    names.add(name);
    for (const { id } of [into, ...(late ? [late.into] : [])])
      if (!operations.has(id))
        throw new TypeError(
          `The feed "${name}" hands over to ${id}, which nobody here implements. Add its store, workflow or view to the backend.`,
        );
  }
}

/**
 * The contracts that are used here and implemented elsewhere. Throws a sentence for one that nobody implements, and for
 * an address of a contract that nobody uses.
 */
export function toRemote(composition: Composition, settled: ReadonlySet<string>): readonly AnyContract[] {
  const here = new Set(toServed(composition).map((contract) => contract["~contract"].name));
  const used = new Map(toUsed(composition).map((contract) => [contract["~contract"].name, contract]));
  const remote = [...used].filter(([name]) => !here.has(name));
  for (const [name] of remote) {
    if (name in composition.remote || settled.has(name)) continue;
    throw new TypeError(
      `The contract "${name}" is used, but nobody here implements it. Add its store, workflow or view to the backend, or its address under "remote".`,
    );
  }
  for (const name of Object.keys(composition.remote)) {
    if (used.has(name)) continue;
    throw new TypeError(
      `The backend has an address for the contract "${name}", which nothing here uses. Take it out, or correct the name.`,
    );
  }
  return remote.map(([, contract]) => contract);
}
