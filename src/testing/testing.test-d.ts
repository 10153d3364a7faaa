/** What must not compile (one mistake a line), and what is inferred, to the letter. `tsc` checks this file; nothing runs it. */
import { z } from "zod";
import { command, contract, event, signal } from "../contracts/index.ts";
import { type Workflow, workflow } from "../orchestration/index.ts";
import { entity } from "../storage/index.ts";
import { crashEverywhere, given, leadDown, leadUp, type Told, type WorkflowBench, workflowBench } from "./index.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function is<T extends true>(): T;

const Doors = contract("doors", "1.0.0", {
  Opened: event(z.object({ at: z.iso.datetime().transform((text) => new Date(text)) })),
  Closed: event(z.object({ by: z.string() })),
});
const doors = entity("door", {
  events: Doors,
  state: z.object({ open: z.boolean() }),
  initial: { open: false },
  evolve: { Opened: () => ({ open: true }), Closed: () => ({ open: false }) },
});

is<
  Equal<
    Told<{ Opened: typeof Doors.Opened; Closed: typeof Doors.Closed }>,
    { readonly Opened: { at: string } } | { readonly Closed: { by: string } }
  >
>();

given(doors, { Opened: { at: "2026-01-01T00:00:00Z" } }, { Closed: { by: "Ada" } })
  .when((state, { Opened, Closed }) => {
    is<Equal<typeof state, { open: boolean }>>();
    return state.open ? Closed({ by: "Ada" }) : [Opened({ at: "2026-01-01T00:00:00Z" })];
  })
  .thenEmits({ Opened: { at: "2026-01-01T00:00:00Z" } });
given(doors).thenState({ open: false });

// @ts-expect-error an event that the contract does not have
given(doors, { Broken: {} });
// @ts-expect-error a payload of another event
given(doors, { Opened: { by: "Ada" } });
// @ts-expect-error a payload as it is read, where it is written
given(doors, { Opened: { at: new Date() } });
// @ts-expect-error a state that is none
given(doors).thenState({ open: "wide" });
// @ts-expect-error emitting a wrong payload
given(doors).when((_, { Closed }) => Closed({ by: 7 }));
// @ts-expect-error a decision that forgets to return its event
given(doors).when((_, { Closed }) => {
  Closed({ by: "Ada" });
});
const nothing = given(doors).when(() => []);
// @ts-expect-error expecting what the entity cannot emit
nothing.thenEmits({ Broken: {} });

is<Equal<Awaited<ReturnType<typeof leadUp<(typeof Doors.Opened)["schema"]>>>, { at: Date }>>();
leadUp(Doors.Opened, 1, {}).then(({ at }) => at.getTime());
leadDown(Doors.Opened, 1, { at: "2026-01-01T00:00:00Z" });
// @ts-expect-error what is written is a text
leadDown(Doors.Opened, 1, { at: new Date() });

// a bench knows what its workflow takes and gives
const Stays = contract("stays", "1.0.0", {
  book: command({
    input: z.object({ guest: z.string(), nights: z.int().default(1) }),
    output: z.object({ until: z.iso.datetime().transform((text) => new Date(text)) }),
    signals: { paid: signal(z.object({ cents: z.int() })), left: signal(z.object({ at: z.iso.datetime() })) },
    progress: z.object({ step: z.string() }),
  }),
  tidy: command({ input: z.object({ room: z.int() }) }),
});
const stay = workflow(Stays.book, { version: 1 }, async () => ({ until: "2026-01-01T00:00:00Z" }));
const tidying = workflow(Stays.tidy, { version: 1 }, async () => {});
const bench = workflowBench(stay, []);
is<Equal<typeof bench, WorkflowBench<typeof Stays.book>>>();
is<Equal<Awaited<ReturnType<typeof bench.run>>, { until: Date }>>();
is<Equal<Awaited<ReturnType<typeof bench.end>>, { until: Date }>>();
is<Equal<typeof bench.progress, { step: string } | undefined>>();
is<Equal<Parameters<typeof bench.signal>[0], "paid" | "left">>();
bench.begin({ guest: "Ada" });
bench.signal("paid", { cents: 7 });
const tidy = workflowBench(tidying, []);
is<Equal<Awaited<ReturnType<typeof tidy.run>>, void>>();
is<Equal<Parameters<typeof tidy.signal>[0], never>>();
crashEverywhere(
  async (options) => {
    const one = workflowBench(stay, [], options);
    return { bench: one, told: await one.run({ guest: "Ada" }) };
  },
  (told) => is<Equal<typeof told, { until: Date }>>(),
);
// benches of any workflow, and of one that is not known
const any: WorkflowBench = bench;
any.run({ whatever: true });
workflowBench(stay as Workflow, []).signal("whatever", 7);

// @ts-expect-error an input of another workflow
bench.begin({ room: 7 });
// @ts-expect-error a wrong input
bench.run({ guest: 7 });
// @ts-expect-error a fork with an input of another workflow
bench.fork({ input: { room: 7 } });
// @ts-expect-error a signal that the contract does not have
bench.signal("lost", { cents: 7 });
// @ts-expect-error the payload of another signal
bench.signal("left", { cents: 7 });
// @ts-expect-error a signal to a workflow that takes none
tidy.signal("paid", { cents: 7 });
