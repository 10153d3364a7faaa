import { type Duration, Fault, toMs } from "../../contracts/index.ts";
import { never } from "../replay/exchange.ts";
import type { Execution } from "../replay/execution.ts";
import type { Scope } from "../replay/scope.ts";

/** Something to await, or a branch of its own. */
type Part = unknown | ((context: unknown) => unknown);
export type Parts = readonly Part[] | { readonly [name: string]: Part };
export type BranchOf = (item: unknown, context: unknown) => unknown;
type ToContext = (scope: Scope) => unknown;

/**
 * Parts of a run side by side, each branch in a scope of its own, so that keys and replay do not depend on which was
 * faster. When it is decided how they end, those that are still at work are aborted, and have settled before the code
 * goes on; what they did keeps its undo.
 */
export class Branches {
  readonly #execution: Execution;
  readonly #toContext: ToContext;

  constructor(execution: Execution, toContext: ToContext) {
    this.#execution = execution;
    this.#toContext = toContext;
  }

  /** All results; the first failure ends it. */
  all(given: Scope, parts: Parts, branch?: BranchOf): Promise<unknown> {
    return this.#sideBySide(given, "all", parts, branch, async (named) => {
      const values = await Promise.all(named.map(([, running]) => running));
      if (Array.isArray(parts)) return values;
      return Object.fromEntries(named.map(([name], at) => [name, values[at]]));
    });
  }

  /** The first that ends, well or not. */
  race(given: Scope, parts: Parts, branch?: BranchOf): Promise<unknown> {
    return this.#sideBySide(given, "race", parts, branch, (named) =>
      Promise.race(named.map(([name, running]) => won(parts, name, running))),
    );
  }

  /** The first that ends well. */
  any(given: Scope, parts: Parts, branch?: BranchOf): Promise<unknown> {
    return this.#sideBySide(given, "any", parts, branch, async (named) => {
      try {
        return await Promise.any(named.map(([name, running]) => won(parts, name, running)));
      } catch (error) {
        if (!(error instanceof AggregateError)) throw error;
        const why = error.errors.map((one: unknown) => (one instanceof Error ? one.message : String(one)));
        throw new AggregateError(error.errors, `None of ${named.length} parts succeeded: ${why.join(" ")}`);
      }
    });
  }

  /** One part, for so long. */
  within(given: Scope, time: Duration, part: Part): Promise<unknown> {
    const ms = toMs(time);
    const { effects } = this.#execution;
    return this.#sideBySide(given, "within", [part], undefined, ([first], group) => {
      const over = effects.sleep(group, ms, "within").then((): never => {
        throw new Fault("DeadlineExceeded", `A part of the workflow did not come to its end within ${time}.`);
      });
      return Promise.race([first?.[1], over]);
    });
  }

  async #sideBySide(
    given: Scope,
    how: string,
    parts: Parts,
    branch: BranchOf | undefined,
    end: (named: readonly (readonly [string, Promise<unknown>])[], group: Scope) => Promise<unknown>,
  ): Promise<unknown> {
    const { run, places } = this.#execution.parts;
    const here = places.scope(run, given);
    if (here.closed || !this.#execution.turn()) return never();
    const entries = Object.entries(parts);
    if (entries.length === 0 && how !== "all")
      throw new TypeError(`run.${how} of nothing would never end. Give it one part at least.`);
    const group = here.group();
    const label = branch || entries.some(([, part]) => typeof part === "function") ? here.label(how) : "";
    const named = entries.map(([name, part]) => [name, this.#begin(group, label, name, part, branch)] as const);
    let whole = false;
    try {
      const value = await places.in({ run, scope: group }, () => end(named, group));
      whole = how === "all";
      return value;
    } finally {
      if (!whole) await this.#execution.close(group);
      here.leave(group);
      if (here.closed) await never(); // whoever closed this part has gone on without it
    }
  }

  #begin(group: Scope, label: string, name: string, part: Part, branch: BranchOf | undefined): Promise<unknown> {
    const { run, places } = this.#execution.parts;
    if (!branch && typeof part !== "function") return places.in({ run, scope: group }, () => part);
    const scope = group.branch(label, name);
    const context = this.#toContext(scope);
    return places.in({ run, scope }, () =>
      branch ? branch(part, context) : (part as (context: unknown) => unknown)(context),
    );
  }
}

/** Of a record, which one it was is part of the answer. */
async function won(parts: Parts, name: string, running: Promise<unknown>): Promise<unknown> {
  const value = await running;
  return Array.isArray(parts) ? value : { winner: name, value };
}
