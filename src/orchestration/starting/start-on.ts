import {
  type AnyCommand,
  type AnyEvent,
  type Call,
  type CallerInput,
  type Dispatch,
  Fault,
  type In,
  type Named,
  type Out,
  type Signal,
  type Tracing,
} from "../../contracts/index.ts";
import { toRunId } from "../journal/identity.ts";
import type { SignalOutcome } from "../node/runner.ts";

/** A run of a command for each event. */
export interface StartOn<Id extends string = string> extends Named<Id> {
  readonly kind: "start";
  readonly name: string;
  readonly event: AnyEvent & Named;
  readonly operation: AnyCommand & Named;
  readonly input: (event: any) => unknown; // typed where it is declared, below
  readonly key: ((event: any) => string) | undefined; // as above
  readonly from: "beginning" | "now";
  /** Events that are signals to the runs that were begun so. */
  readonly signals: { readonly [signal: string]: SignalFrom<unknown> };
}
/** Of which run an event is a signal, and what that carries. */
export interface SignalFrom<P> {
  readonly event: AnyEvent & Named;
  readonly key: (event: any) => string; // typed where it is declared, below
  readonly payload: (event: any) => P; // as above
}

/** Declares that an event is a signal to the run that was begun under a key. Pure functions of the event. */
export const signalFrom = <E extends AnyEvent & Named, P>(
  event: E,
  options: { readonly key: (event: Out<E["schema"]>) => string; readonly payload: (event: Out<E["schema"]>) => P },
): SignalFrom<P> => Object.freeze({ event, ...options });

type SignalsFrom<Op extends AnyCommand> = {
  readonly [K in keyof Op["signals"]]?: Op["signals"][K] extends Signal<infer S> ? SignalFrom<In<S>> : never;
};

/**
 * Declares that a command is called for each event of a kind, once, whatever crashes: the run's key is the event's id,
 * or what `key` makes of the event, so that all events of one key begin one run.
 */
export function startOn<E extends AnyEvent & Named, Op extends AnyCommand & Named>(
  event: E,
  operation: Op,
  options: {
    /** What it is called with; a pure function of the event. */
    readonly input: (event: Out<E["schema"]>) => CallerInput<Op>;
    readonly key?: (event: Out<E["schema"]>) => string;
    /** Where it begins: with what comes from its first deployment on (unless told), or with the first event that there is. */
    readonly from?: "beginning" | "now";
    /** Events that are signals to a run that was begun so, by the signal's name; `key` has to say which run. */
    readonly signals?: SignalsFrom<Op>;
    /** What it is known by, on disk as well; in kebab-case. By default made of both ids. */
    readonly name?: string;
  },
): StartOn<Op["id"]> {
  const { input, key, from = "now", name = `${toKebab(operation.id)}-on-${toKebab(event.id)}` } = options;
  const { id, about } = operation;
  const signals = { ...options.signals } as { readonly [signal: string]: SignalFrom<unknown> }; // typed above
  if (!key && Object.keys(signals).length > 0)
    throw new TypeError(
      `"${name}" has signals and no key. Say with "key" which run an event begins, so that others find it.`,
    );
  return Object.freeze({ kind: "start", id, about, name, event, operation, input, key, from, signals });
}

export interface StartPorts {
  readonly dispatch: Dispatch;
  readonly tracing: Tracing;
  readonly signal: (
    run: string,
    name: string,
    payload: unknown,
    by: { readonly id: string; readonly key: string },
  ) => Promise<SignalOutcome>;
}
/** An event as it is handed over. */
export interface Occurrence {
  /** The same each time. */
  readonly id: string;
  /** 1 the first time. */
  readonly attempt: number;
  readonly aborted: AbortSignal;
}
const callerOf = ({ name }: StartOn): string => `start:${name}`;
/** Its run may not have begun: the event that begins it stands in another stream, and streams are handed over side by side. */
const attemptsForRun = 3;

/** Tells a run of an event that is a signal to it. One whose run there is not, or has ended, is dropped. */
export async function signalFor(
  start: StartOn,
  name: string,
  { key, payload }: SignalFrom<unknown>,
  event: unknown,
  { id, attempt }: Occurrence,
  { signal }: StartPorts,
): Promise<void> {
  const run = toRunId(callerOf(start), start.id, key(event));
  const outcome = await signal(run, name, payload(event), { id: callerOf(start), key: id });
  if (outcome === "no such run" && attempt < attemptsForRun)
    throw new Error(`There is no run of ${start.id} for the signal "${name}" yet.`);
}

/** Begins the run of one event. It may be called with the same event again: whoever hands events over does not know what a crash has undone. */
export async function startFor(
  start: StartOn,
  event: unknown,
  { id, aborted }: Occurrence,
  { dispatch, tracing }: StartPorts,
): Promise<void> {
  const { operation, input, key } = start;
  const call: Call = {
    principal: { id: callerOf(start), kind: "system", scopes: [] },
    trace: tracing.begin(),
    aborted,
    key: key ? key(event) : id,
    detached: true,
  };
  try {
    await dispatch.call(operation.id, input(event), call);
  } catch (error) {
    // Another event of its key was first, or code that made another input of this one: there is a run.
    if (!(error instanceof Fault && error.code === "KeyReused")) throw error;
  }
}

/** `seat-maps.giveBack` becomes `seat-maps-give-back`, and `bookings.SeatHeld` becomes `bookings-seat-held`. */
const toKebab = (id: string): string =>
  id
    .replace(/\.([A-Z])/, (_, first: string) => `-${first.toLowerCase()}`)
    .replace(".", "-")
    .replaceAll(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
