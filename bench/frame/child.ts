// A process that is one system: `node child.ts <file> <work> <place as JSON>`, told by its parent what to do next.
import { pathToFileURL } from "node:url";
import { type Profiles, startProfiling } from "../profile/profiler.ts";
import { writeProfiles } from "../profile/write-profiles.ts";
import { watchConsumption } from "./consumption.ts";
import type { FromChild, ToChild } from "./messages.ts";
import { type Place, type Subject, type SystemFile, Wrong } from "./subject.ts";

const [file = "", work = "", place = ""] = process.argv.slice(2);
const say = (message: FromChild): void => {
  process.send?.(message);
};
const fail = (error: unknown): void => {
  say({
    failed: error instanceof Error ? (error.stack ?? error.message) : String(error),
    wrong: error instanceof Wrong,
  });
};
let subject: Subject | undefined;
let stopProfiling: (() => Promise<Profiles>) | undefined;

async function open(): Promise<void> {
  const system = (await import(pathToFileURL(file).href)) as SystemFile;
  const where = JSON.parse(place) as Place;
  const toOpen = system.works[work];
  if (!toOpen) throw new Error(`${file} does not do "${work}". It does: ${Object.keys(system.works).join(", ")}.`);
  subject = await toOpen(where);
  say({ opened: { version: await system.version(where) } });
}

async function obey(message: ToChild): Promise<void> {
  if (!subject) throw new Error("The system is not open.");
  if ("round" in message) {
    const stop = watchConsumption(subject.pids, subject.elsewhere);
    const measured = await subject.round(message.round);
    const consumption = stop();
    say({ measured: [measured].flat(), consumption });
  } else if ("profile" in message && message.profile === "begin") {
    stopProfiling = await startProfiling();
    say({ profiling: true });
  } else if ("profile" in message && message.profile !== "begin") {
    const profiles = (await stopProfiling?.()) ?? new Map();
    say({ profiled: await writeProfiles(profiles, message.profile.into) });
  } else if ("verify" in message) {
    await subject.verify();
    say({ verified: true });
  } else {
    await subject.close();
    process.exit(0); // also where a peer leaves a timer behind
  }
}

process.on("message", (message: ToChild) => void obey(message).catch(fail));
process.on("disconnect", () => process.exit(0)); // whoever measures is gone
process.on("uncaughtException", fail);
process.on("unhandledRejection", fail);
await open().catch(fail);
