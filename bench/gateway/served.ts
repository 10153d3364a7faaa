import { join } from "node:path";
import { startLoad } from "../frame/load.ts";
import type { Subject } from "../frame/subject.ts";

/** A server in this process, asked by clients in another one. Each answer is checked where it arrives. */
export function served(
  origin: string,
  close: () => Promise<void>,
  requests: string = join(import.meta.dirname, "requests.ts"),
  parameter = "",
): Subject {
  const load = startLoad(origin, requests, parameter);
  return {
    round: (asked) => load.round(asked),
    verify: async () => {}, // nothing is kept
    async close() {
      load.close();
      await close();
    },
  };
}
