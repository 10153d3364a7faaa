/** What must not compile (one mistake a line), and what is inferred, to the letter. `tsc` checks this file; nothing runs it. */
import { z } from "zod";
import { contract, event } from "../contracts/index.ts";
import { entity } from "../storage/index.ts";
import { given, leadDown, leadUp, type Told } from "./index.ts";

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
