const everyMs = 250;
/** Read at once: the parent may be gone before anybody asks. */
const parent = process.ppid;

/**
 * Calls `end` once: on Ctrl-C, on SIGTERM, and when the parent is gone, for npm passes a SIGTERM on to its shell and the
 * shell to nobody. Whoever presses Ctrl-C a second time does not want to wait.
 */
export function onEnding(end: () => void): void {
  let ending = false;
  const once = (): void => {
    if (ending) return;
    ending = true;
    clearInterval(watch);
    end();
  };
  const watch = setInterval(() => process.ppid !== parent && once(), everyMs);
  watch.unref();
  process.on("SIGTERM", once);
  process.on("SIGINT", () => {
    if (ending) process.exit(130);
    once();
  });
}
