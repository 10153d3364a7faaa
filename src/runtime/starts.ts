import type { AnyEvent, Named } from "../contracts/index.ts";
import { type Occurrence, type StartPorts, signalFor, startFor } from "../orchestration/host.ts";
import type { StartOn } from "../orchestration/index.ts";
import { type Subscription, subscription } from "../storage/index.ts";

/** Orchestration's starts by event as subscriptions of storage. What is handed over before `ready` waits for it. */
export const toSubscriptions = (
  starts: readonly StartOn[],
  ready: Promise<void>,
  ports: StartPorts,
): readonly Subscription[] => starts.map((start) => toSubscription(start, ready, ports));

type Take = (event: unknown, occurrence: Occurrence) => Promise<void>;

/** One for the start and its signals: events of one stream keep their order, so a run is there before it is told. */
function toSubscription(start: StartOn, ready: Promise<void>, ports: StartPorts): Subscription {
  const takes = new Map<string, { readonly event: AnyEvent & Named; readonly all: Take[] }>();
  const take = (event: AnyEvent & Named, one: Take): void => {
    const known = takes.get(event.id);
    if (known) known.all.push(one);
    else takes.set(event.id, { event, all: [one] });
  };
  take(start.event, (event, occurrence) => startFor(start, event, occurrence, ports));
  for (const [name, signal] of Object.entries(start.signals))
    take(signal.event, (event, occurrence) => signalFor(start, name, signal, event, occurrence, ports));
  const handlers = [...takes].map(([id, { all }]) => [
    id,
    async (event: unknown, occurrence: Occurrence) => {
      await ready;
      for (const one of all) await one(event, occurrence);
    },
  ]);
  return subscription(start.name, {
    events: Object.fromEntries([...takes].map(([id, { event }]) => [id, event])),
    from: start.from,
    handle: Object.fromEntries(handlers),
  });
}
