import type { Write } from "../../storage/host.ts";
import type { WriteMessage } from "./messages.ts";

export const toWriteMessages = (writes: readonly Write[]): readonly WriteMessage[] => writes.map(toWriteMessage);

function toWriteMessage(write: Write): WriteMessage {
  const { collection } = write;
  if ("put" in write) return { kind: "put", collection, key: write.put, data: JSON.stringify(write.data) };
  if ("patch" in write) return { kind: "patch", collection, key: write.patch, data: JSON.stringify(write.data) };
  if ("remove" in write) return { kind: "remove", collection, key: write.remove };
  const by = JSON.stringify(write.by);
  return { kind: "increment", collection, key: write.increment, by, initial: JSON.stringify(write.initial) };
}
