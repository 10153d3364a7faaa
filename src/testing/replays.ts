import { type History, replay } from "../orchestration/host.ts";
import type { Workflow } from "../orchestration/index.ts";

export type { History };

/**
 * Checks that a workflow's present code does what a run's history says, without doing any of it: for histories that
 * are kept beside the tests, so that a change that would pause runs under way is found before it is deployed. Throws
 * with the first difference: the journal's line, and below it the code's.
 */
export const replays = (workflow: Workflow, history: History): Promise<void> => replay(workflow, history);
