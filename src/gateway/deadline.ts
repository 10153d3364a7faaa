import { Fault, systemClock } from "../contracts/index.ts";

/** Waits for work until a deadline on the monotonic clock. The work goes on: whether it took effect is unknown by then. */
export async function withinDeadline<T>(deadline: number | undefined, what: string, work: Promise<T>): Promise<T> {
  if (deadline === undefined) return work;
  const late = Promise.withResolvers<never>();
  const cancel = systemClock.after(deadline - systemClock.monotonic(), () =>
    late.reject(new Fault("DeadlineExceeded", `${what} did not answer in its time.`)),
  );
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    cancel();
  }
}
