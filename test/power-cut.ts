import { mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** What a process asked of the system that matters when the power goes, in order. */
export type Act = Call & {
  readonly thread: string;
};
type Call =
  | { readonly kind: "write"; readonly path: string; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: "cut"; readonly path: string; readonly length: number }
  | { readonly kind: "remove"; readonly path: string }
  | { readonly kind: "sync"; readonly path: string }
  | { readonly kind: "say"; readonly text: string };

/** What strace has to be told for `toActs`. */
export const traceOptions: readonly string[] = [
  ...["-y", "-xx", "-s", "1000000"],
  ...["-e", "trace=pwrite64,ftruncate,unlink,fsync,fdatasync,write"],
];

/** Reads a trace. A write counts from when it was begun, a flush from when it was done; one that was injected was none. */
export function toActs(trace: string): readonly Act[] {
  const acts: Act[] = [];
  const begun = new Map<string, Call>();
  for (const line of trace.split("\n")) {
    const [, thread = "", rest = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const resumed = /^<\.\.\. (fsync|fdatasync) resumed>/.test(rest);
    const act = resumed ? begun.get(thread) : toAct(rest);
    if (!act) continue;
    if (act.kind === "sync" && rest.endsWith("<unfinished ...>")) begun.set(thread, act);
    else if (act.kind !== "sync" || /\) += 0$/.test(rest)) acts.push({ ...act, thread });
  }
  return acts;
}

function toAct(call: string): Call | undefined {
  const [, name, args = ""] = /^(\w+)\((.*)$/.exec(call) ?? [];
  const path = fromHex(/^\d+<([^>]*)>/.exec(args)?.[1] ?? "");
  const [, text = ""] = /"([^"]*)"/.exec(args) ?? [];
  const numbers = args.slice(args.lastIndexOf('"') + 1).match(/\d+/g) ?? [];
  if (name === "write" && args.startsWith("1<")) return { kind: "say", text: fromHex(text) };
  if (name === "pwrite64") return { kind: "write", path, at: Number(numbers[1]), bytes: toBytes(text) };
  if (name === "ftruncate") return { kind: "cut", path, length: Number(/, (\d+)/.exec(args)?.[1]) };
  if (name === "unlink") return { kind: "remove", path: fromHex(text) };
  if (name === "fsync" || name === "fdatasync") return { kind: "sync", path };
  return undefined;
}

const toBytes = (text: string): Buffer => Buffer.from(text.replaceAll("\\x", ""), "hex");
const fromHex = (text: string): string => (text.startsWith("\\x") ? toBytes(text).toString() : text);

type Change = Exclude<Call, { kind: "sync" | "say" }>;

/**
 * A folder as a disk may have it after the power has gone: of each file what was flushed, and of what was written since
 * what `kept` says; a file that was made or removed only once its folder was flushed. Memory-mapped files are left out.
 */
export function afterPowerCut(acts: readonly Act[], folder: string, kept: (change: Change) => boolean): string[] {
  const disk = new Map<string, Buffer>();
  const unflushed = new Map<string, Change[]>();
  const entries = new Set<string>();
  const present = new Set<string>();
  for (const act of acts) {
    if (act.kind === "say" || act.path.endsWith("-shm")) continue;
    if (act.kind === "sync") {
      for (const change of unflushed.get(act.path) ?? []) apply(disk, change);
      unflushed.delete(act.path);
      for (const path of new Set([...present, ...entries])) {
        if (dirname(path) !== act.path) continue;
        if (present.has(path)) entries.add(path);
        else entries.delete(path);
      }
    } else {
      if (act.kind === "remove") present.delete(act.path);
      else present.add(act.path);
      if (act.kind !== "remove") unflushed.set(act.path, [...(unflushed.get(act.path) ?? []), act]);
    }
  }
  for (const changes of unflushed.values()) for (const change of changes) if (kept(change)) apply(disk, change);
  mkdirSync(folder, { recursive: true });
  for (const path of entries) writeFileSync(join(folder, basename(path)), disk.get(path) ?? "");
  return [...entries];
}

function apply(disk: Map<string, Buffer>, change: Change): void {
  const before = disk.get(change.path) ?? Buffer.alloc(0);
  if (change.kind === "cut") {
    const after = Buffer.alloc(change.length);
    before.copy(after);
    disk.set(change.path, after);
  } else if (change.kind === "write") {
    const after = Buffer.alloc(Math.max(before.length, change.at + change.bytes.length));
    before.copy(after);
    change.bytes.copy(after, change.at);
    disk.set(change.path, after);
  }
}
