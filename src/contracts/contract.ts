import type { AnyEvent } from "./event.ts";
import type { CallerInput, CallerOutput, Named, Operation } from "./operation.ts";

export type Version = `${number}.${number}.${number}`;
/** No type parameters on purpose: as the constraint of `contract` they would be inferred into the defaults of `command`. */
export interface Member {
  readonly kind: "command" | "query" | "event";
}
export type Members = { readonly [name: string]: Member };
export interface About<N extends string = string> {
  readonly name: N;
  readonly version: Version;
  readonly owner?: string;
  readonly summary?: string;
  /** How callers get from the major version before to this one: a sentence for people. */
  readonly migration?: string;
}
/** Operations and events by name; what is said about the whole is under `~contract`. */
export type Contract<N extends string, M extends Members> = {
  readonly [K in keyof M]: M[K] & Named<`${N}.${K & string}`>;
} & {
  readonly "~contract": About<N>;
};
export interface AnyContract {
  readonly "~contract": About;
}
export type NameOf<C extends AnyContract> = C["~contract"]["name"];
export type OperationNames<C> = { [K in keyof C]: C[K] extends Operation ? K : never }[keyof C];
export type EventNames<C> = { [K in keyof C]: C[K] extends AnyEvent ? K : never }[keyof C];

/** How a contract is called from outside its backend. */
export type Client<C extends AnyContract> = { readonly [K in OperationNames<C>]: Call<C[K]> };
type Call<Op> = Op extends Operation ? (input: CallerInput<Op>) => Promise<CallerOutput<Op>> : never;

/** One plain, frozen object from which everything else is derived. Names are kebab-case, versions semantic. */
export function contract<const N extends string, M extends Members>(
  name: N,
  about: Version | Omit<About, "name">,
  members: M,
): Contract<N, M> {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw new TypeError(`A contract's name is in kebab-case, like "seat-maps"; "${name}" is not.`);
  const described: About<N> = Object.freeze({ name, ...(typeof about === "string" ? { version: about } : about) });
  if (!/^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/.test(described.version)) {
    throw new TypeError(
      `The contract "${name}" has the version "${described.version}"; a version has three numbers, like "1.0.0".`,
    );
  }
  const named = Object.entries(members).map(([member, declared]) => {
    if (!/^[a-zA-Z][a-zA-Z0-9]*$/.test(member))
      throw new TypeError(`"${name}.${member}" is not a name: use letters and digits.`);
    if (member === "then")
      throw new TypeError(`"${name}.then" cannot be a name: whoever awaits a client would call it.`);
    return [member, Object.freeze({ ...declared, id: `${name}.${member}`, about: described })];
  });
  return Object.freeze({ ...Object.fromEntries(named), "~contract": described });
}

/** The operations of a contract, each with its id. */
export function operationsOf(contract: AnyContract): readonly (Operation & Named)[] {
  return membersOf(contract).filter((member) => member.kind !== "event") as (Operation & Named)[];
}

/** The events of a contract by name, each with its id. */
export function eventsOf(contract: AnyContract): ReadonlyMap<string, AnyEvent & Named> {
  const events = membersOf(contract).filter((member) => member.kind === "event") as (AnyEvent & Named)[];
  return new Map(events.map((event) => [event.id.slice(event.id.indexOf(".") + 1), event]));
}

/** The name by which a contract is handed out: `seat-maps` becomes `seatMaps`. */
export type CamelCase<S extends string> = S extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;
export const toCamelCase = (name: string): string =>
  name.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

function membersOf(contract: AnyContract): readonly (Member & Named)[] {
  const { "~contract": _about, ...members } = contract as AnyContract & { readonly [name: string]: unknown };
  return Object.values(members) as (Member & Named)[];
}
