import { type Source, states, type Told } from "./sources.ts";

/** How many answers each source gave between one look and the next, the latest last. */
export type Pulses = ReadonlyMap<string, Pulse>;
interface Pulse {
  readonly total: number;
  readonly counts: readonly number[];
}

const remembered = 45;

export function beat(pulses: Pulses, { sources }: Told): Pulses {
  return new Map(
    sources.map((source) => {
      const total = answersOf(source);
      const { total: before = total, counts = new Array<number>(remembered).fill(0) } = pulses.get(source.source) ?? {};
      // Fewer than before: another process tells it, which begins at nothing.
      const more = total < before ? total : total - before;
      return [source.source, { total, counts: [...counts.slice(1), more] }];
    }),
  );
}

export const answersOf = ({ answers }: Source): number => states.reduce((sum, state) => sum + answers[state], 0);
