import type { Clock } from "../contracts/index.ts";
import type { Slot, Timetable } from "../orchestration/host.ts";
import { type Engine, toIds } from "../storage/host.ts";
import { runLog } from "./run-collections.ts";

const rows = { name: "run schedule", columns: [], indexes: [] } as const;

/** A slot as it is kept, with the event that was written beside it. */
interface KeptSlot extends Slot {
  readonly event?: string;
}

/**
 * Orchestration's timetable on storage's engine: a row a schedule, guarded by the last event of its stream in the log
 * `runs`. Its revision alone would not do: after a fail-over to a replica that lagged, another event may have that.
 */
export async function openTimetable(engine: Engine, clock: Clock): Promise<Timetable> {
  const newId = toIds(clock);
  await engine.define(rows);
  return {
    async find(schedule) {
      const [row] = await engine.find(rows.name, { key: schedule, limit: 1 });
      return row && (row.data as KeptSlot); // only this file writes the collection
    },
    async put(schedule, plan, was) {
      const stream = `schedule/${schedule}`;
      const id = newId();
      // A plan may have been made of a slot, with the event of that.
      const slot: KeptSlot = { ...plan, turn: (was?.turn ?? -1) + 1, event: `${id}/0` };
      const seen: KeptSlot | undefined = was;
      const expected = seen
        ? { stream, revision: seen.turn, event: seen.event }
        : { stream, revision: "none" as const };
      const { event: _, ...told } = slot;
      const [outcome] = await engine.append(runLog, [
        {
          id,
          expect: [expected],
          events: [{ stream, type: "Scheduled", version: 1, data: JSON.stringify(told) }],
          documents: [{ collection: rows.name, put: schedule, data: { ...slot } }],
        },
      ]);
      if (outcome?.ok) return true;
      if (outcome?.why === "conflict") return false;
      throw new Error(`What the schedule "${schedule}" is to do was not written: ${outcome?.why}.`);
    },
  };
}
