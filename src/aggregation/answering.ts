import { type Call, type Clock, Failed, Fault, type Reply, type Span } from "../contracts/index.ts";
import type { Readings } from "./assemble.ts";
import type { Asker } from "./gathering.ts";
import { Patience } from "./reading/patience.ts";
import type { AnyReader } from "./reading/reader.ts";
import type { AnyView } from "./view.ts";

/** Answers a view's operation, with its meta. */
export type Answer = (input: any, call: Call) => Promise<Reply>; // the input's type is the operation's, which the caller has checked
export interface ViewParts {
  readonly view: AnyView;
  readonly readers: ReadonlyMap<string, AnyReader>;
  readonly clock: Clock;
}

export function toAsker({ view, readers, clock }: ViewParts, call: Call, span: Span): Asker {
  const deadline = Math.min(clock.monotonic() + view.budgetMs, call.deadline ?? Number.POSITIVE_INFINITY);
  const patience = new Patience(clock, deadline, () => call.aborted);
  const access = view.operation.access ?? "";
  return { readers, clock, principal: call.principal, access, span, patience, noted: new Map() };
}

export const nobodyWaits = (view: string): Fault =>
  new Fault("DeadlineExceeded", `Nobody waits for ${view} any more.`, { outcome: "not done" });

/** Throws where a required source has nothing. */
export function refuseWithout(view: AnyView, readings: Readings): void {
  for (const name of view.require) {
    const { state, problem } = readings.get(name)?.meta ?? { state: "down" };
    if (state === "fresh" || state === "stale") continue;
    const declared = view.operation.failures.NotFound;
    if (state === "missing" && declared && !declared.details) throw new Failed(view.id, "NotFound", declared);
    const message = `${view.id} cannot be answered without its source "${name}", which is ${state}. ${problem ?? ""}`;
    throw new Fault("Unavailable", message.trim(), { outcome: "not done" });
  }
}
