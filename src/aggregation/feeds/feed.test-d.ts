// What a feed infers, and what must not compile: one mistake a line.
import { z } from "zod";
import { command, contract } from "../../contracts/index.ts";
import { feed, type Input, tumbling, windowed } from "../index.ts";

interface Reading {
  readonly at: number;
  readonly place: string;
}
const Hours = contract("hours", "1.0.0", {
  record: command({ input: z.object({ place: z.string(), count: z.int() }) }),
  miss: command({ input: z.object({ place: z.string() }) }),
});
declare const input: Input<Reading>;
const stage = () =>
  windowed({
    windows: tumbling("1h"),
    key: ({ place }: Reading) => place,
    aggregate: { initial: () => 0, add: (count: number) => count + 1, result: (count) => count },
  });
const parts = {
  inputs: [input],
  stage,
  into: Hours.record,
  key: ({ start }: { start: number }) => `${start}`,
} as const;
const late = { into: Hours.miss, key: ({ at }: { at: number }) => `${at}` } as const;

feed("a", {
  ...parts,
  input: ({ key, value }) => ({ place: key, count: value }),
  late: { ...late, input: ({ record }) => ({ place: record.place }) },
  keepWithin: "20ms",
});
feed("a", { ...parts, input: ({ key, value }) => ({ place: key, count: value }) });
// @ts-expect-error the command wants a count
feed("a", { ...parts, input: ({ key }) => ({ place: key }) });
const whole = ({ key, value }: { key: string; value: number }) => ({ place: key, count: value });
// @ts-expect-error what came too late is a record, and not a window
feed("a", { ...parts, input: whole, late: { ...late, input: ({ record }) => ({ place: record.key }) } });
// @ts-expect-error the other command wants a place
feed("a", { ...parts, input: whole, late: { ...late, input: () => ({}) } });
declare const other: Input<{ readonly at: number }>;
// @ts-expect-error an input that brings something else than the stage takes
feed("a", { ...parts, inputs: [other], input: whole });
