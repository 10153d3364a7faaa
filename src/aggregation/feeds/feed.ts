import type { AnyCommand, Duration, In, Named } from "../../contracts/index.ts";
import type { Input } from "./run-feed.ts";
import type { Stage } from "./slice.ts";

/** A feed that a backend runs: from its inputs, through its stage, into a command. */
export interface Feed {
  readonly kind: "feed";
  readonly name: string;
  readonly inputs: readonly [Input<any>, ...Input<any>[]]; // what flows is known where it is declared
  readonly stage: () => Stage<any, any>; // as above
  readonly into: AnyCommand & Named;
  readonly input: (record: any) => unknown; // as above
  readonly key: (record: any) => string; // as above
  readonly keepEvery?: number;
  readonly ahead?: Duration;
}

/**
 * Declares a feed. Each record that its stage gives out calls `into` with a key of its own, so that what is given out
 * again after a crash takes effect once. A call that fails is made again, and the feed waits for it: it may slow down,
 * and it skips nothing.
 */
export function feed<T, O, Op extends AnyCommand & Named>(
  name: string,
  parts: {
    readonly inputs: readonly [Input<T>, ...Input<T>[]];
    /** Made anew at each start, and filled from what was kept. */
    readonly stage: () => Stage<T, O>;
    readonly into: Op;
    readonly input: (record: NoInfer<O>) => In<Op["input"]>;
    /** Tells one record from all others that this feed gives out: the window and its revision, say. */
    readonly key: (record: NoInfer<O>) => string;
    /** After how many batches the state is kept: 100 unless told. */
    readonly keepEvery?: number;
    /** How far an input may be ahead of the slowest in event time. */
    readonly ahead?: Duration;
  },
): Feed {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw new TypeError(`A feed's name is in kebab-case, like "hourly-delays"; "${name}" is not.`);
  const names = parts.inputs.map((input) => input.name);
  const twice = names.find((one, at) => names.indexOf(one) < at);
  if (twice !== undefined)
    throw new TypeError(`The feed "${name}" has two inputs called "${twice}"; give one another name.`);
  return Object.freeze({ kind: "feed", name, ...parts });
}
