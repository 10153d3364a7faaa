import type { Events } from "../orchestration/host.ts";
import type { Storage } from "../storage/host.ts";

/**
 * Orchestration's events in storage's log: a run writes into a stream of its own, `run-trips-book/<run>`, never into an
 * entity's, so it can say what has happened and decide for nobody.
 */
export function toRunEvents(storage: Pick<Storage, "emit">): Events {
  return {
    emit: (event, payload, { run, operation, key, trace }) =>
      storage.emit(event, payload, { category: `run-${toKebab(operation)}`, id: run, key, trace }),
  };
}

/** `seat-maps.giveBack` becomes `seat-maps-give-back`. */
const toKebab = (operation: string): string =>
  operation.replace(".", "-").replaceAll(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
