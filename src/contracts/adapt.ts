import { type About, type AnyContract, type NameOf, type OperationNames, operationsOf } from "./contract.ts";
import { Failed, type Failures } from "./failure.ts";
import type { Deprecated, Named, Operation } from "./operation.ts";
import { type AnySchema, type In, nothing, type Out } from "./schema.ts";

/** How one operation of an older version is answered by the present one. Every function is pure. */
interface Way {
  /** The present operation that answers; the one of the same name unless told. */
  readonly to?: string;
  readonly up?: (input: any) => unknown; // each way has its own types, checked where it is declared
  readonly down?: (output: any) => unknown; // as above
  readonly failures?: { readonly [code: string]: string | ((details: any) => Told) }; // as above
  readonly signals?: { readonly [name: string]: (payload: any) => unknown }; // as above
  readonly progress?: (value: any) => unknown; // as above
}
/** A failure of the older version, by its name there. */
interface Told {
  readonly code: string;
  readonly details?: unknown;
}

/** An older major version of a contract, served beside the present one by adapting its calls. */
export interface Adapted {
  readonly kind: "adapted";
  /** As callers know it; inside, its name carries the major version: `trips@1`. It has no events. */
  readonly contract: AnyContract;
  /** As it was published. */
  readonly published: AnyContract;
  readonly to: AnyContract;
  readonly major: number;
  readonly deprecated: Deprecated;
  readonly ways: readonly AdaptedWay[];
}
export interface AdaptedWay {
  readonly older: Operation & Named;
  readonly present: Operation & Named;
  /** The older input, as it is read, as the present operation's, as it is written. Undefined: it is the same. */
  readonly up?: (input: unknown) => unknown;
  readonly down?: (output: unknown) => unknown;
  readonly progress?: (value: unknown) => unknown;
  signal(name: string, payload: unknown): unknown;
  /** A failure of the present operation in the older version's words; undefined where it has none for it. */
  failure(code: string, details: unknown): Failed | undefined;
}

type Same<From, To> = [To] extends [void] ? true : [From] extends [To] ? true : false;
type Optional<Is, T> = Is extends true ? Partial<T> : T;
type Code<F extends Failures> = keyof F & string;
type DetailsOf<F> = F extends { readonly "~details"?: infer D } ? D : never;
type FailureWay<Old extends Failures, Now> =
  | { [C in Code<Old>]: [DetailsOf<Old[C]>] extends [void] ? C : never }[Code<Old>]
  | ((details: DetailsOf<Now>) => {
      [C in Code<Old>]: [DetailsOf<Old[C]>] extends [void]
        ? { readonly code: C }
        : { readonly code: C; readonly details: DetailsOf<Old[C]> };
    }[Code<Old>]);
type SignalsOf<Op> = Op extends { readonly signals: infer S } ? S : {};
type PayloadOf<S> = S extends { readonly schema: infer P extends AnySchema } ? P : never;
type WayOf<Old extends Operation, Now extends Operation> = Optional<
  Same<Out<Old["input"]>, In<Now["input"]>>,
  { readonly up: (input: Out<Old["input"]>) => In<Now["input"]> }
> &
  Optional<
    Same<Out<Now["output"]>, In<Old["output"]>>,
    { readonly down: (output: Out<Now["output"]>) => In<Old["output"]> }
  > &
  Optional<
    [Exclude<Code<Now["failures"]>, Code<Old["failures"]>>] extends [never] ? true : false,
    {
      readonly failures: {
        readonly [C in Exclude<Code<Now["failures"]>, Code<Old["failures"]>>]: FailureWay<
          Old["failures"],
          Now["failures"][C]
        >;
      } & { readonly [C in Code<Now["failures"]>]?: FailureWay<Old["failures"], Now["failures"][C]> };
    }
  > & {
    readonly signals?: {
      readonly [S in keyof SignalsOf<Old> & keyof SignalsOf<Now>]?: (
        payload: Out<PayloadOf<SignalsOf<Old>[S]>>,
      ) => In<PayloadOf<SignalsOf<Now>[S]>>;
    };
    readonly progress?: (value: any) => unknown; // what a run tells is validated by the older contract when it is shown
  };
