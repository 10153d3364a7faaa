/** A CPU profile as V8 writes it (`.cpuprofile`), as far as it is read here. Times are in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** A function, called from where it stands in the tree. Times are in milliseconds. */
export interface Call {
  readonly name: string;
  /** Relative to the checkout, with its line; empty for what is inside the engine. */
  readonly place: string;
  readonly selfMs: number;
  readonly totalMs: number;
  readonly calls: readonly Call[];
}

const waiting = new Set(["(idle)", "(root)"]);
/** What takes the samples is not what is looked at. */
const sampler = "node:inspector";

/** What was done when, as a tree of calls; time in which the thread had nothing to do is left out. */
export function toCallTree({ nodes, samples, timeDeltas }: CpuProfile, root: string): Call {
  const self = new Map<number, number>();
  for (const [index, id] of samples.entries()) self.set(id, (self.get(id) ?? 0) + (timeDeltas[index] ?? 0) / 1_000);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const toCall = (id: number): Call => {
    const { callFrame, children = [] } = byId.get(id) ?? { callFrame: { functionName: "", url: "", lineNumber: 0 } };
    const calls = merged(children.filter((child) => byId.get(child)?.callFrame.url !== sampler).map(toCall));
    const name = callFrame.functionName || "(anonymous)";
    const selfMs = waiting.has(name) ? 0 : (self.get(id) ?? 0);
    const totalMs = selfMs + calls.reduce((sum, call) => sum + call.totalMs, 0);
    return { name, place: toPlace(callFrame, root), selfMs, totalMs, calls };
  };
  return toCall(nodes[0]?.id ?? 0);
}

/** The functions in which most time went, without what they called. */
export function hottest(tree: Call, most: number): readonly Omit<Call, "calls">[] {
  const all = new Map<string, { name: string; place: string; selfMs: number; totalMs: number }>();
  const add = (call: Call): void => {
    const key = `${call.name} ${call.place}`;
    const known = all.get(key) ?? { name: call.name, place: call.place, selfMs: 0, totalMs: 0 };
    all.set(key, { ...known, selfMs: known.selfMs + call.selfMs, totalMs: known.totalMs + call.totalMs });
    for (const inner of call.calls) add(inner);
  };
  add(tree);
  return [...all.values()].sort((a, b) => b.selfMs - a.selfMs).slice(0, most);
}

/** The same function under one caller is one call, whatever line it was asked from. */
function merged(calls: readonly Call[]): readonly Call[] {
  const all = new Map<string, Call>();
  for (const call of calls) {
    const key = `${call.name} ${call.place}`;
    const known = all.get(key);
    all.set(
      key,
      known
        ? {
            ...known,
            selfMs: known.selfMs + call.selfMs,
            totalMs: known.totalMs + call.totalMs,
            calls: merged([...known.calls, ...call.calls]),
          }
        : call,
    );
  }
  return [...all.values()].filter(({ totalMs }) => totalMs > 0).sort((a, b) => b.totalMs - a.totalMs);
}

function toPlace({ url, lineNumber }: CpuProfile["nodes"][number]["callFrame"], root: string): string {
  if (url === "") return "";
  const path = url.replace(/^file:\/\//, "").replace(`${root}/`, "");
  return `${path.replace(/^.*node_modules\//, "node_modules/")}:${lineNumber + 1}`;
}
