import { fstatSync } from "node:fs";

/**
 * Calls `stop` once: on SIGTERM or SIGINT, and when the parent process is gone, however it went. A parent killed with
 * SIGKILL can say nothing, but the kernel closes its end of our standard input, and we see the end of it.
 */
export function endWithParent(stop: () => void): void {
  let stopping = false;
  const once = () => {
    if (stopping) return;
    stopping = true;
    stop();
  };
  process.on("SIGTERM", once).on("SIGINT", once).on("disconnect", once);
  if (inputIsHeldByParent()) process.stdin.on("end", once).on("error", once).resume();
}

/** A pipe is. A terminal, a file or /dev/null is not: the latter two end at once, although nobody has gone. */
function inputIsHeldByParent(): boolean {
  const input = fstatSync(0);
  return input.isFIFO() || input.isSocket();
}
