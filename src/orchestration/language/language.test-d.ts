import { z } from "zod";
import { command, contract, event, failure, query, signal } from "../../contracts/index.ts";
import {
  type BenchOptions,
  crashEverywhere,
  type Fake,
  type FakeHandlers,
  fake,
  type WorkflowBench,
  workflowBench,
} from "../../testing/index.ts";
import { type Workflow, workflow } from "../index.ts";

// What the tests of the language share: a shop to call, a command to implement, and a story that is told with crashes.
const Key = z.object({ id: z.string() });
export const Shop = contract("shop", "1.0.0", {
  take: command({ input: Key, output: z.string(), failures: { Full: failure(409, "It is full.") } }),
  giveBack: command({ input: Key }),
  price: query({ input: Key, output: z.number() }),
  Taken: event(Key),
});
export const Jobs = contract("jobs", "1.0.0", {
  go: command({
    input: z.object({ n: z.int() }),
    output: z.unknown(),
    failures: { No: failure(409, "No.") },
    signals: { yes: signal(Key), no: signal(Key) },
    progress: z.object({ done: z.int() }),
  }),
  Gone: event(z.object({ n: z.int() })),
});
export const Parents = contract("parents", "1.0.0", {
  go: command({ input: z.object({ n: z.int() }), output: z.unknown() }),
});

type Body = Parameters<typeof workflow<typeof Jobs.go, [typeof Shop]>>[2];
export const jobOf = (body: Body, version = 1): Workflow => workflow(Jobs.go, { version, uses: [Shop] }, body);

/** What of a bench a crash must not change. */
export interface Told {
  readonly end: unknown;
  readonly calls: readonly string[];
  readonly events: readonly unknown[];
  readonly state: string | undefined;
}
const usual: FakeHandlers<typeof Shop> = {
  take: ({ id }) => `took ${id}`,
  giveBack: () => {},
  price: ({ id }) => id.length,
};
export const shop = (handlers: FakeHandlers<typeof Shop> = {}): Fake => fake(Shop, { ...usual, ...handlers });

export function benchOf(
  workflow: Workflow,
  options: BenchOptions = {},
  handlers: FakeHandlers<typeof Shop> = {},
): WorkflowBench {
  return workflowBench(workflow, [shop(handlers)], options);
}

/** Runs it and says what came of it; an error is told by its code or its sentence. */
export async function tell(bench: WorkflowBench): Promise<Told> {
  const end = await bench.run({ n: 1 }).catch(said);
  return toldBy(bench, end);
}
export const toldBy = (bench: WorkflowBench, end: unknown): Told => ({
  end,
  calls: bench.calls
    .filter(({ operation }) => operation !== "shop.price")
    .map(({ operation, input }) => `${operation} ${(input as { id: string }).id}`),
  events: bench.events.map(({ event, payload }) => ({ event, payload })),
  state: bench.row?.state,
});
export const said = (error: unknown): string => {
  const { code, message } = error as { readonly code?: string; readonly message: string };
  return code === undefined || code === "Internal" ? message : code;
};

/** Tells it with a crash at each commit, always suspending and not, and compares; gives back what is told. */
export async function everywhere(
  story: (options: BenchOptions) => Promise<{ readonly bench: WorkflowBench; readonly told: unknown }>,
  same: (told: unknown, undisturbed: unknown, where: string) => void,
): Promise<unknown> {
  const crashes = await crashEverywhere(story, same);
  if (crashes < 4) throw new Error(`There were ${crashes} crashes only.`);
  return (await story({})).told;
}
