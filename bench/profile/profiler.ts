import { Session } from "node:inspector/promises";
import type { CpuProfile } from "./call-tree.ts";

/** What each thread of a process did, by its name. */
export type Profiles = ReadonlyMap<string, CpuProfile>;

const intervalUs = 500;

/** Begins to sample this thread and every worker thread that there is; what it gives ends that. */
export async function startProfiling(): Promise<() => Promise<Profiles>> {
  const session = new Session();
  session.connect();
  const workers = new Map<string, string>();
  const answers = new Map<string, (result: any) => void>(); // whatever the method gives
  session.on("NodeWorker.attachedToWorker", ({ params: { sessionId, workerInfo } }) =>
    workers.set(sessionId, workerInfo.title),
  );
  session.on("NodeWorker.receivedMessageFromWorker", ({ params: { sessionId, message } }) => {
    const { id, result } = JSON.parse(message) as { readonly id?: number; readonly result?: unknown };
    answers.get(`${sessionId} ${id}`)?.(result);
  });
  let next = 0;
  const ask = (sessionId: string, method: string, params: object = {}): Promise<any> =>
    new Promise((resolve, reject) => {
      const id = ++next;
      answers.set(`${sessionId} ${id}`, resolve);
      const message = JSON.stringify({ id, method, params });
      session.post("NodeWorker.sendMessageToWorker", { sessionId, message }).catch(reject);
    }); // whatever the method gives

  await session.post("NodeWorker.enable", { waitForDebuggerOnStart: false });
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: intervalUs });
  for (const worker of workers.keys()) {
    await ask(worker, "Profiler.enable");
    await ask(worker, "Profiler.setSamplingInterval", { interval: intervalUs });
    await ask(worker, "Profiler.start");
  }
  const sampled = [...workers];
  await session.post("Profiler.start");
  return async () => {
    const { profile } = await session.post("Profiler.stop");
    const profiles = new Map<string, CpuProfile>([["main", profile as CpuProfile]]); // the parts that are read are always there
    for (const [worker, title] of sampled) {
      const { profile } = await ask(worker, "Profiler.stop");
      profiles.set(title.replaceAll(/[^\w ]/g, ""), profile);
    }
    session.disconnect();
    return profiles;
  };
}
