import {
  type AnyCommand,
  type AnyEvent,
  type Call,
  type CallerInput,
  type Dispatch,
  Fault,
  type Named,
  type Out,
  type Tracing,
} from "../contracts/index.ts";

/** A run of a command for each event. */
export interface StartOn<Id extends string = string> extends Named<Id> {
  readonly kind: "start";
  readonly name: string;
  readonly event: AnyEvent & Named;
  readonly operation: AnyCommand & Named;
  readonly input: (event: any) => unknown; // typed where it is declared, below
  readonly key: ((event: any) => string) | undefined; // as above
  readonly from: "beginning" | "now";
}

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
    /** What it is known by, on disk as well; in kebab-case. By default made of both ids. */
    readonly name?: string;
  },
): StartOn<Op["id"]> {
  const { input, key, from = "now", name = `${toKebab(operation.id)}-on-${toKebab(event.id)}` } = options;
  const { id, about } = operation;
  return Object.freeze({ kind: "start", id, about, name, event, operation, input, key, from });
}

export interface StartPorts {
  readonly dispatch: Dispatch;
  readonly tracing: Tracing;
}

/** Begins the run of one event. It may be called with the same event again: whoever hands events over does not know what a crash has undone. */
export async function startFor(
  { name, operation, input, key }: StartOn,
  event: unknown,
  { id, aborted }: { readonly id: string; readonly aborted: AbortSignal },
  { dispatch, tracing }: StartPorts,
): Promise<void> {
  const call: Call = {
    principal: { id: `start:${name}`, kind: "system", scopes: [] },
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
