import { type Duration, toMs } from "../../contracts/index.ts";
import type { Ticket } from "../journal/line.ts";

/** How many runs of a workflow may be under way, how fast they may begin, and who comes first. All limits hold over all nodes. */
export interface FlowOptions<Input> {
  /** The most runs that have been let in and have not ended, in all or for each key. A run that sleeps or is paused counts. */
  readonly concurrency?: number | { readonly limit: number; readonly key?: (input: Input) => string };
  /** The most runs that are let in in a time, in all or for each key, evenly spread; `burst` may come at once (by default 1). */
  readonly rate?: {
    readonly limit: number;
    readonly per: Duration;
    readonly burst?: number;
    readonly key?: (input: Input) => string;
  };
  /** A whole number from -1,000 to 1,000; runs of a higher one are let in first. By default 0. */
  readonly priority?: number | ((input: Input) => number);
  /** Keys take turns, however many runs each has waiting; by default the keys of `concurrency` and `rate`. */
  readonly fairness?: (input: Input) => string;
}

/** A workflow's limits, as they are kept with it. */
export interface Flow {
  readonly concurrency: { readonly limit: number; readonly key?: (input: any) => string } | undefined; // checked where it is declared
  readonly rate:
    | { readonly everyMs: number; readonly burst: number; readonly key?: (input: any) => string } // checked where it is declared
    | undefined;
  readonly priority: (input: any) => number; // checked where it is declared
  readonly fairness: ((input: any) => string) | undefined; // checked where it is declared
  /** Whether all runs of a turn wait for the same lane and the same meter: then the turn waits as a whole. */
  readonly uniform: boolean;
}

/** Undefined where nothing is limited. Throws a sentence for limits that make no sense. */
export function toFlow<Input>(operation: string, options: FlowOptions<Input>): Flow | undefined {
  const { priority = 0, fairness } = options;
  const concurrency = typeof options.concurrency === "number" ? { limit: options.concurrency } : options.concurrency;
  if (!concurrency && !options.rate) {
    if (options.priority === undefined && !fairness) return undefined;
    throw new TypeError(
      `The workflow of ${operation} has a priority or a fairness and no limit, so nobody ever waits. Give it a concurrency or a rate.`,
    );
  }
  if (concurrency) checkCount(operation, "concurrency", concurrency.limit);
  const flow: Flow = {
    concurrency: concurrency && Object.freeze({ ...concurrency }),
    rate: options.rate && toRate(operation, options.rate),
    priority: typeof priority === "number" ? () => priority : priority,
    fairness,
    uniform: !fairness || (!concurrency?.key && !options.rate?.key),
  };
  if (typeof priority === "number") checkPriority(operation, priority);
  return Object.freeze(flow);
}

/** What a run with this input stands in line with. Throws where a key or a priority cannot be told. */
export function toTicket(operation: string, flow: Flow, input: unknown): Ticket {
  const { concurrency, rate, fairness } = flow;
  const keyOf = (what: string, key: ((input: unknown) => string) | undefined): string => {
    const found: unknown = key ? key(input) : "";
    if (typeof found === "string" && Buffer.byteLength(found) <= 500) return found;
    throw new TypeError(
      `The ${what} key of ${operation} is ${String(found).slice(0, 40)}; keys are texts of at most 500 bytes.`,
    );
  };
  const lane = concurrency && keyOf("concurrency", concurrency.key);
  const meter = rate && keyOf("rate", rate.key);
  const turn = fairness ? keyOf("fairness", fairness) : JSON.stringify([lane ?? "", meter ?? ""]);
  const priority = flow.priority(input);
  checkPriority(operation, priority);
  return { operation, turn, priority, ...(lane !== undefined && { lane }), ...(meter !== undefined && { meter }) };
}

function toRate<Input>(operation: string, rate: NonNullable<FlowOptions<Input>["rate"]>): NonNullable<Flow["rate"]> {
  const { limit, per, burst = 1, key } = rate;
  checkCount(operation, "rate", limit);
  checkCount(operation, "burst", burst);
  return Object.freeze({ everyMs: toMs(per) / limit, burst, ...(key && { key }) });
}

function checkCount(operation: string, what: string, count: number): void {
  if (Number.isInteger(count) && count >= 1) return;
  throw new TypeError(`The workflow of ${operation} has a ${what} of ${count}; it must be a whole number from 1 on.`);
}

function checkPriority(operation: string, priority: number): void {
  if (Number.isInteger(priority) && Math.abs(priority) <= 1_000) return;
  throw new TypeError(`A priority of ${operation} is ${priority}; priorities are whole numbers from -1,000 to 1,000.`);
}

/** Of a workflow whose limits were taken back: whoever waits is let in. */
export const unlimited: Flow = Object.freeze({
  concurrency: undefined,
  rate: undefined,
  priority: () => 0,
  fairness: undefined,
  uniform: true,
});
