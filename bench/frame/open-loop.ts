import { createHistogram } from "node:perf_hooks";
import { percentiles } from "./closed-loop.ts";
import { type Asked, type Measured, Wrong } from "./subject.ts";

/**
 * So many requests a second, whether or not those before are answered. A time is counted from the moment at which the
 * request was due, so that a system that falls behind cannot hide it. At most `clients` are under way.
 */
export async function openLoop(
  { clients, forMs, rate }: Asked & { readonly rate: number },
  once: (client: number) => Promise<number>,
): Promise<Measured> {
  const latencies = createHistogram();
  const free = Array.from({ length: clients }, (_, client) => clients - 1 - client);
  const all = Math.ceil((forMs / 1_000) * rate);
  const underWay = new Set<Promise<void>>();
  let operations = 0;
  let errors = 0;
  let firstError: string | undefined;
  let wrong: Wrong | undefined;
  const began = performance.now();
  const act = async (client: number, due: number): Promise<void> => {
    try {
      const done = await once(client);
      operations += done;
    } catch (error) {
      if (error instanceof Wrong) wrong = error;
      errors++;
      firstError ??= error instanceof Error ? error.message : String(error);
    }
    latencies.record(Math.max(1, Math.round((performance.now() - due) * 1e6)));
    free.push(client);
  };
  for (let sent = 0; sent < all && !wrong; ) {
    const due = began + (sent / rate) * 1_000;
    // Whoever came back last goes first, as in a pool of connections: there are as many as it takes, and no more.
    const client = due <= performance.now() ? free.pop() : undefined;
    if (client === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      continue;
    }
    sent++;
    const acting = act(client, due).finally(() => underWay.delete(acting));
    underWay.add(acting);
  }
  await Promise.all(underWay);
  if (wrong) throw wrong;
  const seconds = (performance.now() - began) / 1_000;
  return { operations, seconds, errors, ...(firstError !== undefined && { firstError }), ...percentiles(latencies) };
}
