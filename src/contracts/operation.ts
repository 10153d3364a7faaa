import type { About } from "./contract.ts";
import { type Duration, toMs } from "./duration.ts";
import type { Upcast } from "./event.ts";
import type { Failures } from "./failure.ts";
import { type Route, type RouteFor, toRoute } from "./route.ts";
import { type AnySchema, type In, nothing, type Out, type Schema } from "./schema.ts";

/** Who may call from outside: a scope, or everybody. */
export type Access = "public" | `${string}:${string}`;

/** A message that a caller may send to a run while it is under way. */
export interface Signal<S extends AnySchema> {
  readonly kind: "signal";
  readonly schema: S;
  readonly access?: Access;
}
export type Signals = { readonly [name: string]: Signal<AnySchema> };

/** Declares a signal. Without `access` it can be sent from inside the backend only. */
export function signal<S extends AnySchema>(
  schema: S,
  options: { readonly access?: Access } = {},
): Signal<Schema<In<S>, Out<S>>> {
  return Object.freeze({ kind: "signal", schema, ...options });
}

/** A call as it may happen: what is sent, and what comes back or how it fails. All of it as it travels, the input side. */
export interface Example<I extends AnySchema, O extends AnySchema, Failure extends string> {
  readonly summary?: string;
  readonly input: In<I>;
  readonly output?: In<O>;
  readonly failure?: Failure;
}

/** That an operation is on its way out: told to callers, and in the contract's history. Dates as in "2026-01-31". */
export interface Deprecated {
  readonly since: string;
  /** When it stops answering. */
  readonly sunset?: string;
  /** What to call instead, in a sentence. */
  readonly instead?: string;
}

interface Declared<I extends AnySchema, O extends AnySchema, F extends Failures, R extends string> {
  readonly input: I;
  readonly output?: O;
  readonly failures?: F;
  readonly http?: RouteFor<R, In<I>>;
  readonly access?: Access;
  readonly summary?: string;
  readonly timeout?: Duration;
  readonly idempotent?: boolean;
  readonly examples?: NoInfer<readonly Example<I, O, keyof F & string>[]>;
  readonly deprecated?: Deprecated;
}
/** A route opens an operation to the outside, so it must say for whom. */
type Opened<R extends string> = [R] extends [never] ? {} : { readonly access: Access };

/** What every operation carries as plain data beside its schemas. */
interface Described {
  readonly route?: Route;
  readonly access?: Access;
  readonly summary?: string;
  readonly timeoutMs?: number;
  readonly idempotent: boolean;
  readonly examples: readonly Example<AnySchema, AnySchema, string>[];
  readonly deprecated?: Deprecated;
}
export interface Command<
  I extends AnySchema,
  O extends AnySchema,
  F extends Failures,
  S extends Signals,
  P extends AnySchema = Schema<never>,
> extends Described {
  readonly kind: "command";
  readonly input: I;
  readonly output: O;
  readonly failures: F;
  readonly signals: S;
  /** What a run tells of itself while it is under way. */
  readonly progress?: P;
  /** What its input was before, oldest first, each with the way to the next: for runs under way, whose input is stored. */
  readonly earlier: readonly Upcast[];
}
export interface Query<I extends AnySchema, O extends AnySchema, F extends Failures> extends Described {
  readonly kind: "query";
  readonly input: I;
  readonly output: O;
  readonly failures: F;
}

/** An operation that changes something. Without `output` it answers with nothing. */
export function command<
  I extends AnySchema,
  O extends AnySchema = Schema<void>,
  F extends Failures = {},
  S extends Signals = {},
  P extends AnySchema = Schema<never>,
  const R extends string = never,
>(
  operation: Declared<I, O, F, R> & {
    readonly signals?: S;
    readonly progress?: P;
    readonly earlier?: readonly Upcast[];
  } & Opened<R>,
): Command<Schema<In<I>, Out<I>>, Schema<In<O>, Out<O>>, F, S, Schema<In<P>, Out<P>>> {
  return Object.freeze({
    kind: "command",
    ...described(operation),
    idempotent: operation.idempotent ?? true,
    output: operation.output ?? nothing,
    signals: Object.freeze({ ...operation.signals }) as S,
    ...(operation.progress !== undefined && { progress: operation.progress }),
    earlier: Object.freeze([...(operation.earlier ?? [])]),
  } as const) as Command<Schema<In<I>, Out<I>>, Schema<In<O>, Out<O>>, F, S, Schema<In<P>, Out<P>>>; // the library's own schema types stop here
}

/** An operation that answers and changes nothing. */
export function query<
  I extends AnySchema,
  O extends AnySchema,
  F extends Failures = {},
  const R extends string = never,
>(
  operation: Declared<I, O, F, R> & { readonly output: O } & Opened<R>,
): Query<Schema<In<I>, Out<I>>, Schema<In<O>, Out<O>>, F> {
  return Object.freeze({
    kind: "query",
    ...described(operation),
    idempotent: true,
    output: operation.output,
  } as const) as Query<Schema<In<I>, Out<I>>, Schema<In<O>, Out<O>>, F>; // the library's own schema types stop here
}

export type AnyCommand = Command<AnySchema, AnySchema, Failures, Signals, AnySchema>;
export type AnyQuery = Query<AnySchema, AnySchema, Failures>;
export type Operation = AnyCommand | AnyQuery;
/** A member that knows where it belongs: `bookings.hold`. */
export interface Named<Id extends string = string> {
  readonly id: Id;
  /** Of its contract. */
  readonly about: About;
}

/** The caller writes `In` and reads `Out`; the handler reads `Out` and writes `In`. */
export type CallerInput<Op extends Operation> = In<Op["input"]>;
export type CallerOutput<Op extends Operation> = Out<Op["output"]>;
export type HandlerInput<Op extends Operation> = Out<Op["input"]>;
export type HandlerOutput<Op extends Operation> = [In<Op["output"]>] extends [void] ? unknown : In<Op["output"]>;

function described<F extends Failures>(
  operation: Declared<AnySchema, AnySchema, F, any> & { readonly access?: Access }, // whatever its examples are
) {
  const { input, failures, http, access, summary, timeout, examples = [], deprecated } = operation;
  for (const date of [deprecated?.since, deprecated?.sunset])
    if (date !== undefined && !isDate(date))
      throw new TypeError(`"${date}" is no date. Say since when an operation is deprecated like "2026-01-31".`);
  return {
    input,
    examples: Object.freeze([...examples]),
    failures: Object.freeze({ ...failures }) as F,
    ...(http !== undefined && { route: toRoute(http) }),
    ...(access !== undefined && { access }),
    ...(summary !== undefined && { summary }),
    ...(timeout !== undefined && { timeoutMs: toMs(timeout) }),
    ...(deprecated !== undefined && { deprecated: Object.freeze({ ...deprecated }) }),
  };
}

const isDate = (text: string): boolean =>
  /^\d{4}-\d{2}-\d{2}$/.test(text) && new Date(`${text}T00:00:00Z`).toJSON()?.slice(0, 10) === text;
