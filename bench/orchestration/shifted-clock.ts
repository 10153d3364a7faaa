import { type Clock, systemClock } from "trilith/contracts";

/** The machine's time, so many ms later: what sleeps for a day is due the moment it is looked at. */
export const shiftedClock = (ms: number): Clock => ({ ...systemClock, now: () => systemClock.now() + ms });
export const dayMs = 86_400_000;
