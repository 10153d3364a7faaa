import {
  type AnyContract,
  type AnySchema,
  type Command,
  type EventNames,
  eventsOf,
  type Failures,
  type Named,
  nothing,
  type Out,
  type Schema,
  type Signals,
} from "../../contracts/index.ts";
import type { AnySource, SourcePlan } from "../source.ts";
import type { AnyView } from "../view.ts";
import type { Change, Revised } from "./change.ts";

/** How a source is heard instead of asked. */
export type Intake = Fed | Pushed;
/** From events of the log. Their position in it is the revision. */
export interface Fed {
  readonly kind: "fed";
  readonly source: SourcePlan;
  readonly events: AnyContract;
  /** By the event's name. */
  readonly on: { readonly [event: string]: (event: any) => Changes }; // each event has its own type, forgotten in the map
}
/** Through a command that the source calls. */
export interface Pushed {
  readonly kind: "pushed";
  readonly source: SourcePlan;
  readonly operation: Push<any>; // its input's type is known where it is declared
  readonly take: (input: any) => Changes; // as above
}
type Changes = Change | readonly Change[];
type Push<I extends Schema> = Command<I, Schema<void>, Failures, Signals> & Named;
type EventOf<E> = E extends { readonly schema: infer S extends AnySchema } ? Out<S> : never;

/** The source is fed by events of the log, from the first one on: what each of them changes. Pure. */
export function fed<E extends AnyContract>(
  source: AnySource,
  events: E,
  on: NoInfer<{ readonly [K in EventNames<E>]?: (event: EventOf<E[K]>) => Changes }>,
): Intake {
  const declared = eventsOf(events);
  const handlers = Object.entries(on as Fed["on"]).filter(([, handler]) => handler !== undefined);
  for (const [name] of handlers)
    if (!declared.has(name))
      throw new TypeError(`The source "${source.name}" is fed by "${name}", which is no event of its contract.`);
  return Object.freeze({
    kind: "fed",
    source: checked(source),
    events,
    on: Object.freeze(Object.fromEntries(handlers)),
  });
}

/**
 * The source pushes what it has to say through a command, which answers with nothing once that is kept. `take` says what
 * a push changes; it is pure, and each change has a revision, so that a push that is repeated or late does no harm.
 */
export function pushed<I extends AnySchema, F extends Failures>(
  source: AnySource,
  operation: Command<I, Schema<void>, F, {}> & Named,
  take: (input: Out<I>) => Revised | readonly Revised[],
): Intake {
  if (operation.output !== nothing)
    throw new TypeError(
      `${operation.id} takes what the source "${source.name}" pushes, so it answers with nothing: leave out its output.`,
    );
  return Object.freeze({ kind: "pushed", source: checked(source), operation, take });
}

/**
 * The same view, answered from what its sources have said by themselves. What is kept outlives the process; a source that
 * has no intake is asked as ever. Equal candidates give equal answers, ages aside.
 */
export function materialized<V extends AnyView>(
  view: V,
  parts: {
    /** A new version is filled from the first event on, beside the old one. What was pushed must be pushed again. */
    readonly version: number;
    readonly from: readonly [Intake, ...Intake[]];
  },
): V {
  const { version, from } = parts;
  if (!Number.isSafeInteger(version) || version < 1)
    throw new TypeError(`The materialised view ${view.id} has the version ${version}; versions are 1, 2, 3 and so on.`);
  for (const { source } of from) {
    if (!view.sources.some((one) => (one.base ?? one) === source))
      throw new TypeError(`The view ${view.id} has no source "${source.name}" that could be heard instead of asked.`);
  }
  return Object.freeze({ ...view, kept: Object.freeze({ version, intakes: Object.freeze([...from]) }) });
}

/** Every view that hears its sources, each once; one that answers for many keys asks such a view with each. */
export const keptViews = (views: readonly AnyView[]): readonly AnyView[] => [
  ...new Set(views.map((view): AnyView => view.many?.view ?? view).filter(({ kept }) => kept !== undefined)),
];

type AnyPush = Push<any>; // whatever it carries
/** The commands through which sources push to views. */
export const pushesOf = (views: readonly AnyView[]): readonly AnyPush[] => [
  ...new Set(
    keptViews(views)
      .flatMap(({ kept }) => kept?.intakes ?? [])
      .flatMap((intake) => ("operation" in intake ? [intake.operation] : [])),
  ),
]; // inputs of every type

function checked({ name, plan }: AnySource): SourcePlan {
  if (plan.fetch.via === "http" && plan.fetch.paging)
    throw new TypeError(
      `The source "${name}" answers in pages, and what it says by itself does not. Declare another source without pages for it.`,
    );
  return plan.base ?? plan;
}
