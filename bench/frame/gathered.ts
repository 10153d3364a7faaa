interface Waiting<T> {
  readonly item: T;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * The oldest trick there is, and the limit of all of them: what is asked for while a write is under way goes into the
 * next one. `atOnce` writes may be under way.
 */
export function gather<T>(
  write: (items: readonly T[]) => Promise<void> | void,
  atOnce = 1,
): (item: T) => Promise<void> {
  let waiting: Waiting<T>[] = [];
  let underWay = 0;
  const flush = async (): Promise<void> => {
    if (waiting.length === 0 || underWay === atOnce) return;
    const batch = waiting;
    waiting = [];
    underWay++;
    try {
      await write(batch.map(({ item }) => item));
      for (const { done } of batch) done();
    } catch (error) {
      for (const { failed } of batch) failed(error);
    }
    underWay--;
    if (waiting.length > 0) setImmediate(flush);
  };
  return (item) =>
    new Promise((done, failed) => {
      if (waiting.push({ item, done, failed }) === 1) setImmediate(flush);
    });
}
