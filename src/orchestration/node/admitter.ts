import type { Clock } from "../../contracts/index.ts";
import type { Line } from "../journal/line.ts";
import { type Flow, unlimited } from "../language/flow.ts";
import type { Workflow } from "../language/workflow.ts";
import { toPlan } from "./admission.ts";
import { Alarm } from "./alarm.ts";

export interface AdmitterPorts {
  readonly line: Line;
  readonly clock: Clock;
  /** Whether this node may let runs in at present. */
  readonly mayAdmit: () => boolean;
  /** Whether no other node lets runs in. */
  readonly alone: boolean;
  /** Runs were let in: they are due. */
  readonly admitted: () => void;
  readonly failed: (error: unknown) => void;
}

const mostTurns = 64;
/** Where each run of a turn may wait for something else, turns cannot be passed over, so more of them are looked at. */
const mostMixedTurns = 512;
const mostAdmitted = 64;
/** How often a line is looked at that other nodes look after as well, and may have died over. */
const pollMs = 1_000;
/** How long to wait where looks in succession let nobody in although there seems to be more to do. */
const backOffMs = 100;

/** Lets the runs in that wait in line for the operations of this node's workflows. */
export class Admitters {
  readonly #alarms: ReadonlyMap<string, Alarm>;
  constructor(workflows: readonly Workflow[], ports: AdmitterPorts) {
    // One whose limits were taken back may still have runs in line.
    this.#alarms = new Map(
      workflows.map((workflow) => {
        const look = () => admit(workflow.id, workflow.flow, ports);
        return [workflow.id, new Alarm(ports.clock, look, ports.failed)];
      }),
    );
  }

  /** Something has changed in the line for an operation. */
  nudge(operation: string): void {
    void this.#alarms.get(operation)?.now();
  }

  start(): void {
    for (const operation of this.#alarms.keys()) this.nudge(operation);
  }

  async stop(): Promise<void> {
    for (const alarm of this.#alarms.values()) await alarm.stop();
  }
}

async function admit(operation: string, flow: Flow | undefined, ports: AdmitterPorts): Promise<number | undefined> {
  const { line, clock, mayAdmit, alone, admitted } = ports;
  const poll = alone || !flow ? undefined : clock.now() + pollMs;
  for (let inVain = 0; mayAdmit(); ) {
    const seen = await line.look(operation, flow?.uniform === false ? mostMixedTurns : mostTurns);
    const { admission, again } = toPlan(seen, flow ?? unlimited, mostAdmitted);
    const done = !admission || (await line.admit(operation, seen, admission));
    const letIn = admission !== undefined && done && admission.admitted.length > 0;
    if (letIn) admitted();
    inVain = letIn ? 0 : inVain + 1;
    const more = !done || again === "now";
    if (more && inVain < 2) continue;
    const at = more ? clock.now() + backOffMs : again === undefined ? undefined : clock.now() + (again - seen.now);
    return at === undefined || poll === undefined ? (at ?? poll) : Math.min(at, poll);
  }
  return poll;
}
