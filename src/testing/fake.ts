import type { Fail } from "../contracts/index.ts";
import {
  type AnyContract,
  type Call,
  Fault,
  type HandlerInput,
  type HandlerOutput,
  type Operation,
  type OperationNames,
  operationsOf,
  toFail,
} from "../contracts/index.ts";

/** What a fake operation is told beside its input. */
export interface FakeContext<Op extends Operation> {
  readonly fail: Fail<Op["failures"]>;
  readonly key: string;
  /** Which call of this operation it is, counted from 1; a repetition under the same key counts as well. */
  readonly nth: number;
}
/** One function an operation. To call one that was left out is a mistake of the test: the bench rejects with it. */
export type FakeHandlers<C extends AnyContract> = {
  readonly [K in OperationNames<C>]?: C[K] extends Operation
    ? (input: HandlerInput<C[K]>, context: FakeContext<C[K]>) => HandlerOutput<C[K]> | Promise<HandlerOutput<C[K]>>
    : never;
};
export interface FakeOptions {
  /** `"store"` keeps receipts, as Trilith's stores do: one key, one effect, and a key can be voided. `"outside"` only runs the handler. */
  readonly as?: "store" | "outside";
}
/** A call that reached a fake and took effect. */
export interface FakeCall {
  readonly operation: string;
  readonly input: unknown;
  readonly key: string;
}

/** A contract's provider for a test. */
export interface Fake {
  readonly contract: AnyContract;
  readonly calls: readonly FakeCall[];
  call(operation: string, input: unknown, call: Call): Promise<unknown>;
  void(
    operation: string,
    key: string,
  ): { readonly took: true; readonly wire: unknown } | { readonly took: false } | { readonly took: "unknown" };
}

/**
 * A contract played by functions. To lose an answer after the work was done, let the handler throw `lostAnswer(output)`.
 */
export function fake<C extends AnyContract>(
  contract: C,
  handlers: FakeHandlers<C>,
  { as = "store" }: FakeOptions = {},
): Fake {
  const operations = new Map(operationsOf(contract).map((operation) => [operation.id, operation]));
  const receipts = new Map<string, { readonly wire: unknown }>();
  const voided = new Set<string>();
  const counts = new Map<string, number>();
  const calls: FakeCall[] = [];
  return {
    contract,
    calls,
    async call(id, input, { key = "" }) {
      const nth = (counts.get(id) ?? 0) + 1;
      counts.set(id, nth);
      if (voided.has(key)) throw new Fault("Voided", `${id} was given up before it arrived.`);
      const known = receipts.get(key);
      if (known) return known.wire;
      const operation = operations.get(id) as Operation; // the bench asks for no other
      const name = id.slice(contract["~contract"].name.length + 1);
      const handler = (
        handlers as { readonly [name: string]: ((input: unknown, context: object) => unknown) | undefined }
      )[name]; // typed where it was given
      if (!handler)
        throw new NotPlayed(
          `The fake of "${contract["~contract"].name}" has no handler for ${id}, which was called. Give it one.`,
        );
      const took = (wire: unknown): unknown => {
        calls.push({ operation: id, input, key });
        if (as === "store" && operation.kind === "command") receipts.set(key, { wire });
        return wire;
      };
      try {
        return took(await handler(input, { fail: toFail(id, operation.failures), key, nth }));
      } catch (error) {
        if (!(error instanceof LostAnswer)) throw error;
        took(error.output);
        throw new Fault("Unavailable", `The answer of ${id} was lost.`);
      }
    },
    void(_id, key) {
      if (as === "outside") return { took: "unknown" };
      const known = receipts.get(key);
      if (known) return { took: true, wire: known.wire };
      voided.add(key);
      return { took: false };
    },
  };
}

/** A mistake of the test, and nothing that a run should get to know. */
export class NotPlayed extends TypeError {}

class LostAnswer extends Error {
  readonly output: unknown;
  constructor(output: unknown) {
    super("The answer was lost.");
    this.output = output;
  }
}
/** Thrown by a fake's handler: the work was done, and nobody hears of it. */
export const lostAnswer = (output?: unknown): Error => new LostAnswer(output);
