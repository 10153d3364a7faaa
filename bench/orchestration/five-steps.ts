import { expectEqual, Wrong } from "../frame/subject.ts";

/** Five steps that each add a number, so that the result tells whether all of them ran, once and in order. */
export const steps: readonly number[] = [1, 2, 3, 4, 5];
export const add = (sum: number, step: number): number => sum * 2 + step;
export const expected = (n: number): number => steps.reduce(add, n);

/** Inputs that tell who asked. */
export const toInput = (client: number, number: number): number => client * 1e6 + number;

export function checkOutput(output: unknown, n: number): void {
  expectEqual(output, expected(n), `The result of the run with ${n}`);
}

/** Inputs and outputs of the runs that are there in the end; throws where an acknowledged one is missing or wrong. */
export function checkRuns(acknowledged: ReadonlySet<number>, there: ReadonlyMap<number, unknown>): void {
  for (const n of acknowledged) {
    if (!there.has(n)) throw new Wrong(`The run with ${n} was acknowledged as done, and is not there.`);
    checkOutput(there.get(n), n);
  }
}
