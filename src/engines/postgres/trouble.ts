import { DatabaseError } from "pg";
import { Refused } from "../../storage/refused.ts";
import { refusedState, staleState } from "./sql/pinned.ts";

/** What an error is to the one who asked. */
export type Trouble =
  /** What was asked for cannot be had, whoever asks again. */
  | "refused"
  /** It met somebody else; at once it may go well. Nothing was done. */
  | "met"
  /** The server is not there, or not the one that writes. What was under way may have been done. */
  | "away"
  /** The server cannot, and a person has to do something. Nothing was done. */
  | "failed";

/** No connection was had, so nothing was asked. */
export class NotConnected extends Error {
  override readonly name = "NotConnected";
}

/** By SQLSTATE (postgresql.org/docs/current/errcodes-appendix.html), the longer prefix first. */
const troubles: readonly (readonly [state: string, trouble: Trouble])[] = [
  [refusedState, "refused"],
  ["23505", "met"], // two nodes made one row; which of them lost sees the other's now
  ["40", "met"],
  ["55P03", "met"],
  ["57014", "away"], // a statement that took too long was ended; it may have waited for somebody who hangs
  ["57", "away"],
  ["08", "away"],
  ["53300", "away"],
  ["25006", "away"], // read-only: a replica, or a server that is about to become one
  ["25P0", "away"],
  ["22", "refused"],
  ["23", "refused"],
  ["54", "refused"],
];

export function troubleOf(error: unknown): Trouble {
  if (error instanceof Refused) return "refused";
  if (error instanceof DatabaseError) return troubles.find(([state]) => error.code?.startsWith(state))?.[1] ?? "failed";
  return error instanceof TypeError || error instanceof RangeError ? "failed" : "away";
}

/** Whether it was not done because what it rests on is not so any more: an error as it is told to callers. */
export const isStale = ({ cause }: Error): boolean => cause instanceof DatabaseError && cause.code === staleState;

/** Whether a table is not there under the number by which it is known: others have dropped it, or made it anew. */
export function isGone(error: unknown): boolean {
  const cause = error instanceof Error && !(error instanceof DatabaseError) ? error.cause : error;
  return cause instanceof DatabaseError && cause.code === "42P01";
}

/** What a person can do about it, by SQLSTATE. */
const advice: { readonly [state: string]: string } = {
  "22": "A value does not fit.",
  "25006": "It is read-only: a replica, or a primary that was demoted.",
  "28": "It does not let this user in. Check the user and the password in the connection URL.",
  "3D": "It has no such database. Make it, or name another in the connection URL.",
  "42501": "This role may not do that. It must own the schema, or be allowed to create it in the database.",
  "42P01": "A table is not there. If somebody has dropped it by hand, restart the backend, which makes it anew.",
  "53100": "Its disk is full. Make room.",
  "53200": "It is out of memory.",
  "53300": "It has no connection left. Raise max_connections, or ask for fewer.",
  "54": "A name, a key or an indexed value is too long for PostgreSQL, which indexes up to 2,700 bytes of it.",
  "57P03": "It is starting up, or shutting down.",
};

/** What happened, for a person, from whatever the driver threw. */
export function sentenceOf(error: unknown): string {
  if (error instanceof Refused) return error.message;
  if (error instanceof NotConnected) return sentenceOf(error.cause);
  const told = error instanceof Error ? error.message || codeOf(error) : String(error);
  if (!(error instanceof DatabaseError)) return `The server cannot be reached. (${told})`;
  if (error.code === refusedState) return told;
  const known = Object.keys(advice)
    .filter((state) => error.code?.startsWith(state))
    .sort((a, b) => b.length - a.length)[0];
  return `${known === undefined ? "PostgreSQL failed." : advice[known]} (PostgreSQL ${error.code}: ${told})`;
}

// A host that has several addresses, none of which answers, gives an AggregateError without a message.
const codeOf = (error: Error): string => (error as NodeJS.ErrnoException).code ?? error.name;
