import { closedLoop } from "../frame/closed-loop.ts";
import { Ledger } from "../frame/ledger.ts";
import type { Notes, Subject } from "../frame/subject.ts";
import { checkOutput, checkRuns, toInput } from "./five-steps.ts";

export interface Orchestrator {
  /** Starts a run and waits for its result. */
  run(n: number): Promise<unknown>;
  /** Input and output of every run that is kept as done. */
  done(): Promise<ReadonlyMap<number, unknown>>;
  close(): Promise<void>;
  /** Begins to count what a run costs; what it gives says how much it was, over so many runs. */
  readonly count?: () => Promise<(runs: number) => Promise<Notes>>;
}

const counted = 50;

/** Clients that each start a run, wait for its result, and start the next. */
export function runs({ run, done, close, count }: Orchestrator): Subject {
  const ledger = new Ledger();
  const acknowledged = new Set<number>();
  const once = async (client: number): Promise<number> => {
    const n = toInput(client, ledger.next(client));
    checkOutput(await run(n), n);
    acknowledged.add(n);
    return 1;
  };
  let notes: Notes | undefined;
  return {
    async round(asked) {
      const measured = await closedLoop(asked, once);
      if (count && notes === undefined) {
        const stop = await count();
        for (let made = 0; made < counted; made++) await once(0);
        notes = await stop(counted);
      }
      return { ...measured, ...(notes && asked.clients === 1 && { notes }) };
    },
    verify: async () => checkRuns(acknowledged, await done()),
    close,
  };
}
