import type { Append, Write } from "../../storage/host.ts";
import type { AppendMessage, WriteMessage } from "./messages.ts";

/** An append as it travels to the writer: what it holds is fixed from here on, whatever the caller does with the original. */
export function toMessage({ id, expect, events, documents, receipt, readers }: Append): AppendMessage {
  for (const { type, data, meta } of events) {
    // Caught here, for a message that cannot be copied to the writer's thread takes its whole batch with it.
    if (typeof data !== "string" || (meta !== undefined && typeof meta !== "string"))
      throw new TypeError(`The event ${type} of the append ${id} is not JSON text.`);
  }
  // Nothing travels for what is not there: each field of each append is copied twice.
  return {
    id,
    expect,
    events,
    ...(documents && documents.length > 0 && { documents: toWriteMessages(documents) }),
    ...(receipt && { receipt }),
    ...(readers && readers.length > 0 && { readers }),
  };
}

export const toWriteMessages = (writes: readonly Write[]): readonly WriteMessage[] => writes.map(toWriteMessage);

function toWriteMessage(write: Write): WriteMessage {
  const { collection } = write;
  if ("put" in write) return { kind: "put", collection, key: write.put, data: JSON.stringify(write.data) };
  if ("patch" in write) return { kind: "patch", collection, key: write.patch, data: JSON.stringify(write.data) };
  if ("remove" in write) return { kind: "remove", collection, key: write.remove };
  const by = JSON.stringify(write.by);
  return { kind: "increment", collection, key: write.increment, by, initial: JSON.stringify(write.initial) };
}
