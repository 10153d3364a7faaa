import type { AnyCommand, AnyContract, Duration, Fail, HandlerInput, In, Out, Signal } from "../../contracts/index.ts";
import type { Run, Uses } from "../language/run.ts";

/** What moves a machine: a signal of its command, or what it is told by itself, which begins with a dollar. */
export type MachineEvent<Op extends AnyCommand> =
  | {
      readonly [K in keyof Op["signals"] & string]: {
        readonly type: K;
        readonly payload: Op["signals"][K] extends Signal<infer S> ? Out<S> : never;
      };
    }[keyof Op["signals"] & string]
  | { readonly type: "$start" }
  | { readonly type: "$after" }
  /** A state has come to its end: of a state with `do`, `output` is what the action gave back. */
  | { readonly type: "$done"; readonly output?: unknown }
  /** The action of a state has failed for good. */
  | { readonly type: "$failed"; readonly error: MachineFailure }
  /** An action has changed the context. */
  | { readonly type: "$changed" };
export interface MachineFailure {
  /** Of a declared failure or a fault its code, of another error its name. */
  readonly code: string;
  readonly message: string;
}

/** What pure functions of a machine are handed. */
export interface Moment<Op extends AnyCommand, C> {
  readonly context: C;
  readonly event: MachineEvent<Op>;
}
/** What its actions are handed: everything that they await is a durable step. */
export type MachineActing<Op extends AnyCommand, U extends readonly AnyContract[], C> = Uses<U> &
  Moment<Op, C> & {
    readonly run: Omit<Run<Op, U>, "signal" | "progress" | "continueAsNew">;
    readonly fail: Fail<Op["failures"]>;
  };

/** Where a machine is: the name of its state, or of each region its own. */
export type StateValue = string | { readonly [state: string]: StateValue };
export interface MachineState<C> {
  readonly state: StateValue;
  readonly context: C;
}

type Many<T> = T | readonly T[];
/** The names that a declaration may use. */
export interface Words {
  readonly events: string;
  readonly guards: string;
  readonly changes: string;
  readonly actions: string;
}
interface Transition<Target extends string, W extends Words> {
  /** Without one the state stays, and is neither left nor entered. */
  readonly target?: Target;
  readonly guard?: W["guards"];
  readonly set?: Many<W["changes"]>;
  readonly do?: Many<W["actions"]>;
}
type Transitions<Target extends string, W extends Words> = Target | Many<Transition<Target, W>>;

type KeysOf<S> = keyof S & string;
type InnerOf<S> = S extends { readonly states: infer Inner } ? Inner : {};
type PathsOf<S> = { [K in KeysOf<S>]: K | `${K}.${PathsOf<InnerOf<S[K]>>}` }[KeysOf<S>];
/** A neighbour, a state inside (`.inner`), or any state by its path from the top (`#paid.open`). */
type TargetOf<Node, Siblings, Top> = KeysOf<Siblings> | `.${KeysOf<InnerOf<Node>>}` | `#${PathsOf<Top>}`;
/** Only the names that there are: a mistyped one is an error where it stands. */
type On<Node, Target extends string, W extends Words> = Node extends { readonly on: infer O }
  ? {
      readonly [E in keyof O]: E extends W["events"]
        ? Transitions<Target, W>
        : `"${E & string}" is no signal of the command`;
    }
  : never;
type After<Node, Target extends string, W extends Words> = Node extends { readonly after: infer A }
  ? { readonly [D in keyof A]: D extends Duration ? Transitions<Target, W> : `"${D & string}" is no duration` }
  : never;
type Key = "on" | "after" | "always" | "entry" | "exit" | "do" | "onDone" | "onFailure" | "initial" | "states" | "type";
type StateNode<Node, Siblings, Top, W extends Words> = {
  readonly [K in Exclude<keyof Node, Key>]: `a state has no "${K & string}"`;
} & {
  /** `parallel`: all states inside at once. `final`: nothing more happens here. */
  readonly type?: "parallel" | "final";
  /** By signal. The first transition whose guard lets it is taken. */
  readonly on?: On<Node, TargetOf<Node, Siblings, Top>, W>;
  /** By how long the state has been entered, such as `"3 days"`. */
  readonly after?: After<Node, TargetOf<Node, Siblings, Top>, W>;
  /** Taken at once, whenever its guard lets it. */
  readonly always?: Many<Transition<TargetOf<Node, Siblings, Top>, W>>;
  readonly entry?: Many<W["actions"]>;
  readonly exit?: Many<W["actions"]>;
  /** What is done here, once it is entered; `onDone` and `onFailure` say what comes of it. */
  readonly do?: W["actions"];
  /** When `do` was done; of a state with states inside, when they have come to their end. */
  readonly onDone?: Transitions<TargetOf<Node, Siblings, Top>, W>;
  /** When `do` has failed for good. Without it the run fails. */
  readonly onFailure?: Transitions<TargetOf<Node, Siblings, Top>, W>;
  readonly initial?: KeysOf<InnerOf<Node>>;
  readonly states?: States<InnerOf<Node>, Top, W>;
};
export type States<S, Top, W extends Words> = { readonly [K in keyof S]: StateNode<S[K], S, Top, W> };

type ProgressOf<Op extends AnyCommand> = In<NonNullable<Op["progress"]>>;
/** What the contract declares beside its signals has to be made out of the machine's state. */
type Told<Op extends AnyCommand, C> = ([In<Op["output"]>] extends [void]
  ? { readonly output?: undefined }
  : {
      /** What the run gives back, once the machine has come to its end. */
      readonly output: (at: MachineState<C> & { readonly fail: Fail<Op["failures"]> }) => In<Op["output"]>;
    }) &
  ([ProgressOf<Op>] extends [never]
    ? { readonly progress?: undefined }
    : {
        /** What callers see of it, as the contract declares it: state and context unless told. */
        readonly progress?: (at: MachineState<C>) => ProgressOf<Op>;
      });

export type MachineDeclaration<
  Op extends AnyCommand,
  U extends readonly AnyContract[],
  C,
  G extends string,
  Ch extends string,
  A extends string,
  S,
> = {
  /** 1, 2, 3, …: a machine that lives moves to the newest version with its next event. */
  readonly version: number;
  readonly uses?: U;
  /** What it remembers beside its state: plain JSON, made of the input. */
  readonly context?: (input: HandlerInput<Op>) => C;
  /** Pure. */
  readonly guards?: { readonly [K in G]: (at: Moment<Op, NoInfer<C>>) => boolean };
  /** Pure: what of the context is another from now on. */
  readonly changes?: { readonly [K in Ch]: (at: Moment<Op, NoInfer<C>>) => Partial<NoInfer<C>> };
  /** Durable: each call is a step. What one gives back is another in the context from then on. */
  readonly actions?: {
    readonly [K in A]: (
      at: MachineActing<Op, U, NoInfer<C>>,
    ) => Partial<NoInfer<C>> | void | PromiseLike<Partial<NoInfer<C>> | void>;
  };
  /** A signal that the present state has no transition for is kept until a state has one (unless told), or dropped. */
  readonly unexpected?: "keep" | "drop";
  /** How many moves a stretch of the journal holds before the next one begins: 200 unless told. */
  readonly stretch?: number;
  /** By the version that a living machine comes from: its state as the next version knows it. */
  readonly migrate?: { readonly [from: number]: (was: MachineState<any>) => MachineState<any> }; // what a former version was is not known to this one's types
  readonly initial: NoInfer<KeysOf<S>>;
  readonly states: S;
} & Told<Op, NoInfer<C>>;
