import type { Call } from "../contracts/index.ts";
import { type StartPorts, startFor } from "../orchestration/host.ts";
import type { StartOn } from "../orchestration/index.ts";
import { type Subscription, subscription } from "../storage/index.ts";

/** Orchestration's starts by event as subscriptions of storage. What is handed over before `ready` waits for it. */
export const toSubscriptions = (
  starts: readonly StartOn[],
  ready: Promise<void>,
  ports: StartPorts,
): readonly Subscription[] =>
  starts.map((start) =>
    subscription(start.name, {
      events: { happened: start.event },
      from: start.from,
      handle: {
        async happened(event: unknown, { id, aborted }: { readonly id: string; readonly aborted: Call["aborted"] }) {
          await ready;
          await startFor(start, event, { id, aborted }, ports);
        },
      },
    }),
  );
