import type { AnyCommand, Duration, In, Named } from "../../contracts/index.ts";
import { isPersonal } from "../reading/samples.ts";
import type { Input } from "./input.ts";
import type { Late, Stage } from "./slice.ts";

/** A feed that a backend runs: from its inputs, through its stage, into a command. */
export interface Feed {
  readonly kind: "feed";
  readonly name: string;
  readonly inputs: readonly [Input<any>, ...Input<any>[]]; // what flows is known where it is declared
  readonly stage: () => Stage<any, any, any>; // as above
  readonly into: AnyCommand & Named;
  readonly input: (record: any) => unknown; // as above
  readonly key: (record: any) => string; // as above
  readonly late?: {
    readonly into: AnyCommand & Named;
    readonly input: (late: Late<any>) => unknown; // as above
    readonly key: (late: Late<any>) => string; // as above
  };
  readonly keepEvery?: number;
  readonly keepWithin?: Duration;
  readonly ahead?: Duration;
}

/**
 * Declares a feed. Each record that its stage gives out calls `into` with a key of its own. Key and input are written down
 * in one step with the positions that they come from, before the call; so after a crash the same is said again, and takes
 * effect once. A call that fails is made again, and the feed waits for it: it may slow down, and it skips nothing.
 */
export function feed<T, O, L, Op extends AnyCommand & Named, LateOp extends AnyCommand & Named = AnyCommand & Named>(
  name: string,
  parts: {
    /** Each tells the position of its batches, or null where nothing can be read a second time. */
    readonly inputs: readonly [Input<T>, ...Input<T>[]];
    /** Made anew at each start, and filled from what was kept. */
    readonly stage: () => Stage<NoInfer<T>, O, L>;
    readonly into: Op;
    readonly input: (record: NoInfer<O>) => In<Op["input"]>;
    /** Tells one record from all others that this feed gives out: the window and its revision, say. */
    readonly key: (record: NoInfer<O>) => string;
    /** Where records go that come too late, each with a key of its own. Without it they are counted, and no more. */
    readonly late?: {
      readonly into: LateOp;
      readonly input: (late: Late<NoInfer<L>>) => In<LateOp["input"]>;
      readonly key: (late: Late<NoInfer<L>>) => string;
    };
    /** After how many batches the state is kept: 100 unless told. */
    readonly keepEvery?: number;
    /** How long a result waits for others before they are kept together and handed over: 100 ms unless told. */
    readonly keepWithin?: Duration;
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
  for (const { id, input } of [parts.into, ...(parts.late ? [parts.late.into] : [])])
    if (isPersonal(input))
      throw new TypeError(
        `The feed "${name}" would keep on disk what it hands to ${id}, and that is personal. Leave those fields out, or call the command yourself.`,
      );
  return Object.freeze({ kind: "feed", name, ...parts });
}
