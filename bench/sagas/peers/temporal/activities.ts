import { ApplicationFailure } from "@temporalio/activity";
import * as services from "../../services.ts";
import { Declined, type Trip } from "../../services.ts";

// Activities run in the worker, beside the sandbox that workflows run in: the key comes from the workflow.
const final = async <T>(work: Promise<T>): Promise<T> => {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Declined) throw ApplicationFailure.nonRetryable(error.message, error.name);
    throw error;
  }
};

export const hold = (trip: Trip, key: string): Promise<void> => final(services.hold(trip, key));
export const release = (trip: Trip, key: string): Promise<void> => services.release(trip, key);
export const quote = (trip: Trip): Promise<number> => services.quote(trip);
export const charge = (of: { payment: string; card: string; amount: number }, key: string): Promise<void> =>
  final(services.charge(of, key));
export const refund = (of: { payment: string }, key: string): Promise<void> => services.refund(of, key);
export const ticket = (trip: Trip, key: string): Promise<string> => services.ticket(trip, key);
