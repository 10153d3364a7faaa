import { type Call, type Dispatch, Fault, type Principal } from "../../contracts/index.ts";
import type { Asleep, Done } from "../replay/action.ts";

/** How long a step stays awake for a run that it has begun and that tells of its end. */
const awakeMs = 1_000;

/**
 * Calls an operation for a step. A command that takes its time is asked for again with its key, and is not late while
 * it is known to go on; where it tells of its end, nobody stays awake for it.
 */
export async function answered(
  dispatch: Dispatch,
  operation: string,
  input: unknown,
  {
    call,
    extend,
    mayWait,
  }: {
    readonly call: Omit<Call, "principal">;
    readonly extend: () => void;
    /** Whether the step takes as long as it takes, unless its deadline says otherwise. */
    readonly mayWait: boolean;
  },
  { principal, patienceMs }: { readonly principal: Principal; readonly patienceMs: number },
): Promise<Done | Asleep> {
  for (let first = true; ; first = false) {
    const patience = first ? Math.min(patienceMs, awakeMs) : patienceMs;
    const answer = await dispatch.call(operation, input, { ...call, principal, patienceMs: patience });
    if (!("accepted" in answer)) return { wire: answer.wire, value: answer.value };
    if (answer.tells && mayWait) return { asleep: true, run: answer.run };
    if (call.aborted.aborted) throw new Fault("DeadlineExceeded", `${operation} goes on as run ${answer.run}.`);
    extend();
  }
}
