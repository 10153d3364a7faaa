import { DBOS } from "@dbos-inc/dbos-sdk";
import { charge, Declined, hold, quote, refund, release, type Trip, ticket } from "../services.ts";

const persistently = { retriesAllowed: true, maxAttempts: 5, intervalSeconds: 0.1, backoffRate: 2 };
const untilItWorks = { ...persistently, maxAttempts: 20 };
const shouldRetry = (error: unknown): boolean => !(error instanceof Declined);

export const bookTrip = DBOS.registerWorkflow(
  async (trip: Trip): Promise<string> => {
    const id = DBOS.workflowID as string; // inside a workflow there is one
    const payment = await DBOS.randomUUID();
    const undo: (() => Promise<void>)[] = [];
    try {
      undo.push(() => DBOS.runStep(() => release(trip, `${id}-release`), { name: "release", ...untilItWorks }));
      await DBOS.runStep(() => hold(trip, `${id}-hold`), { name: "hold", shouldRetry, ...persistently });

      const amount = await DBOS.runStep(() => quote(trip, AbortSignal.timeout(2_000)), { name: "quote" }).catch(
        () => trip.lastKnownFare,
      );

      undo.push(() => DBOS.runStep(() => refund({ payment }, `${id}-refund`), { name: "refund", ...untilItWorks }));
      await DBOS.runStep(() => charge({ payment, card: trip.card, amount }, `${id}-charge`), {
        name: "charge",
        shouldRetry,
        ...persistently,
      });

      if (amount > 2_000) {
        const approved = await DBOS.recv<{ by: string }>("approved", 2 * 24 * 60 * 60);
        if (!approved) throw new Error("Nobody approved the fare in time.");
      }
      return await DBOS.runStep(() => ticket(trip, `${id}-ticket`), { name: "ticket", ...persistently });
    } catch (error) {
      for (const step of undo.reverse()) await step();
      throw error;
    }
  },
  { name: "bookTrip" },
);

/** For whoever approves. */
export const approve = (workflowId: string, by: string): Promise<void> => DBOS.send(workflowId, { by }, "approved");
