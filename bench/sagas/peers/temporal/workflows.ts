import {
  ApplicationFailure,
  CancellationScope,
  condition,
  defineSignal,
  proxyActivities,
  setHandler,
  uuid4,
  workflowInfo,
} from "@temporalio/workflow";
import type { Trip } from "../../services.ts";
import type * as activities from "./activities.ts";

const { hold, charge, ticket } = proxyActivities<typeof activities>({
  startToCloseTimeout: "30s",
  retry: { initialInterval: "100ms", backoffCoefficient: 2, maximumAttempts: 5 },
});
const { quote } = proxyActivities<typeof activities>({ startToCloseTimeout: "2s", retry: { maximumAttempts: 1 } });
const { release, refund } = proxyActivities<typeof activities>({ startToCloseTimeout: "30s" }); // tried again without an end

export const approved = defineSignal<[{ by: string }]>("approved");

export async function bookTrip(trip: Trip): Promise<string> {
  const { workflowId } = workflowInfo();
  const payment = uuid4();
  let approval: { by: string } | undefined;
  setHandler(approved, (by) => {
    approval = by;
  });
  const undo: (() => Promise<void>)[] = [];
  try {
    undo.push(() => release(trip, `${workflowId}-release`));
    await hold(trip, `${workflowId}-hold`);

    const amount = await quote(trip).catch(() => trip.lastKnownFare);

    undo.push(() => refund({ payment }, `${workflowId}-refund`));
    await charge({ payment, card: trip.card, amount }, `${workflowId}-charge`);

    if (amount > 2_000 && !(await condition(() => approval !== undefined, "2 days"))) {
      throw ApplicationFailure.nonRetryable("Nobody approved the fare in time.", "NotApproved");
    }
    return await ticket(trip, `${workflowId}-ticket`);
  } catch (error) {
    await CancellationScope.nonCancellable(async () => {
      for (const step of undo.reverse()) await step();
    });
    throw error;
  }
}
