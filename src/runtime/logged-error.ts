import { type SerializedError, stdSerializers } from "pino";

/**
 * An error in a log line. Errors here often say what caused them, so that what is told of causes is only what was not said
 * before; the stack has them all.
 */
export function toLoggedError(error: Error): SerializedError {
  const logged = stdSerializers.err(error);
  if (error instanceof Error) logged.message = messageOf(error);
  return logged;
}

function messageOf(error: Error): string {
  let told = error.message;
  const seen = new Set<unknown>([error]);
  for (let { cause } = error; cause instanceof Error && !seen.has(cause); { cause } = cause) {
    seen.add(cause);
    if (!told.includes(cause.message)) told = `${told}: ${cause.message}`;
  }
  return told;
}
