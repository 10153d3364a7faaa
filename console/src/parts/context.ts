import { type Context, createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Choice } from "../feed/choice.ts";
import type { Live } from "../feed/live.ts";
import type { Summary } from "../model/summary.ts";
import type { Trace } from "../model/trace.ts";
import type { RunsDesk } from "../runs/desk.ts";

/** What every part of the page may read. */
export interface ConsoleModel {
  readonly live: Live;
  readonly choice: Choice;
  readonly runs: RunsDesk;
  readonly summaryOf: (trace: Trace) => Summary;
}

export const Console: Context<ConsoleModel | undefined> = createContext<ConsoleModel | undefined>(undefined);

export function useConsole(): ConsoleModel {
  const model = useContext(Console);
  if (!model) throw new Error("This part was drawn outside of <Console.Provider>; main.tsx provides it.");
  return model;
}