type Renamed<Old, Now> = {
  [T in OperationNames<Now>]: Old extends Operation
    ? Now[T] extends Operation
      ? { readonly to: T } & WayOf<Old, Now[T]>
      : never
    : never;
}[OperationNames<Now>];
type Kept<Old, Now> = Old extends Operation
  ? Now extends Operation
    ? { readonly to?: never } & WayOf<Old, Now>
    : never
  : never;
type OneWay<Old, Now, K> =
  | (K extends OperationNames<Now> ? Kept<Old[K & keyof Old], Now[K]> : never)
  | Renamed<Old[K & keyof Old], Now>;
type Needless<Old, Now> = {
  [K in OperationNames<Old>]: K extends keyof Now ? ({} extends Kept<Old[K], Now[K]> ? K : never) : never;
}[OperationNames<Old>];
/** One way for each operation of the older version that the present one answers otherwise, or under another name. */
export type Ways<Old, Now> = {
  readonly [K in Exclude<OperationNames<Old>, Needless<Old, Now>>]: OneWay<Old, Now, K>;
} & { readonly [K in Needless<Old, Now>]?: OneWay<Old, Now, K> };

/**
 * Serves an older major version beside the present one: `up` makes an older input a present one, `down` a present output
 * an older one, `failures` says what a present failure was called. Its routes are its own, as they were published; callers
 * are told that it goes in `Deprecation`, `Sunset` and `Link` headers.
 */
export function adapt<Old extends AnyContract, Now extends AnyContract & { readonly "~contract": About<NameOf<Old>> }>(
  older: Old,
  present: Now,
  deprecated: Deprecated,
  ways: Ways<Old, Now>,
): Adapted {
  const { name, version } = older["~contract"];
  const [major, now] = [majorOf(version), majorOf(present["~contract"].version)];
  if (present["~contract"].name !== name)
    throw new TypeError(
      `"${name}" cannot be adapted to "${present["~contract"].name}": they are two contracts, not two versions of one.`,
    );
  if (major >= now)
    throw new TypeError(
      `"${name}" ${version} is adapted to ${present["~contract"].version}; an older major version is adapted to a newer one.`,
    );
  const inside = `${name}@${major}`;
  const about = Object.freeze({ ...older["~contract"], name: inside });
  const found = new Map(operationsOf(present).map((operation) => [operation.id.slice(name.length + 1), operation]));
  const toWays = operationsOf(older).map((operation) => {
    const member = operation.id.slice(name.length + 1);
    const way = (ways as { readonly [member: string]: Way | undefined })[member] ?? {};
    const target = found.get(way.to ?? member);
    if (!target)
      throw new TypeError(
        `${operation.id} of version ${version} has nowhere to go: "${name}" ${present["~contract"].version} has no operation "${way.to ?? member}". Say which one answers: { ${member}: { to: "…" } }.`,
      );
    const named = Object.freeze({ ...operation, deprecated, id: `${inside}.${member}`, about });
    return [member, toWay(named, target, way)] as const;
  });
  return Object.freeze({
    kind: "adapted",
    contract: Object.freeze({
      ...Object.fromEntries(toWays.map(([member, { older }]) => [member, older])),
      "~contract": about,
    }),
    published: older,
    to: present,
    major,
    deprecated: Object.freeze({ ...deprecated }),
    ways: Object.freeze(toWays.map(([, way]) => way)),
  });
}

function toWay(older: Operation & Named, present: Operation & Named, way: Way): AdaptedWay {
  const { up, down, failures = {}, signals = {}, progress } = way;
  return Object.freeze({
    older,
    present,
    ...(up && { up }),
    ...(down && older.output !== nothing && { down }),
    ...(progress && { progress }),
    signal: (name: string, payload: unknown) => signals[name]?.(payload) ?? payload,
    failure(code: string, details: unknown) {
      const said = Object.hasOwn(failures, code) ? failures[code] : code;
      const told: Told =
        typeof said === "function" ? said(details) : { code: said ?? code, ...(said === code && { details }) };
      const declared = Object.hasOwn(older.failures, told.code) ? older.failures[told.code] : undefined;
      return declared && new Failed(older.id, told.code, declared, told.details);
    },
  });
}

/** The name of a contract without the major version that an adapted one carries inside: `trips@1` is `trips`. */
export const plainName = (name: string): string => name.replace(/@\d+(?=\.|$)/, "");
export const majorOf = (version: string): number => Number(version.split(".")[0]);
