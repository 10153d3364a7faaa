export type RunState =
  | ("queued" | "running" | "waiting" | "undoing" | "paused")
  | ("done" | "failed" | "cancelled" | "terminated");
export const runStates: readonly RunState[] = [
  ...(["queued", "running", "waiting", "undoing", "paused"] as const),
  ...(["done", "failed", "cancelled", "terminated"] as const),
];
export const runWords: Readonly<Record<RunState, string>> = {
  queued: "Queued",
  running: "Running",
  waiting: "Waiting",
  undoing: "Undoing",
  paused: "Paused",
  done: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
  terminated: "Terminated",
};

export interface RunSummary {
  readonly run: string;
  readonly operation: string;
  readonly workflow: string;
  readonly state: RunState;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly startedBy: string;
  readonly reason?: string;
  /** The failure that its contract foresees: an answer, and nothing that is broken. */
  readonly failure?: string;
  readonly tags?: { readonly [name: string]: string | number };
}

/** How it stands, in the words of the badge. */
export const standing = ({ state, failure }: RunSummary): string =>
  state === "failed" && failure !== undefined ? `Declined · ${failure}` : runWords[state];

/** By which the page colours it. */
export function tone({ state, failure }: RunSummary): string {
  if (state === "failed") return failure === undefined ? "failed" : "declined";
  if (state === "cancelled" || state === "undoing") return "undone";
  if (state === "terminated") return "interrupted";
  return state === "queued" ? "waiting" : state;
}

export const actions = ["pause", "resume", "cancel", "retry", "terminate"] as const;
export type Action = (typeof actions)[number];
const live: readonly RunState[] = ["queued", "running", "waiting", "undoing", "paused"];

/** Why an action makes no sense as the run stands; undefined where it does. */
export function whyNot(action: Action, { state }: RunSummary, undone: boolean): string | undefined {
  const isLive = live.includes(state);
  if (action === "resume") return state === "paused" ? undefined : "Only a paused run can be resumed.";
  if (action === "pause" && state === "paused") return "It is paused.";
  if (action === "retry") {
    if (isLive) return "It has not ended.";
    if (state === "done") return "It ended well.";
    return undone ? "What it did was undone." : undefined;
  }
  return isLive ? undefined : "It has ended.";
}

export const actionWords: Readonly<Record<Action, { readonly name: string; readonly asks?: string }>> = {
  pause: { name: "Pause" },
  resume: { name: "Resume" },
  cancel: { name: "Cancel", asks: "What the run has done is undone, and it ends. There is no way back." },
  retry: { name: "Retry" },
  terminate: {
    name: "Terminate",
    asks: "The run ends at once. Nothing is undone: what it holds stays held, what it paid stays paid.",
  },
};
