import * as restate from "@restatedev/restate-sdk";
import { charge, Declined, hold, quote, refund, release, type Trip, ticket } from "../services.ts";

const persistently = { maxRetryAttempts: 5, initialRetryInterval: { milliseconds: 100 }, retryIntervalFactor: 2 };

/** A refusal is final here: anything else is tried again, without an end unless told otherwise. */
const final = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    throw error instanceof Declined ? new restate.TerminalError(error.message, { errorCode: 409 }) : error;
  }
};

export const trips = restate.workflow({
  name: "trips",
  handlers: {
    async run(context: restate.WorkflowContext, trip: Trip): Promise<string> {
      const payment = context.rand.uuidv4();
      const undo: (() => Promise<void>)[] = [];
      try {
        undo.push(() => context.run("release", () => release(trip, `${context.key}-release`)));
        await context.run("hold", () => final(() => hold(trip, `${context.key}-hold`)), persistently);

        const amount = await context
          .run("quote", () => quote(trip, AbortSignal.timeout(2_000)), { maxRetryAttempts: 1 })
          .catch((error: unknown) => {
            if (error instanceof restate.CancelledError) throw error;
            return trip.lastKnownFare;
          });

        undo.push(() => context.run("refund", () => refund({ payment }, `${context.key}-refund`)));
        const charging = () => final(() => charge({ payment, card: trip.card, amount }, `${context.key}-charge`));
        await context.run("charge", charging, persistently);

        if (amount > 2_000) {
          await context
            .promise<{ by: string }>("approved")
            .get()
            .orTimeout({ days: 2 })
            .catch((error: unknown) => {
              if (!(error instanceof restate.TimeoutError)) throw error;
              throw new restate.TerminalError("Nobody approved the fare in time.", { errorCode: 403 });
            });
        }
        return await context.run("ticket", () => ticket(trip, `${context.key}-ticket`), persistently);
      } catch (error) {
        // Only what is final undoes: everything else suspends the invocation, and it comes back here.
        if (error instanceof restate.TerminalError) for (const step of undo.reverse()) await step();
        throw error;
      }
    },
    approve: (context: restate.WorkflowSharedContext, by: string): Promise<void> =>
      context.promise<{ by: string }>("approved").resolve({ by }),
  },
});
