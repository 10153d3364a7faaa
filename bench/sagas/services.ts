import { randomUUID } from "node:crypto";

/** What a trip needs from others, over HTTP. Each call carries a key, so that a repetition can be told from a second wish. */
export interface Trip {
  readonly flight: string;
  readonly booking: string;
  readonly card: string;
  readonly lastKnownFare: number;
}

/** The other side says no, and another attempt would not help. */
export class Declined extends Error {
  override readonly name = "Declined";
}

export const hold = (trip: Trip, key: string): Promise<void> => post("bookings/hold", trip, key);
export const release = (trip: Trip, key: string): Promise<void> => post("bookings/release", trip, key);
export const quote = (trip: Trip, aborted?: AbortSignal): Promise<number> =>
  post("fares/quote", trip, randomUUID(), aborted);
export const charge = (of: { payment: string; card: string; amount: number }, key: string): Promise<void> =>
  post("payments/charge", of, key);
export const refund = (of: { payment: string }, key: string): Promise<void> => post("payments/refund", of, key);
export const ticket = (trip: Trip, key: string): Promise<string> => post("bookings/ticket", trip, key);

async function post<T>(path: string, body: object, key: string, aborted?: AbortSignal): Promise<T> {
  const response = await fetch(`${process.env.SERVICES}/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify(body),
    ...(aborted && { signal: aborted }),
  });
  if (response.status >= 400 && response.status < 500) throw new Declined(`${path}: ${await response.text()}`);
  if (!response.ok) throw new Error(`${path} answered ${response.status}.`);
  return (await response.json()) as T; // the services answer with what they promise
}
