import type { Clock } from "../contracts/index.ts";
import type { Slot, Timetable } from "../orchestration/host.ts";
import { type Engine, toIds } from "../storage/host.ts";
import { runLog } from "./run-collections.ts";

const rows = { name: "run schedule", columns: [], indexes: [] } as const;

/** Orchestration's timetable on storage's engine: a row a schedule, guarded by the revision of its stream in the log `runs`. */
export async function openTimetable(engine: Engine, clock: Clock): Promise<Timetable> {
  const newId = toIds(clock);
  await engine.define(rows);
  return {
    async find(schedule) {
      const [row] = await engine.find(rows.name, { key: schedule, limit: 1 });
      return row && (row.data as Slot); // only this file writes the collection
    },
    async put(schedule, plan, was) {
      const stream = `schedule/${schedule}`;
      const slot = { ...plan, turn: (was?.turn ?? -1) + 1 } satisfies Slot;
      const [outcome] = await engine.append(runLog, [
        {
          id: newId(),
          expect: [{ stream, revision: was ? was.turn : "none" }],
          events: [{ stream, type: "Scheduled", version: 1, data: JSON.stringify(slot) }],
          documents: [{ collection: rows.name, put: schedule, data: { ...slot } }],
        },
      ]);
      if (outcome?.ok) return true;
      if (outcome?.why === "conflict") return false;
      throw new Error(`What the schedule "${schedule}" is to do was not written: ${outcome?.why}.`);
    },
  };
}
