import { isIP } from "node:net";
import { type Duration, toMs } from "../contracts/index.ts";

/** What a setting's text may be: how it is read, and how one says that it cannot be. */
export interface Kind<T> {
  readonly name: string;
  /** Undefined for text that is not of this kind. */
  readonly read: (text: string) => T | undefined;
  /** Goes on after the quoted value: "is not a port; give a number from 0 to 65535." */
  readonly refusal: string;
}
const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

export const host: Kind<string> = {
  name: "host",
  read: (text) => (isIP(text) || /^[a-zA-Z\d]([a-zA-Z\d.-]*[a-zA-Z\d])?$/.test(text) ? text : undefined),
  refusal: 'is not a host; give an address or a name, like "127.0.0.1" or "0.0.0.0".',
};
export const port: Kind<number> = {
  name: "port",
  read: (text) => (/^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined),
  refusal: "is not a port; give a number from 0 to 65535.",
};
export const path: Kind<string> = {
  name: "path",
  read: (text) => (text.includes("\0") ? undefined : text),
  refusal: "is not a path.",
};
export const level: Kind<LogLevel> = {
  name: "level",
  read: (text) => logLevels.find((one) => one === text),
  refusal: `is not a level; give one of ${logLevels.join(", ")}.`,
};
export const size: Kind<number> = {
  name: "size",
  read: readSize,
  refusal: 'is not a size; write it like "512 KiB" or "1 MiB".',
};
export const duration: Kind<number> = {
  name: "duration",
  read: readDuration,
  refusal: 'is not a duration; write it like "250ms" or "10s".',
};
/** 0 for "off". */
export const durationOrOff: Kind<number> = {
  name: "duration/off",
  read: (text) => (text.toLowerCase() === "off" ? 0 : readDuration(text)),
  refusal: 'is neither a duration, like "30s", nor "off".',
};
export const onOff: Kind<boolean> = {
  name: "on/off",
  read: (text) => ({ on: true, true: true, 1: true, off: false, false: false, 0: false })[text.toLowerCase()],
  refusal: 'is neither "on" nor "off".',
};
export type ConsoleAccess = "on" | "key" | "off";
export const consoleAccess: Kind<ConsoleAccess> = {
  name: "on/key/off",
  read: (text) => (["on", "key", "off"] as const).find((one) => one === text.toLowerCase()),
  refusal: 'is none of "on", "key" and "off".',
};
export const text: Kind<string> = { name: "text", read: (given) => given, refusal: "is not text." };
export const url: Kind<string> = {
  name: "address",
  read: readUrl,
  refusal: 'is not an address; write it like "https://example.com", without a user name or a password in it.',
};
export const databaseUrl: Kind<string> = {
  name: "database",
  read: (given) => (/^postgres(ql)?:$/.test(URL.parse(given)?.protocol ?? "") ? given : undefined),
  refusal: 'is not the address of a PostgreSQL database; write it like "postgres://user:password@host:5432/database".',
};
export const urlOrPath: Kind<string> = {
  name: "address or path",
  read: (given) => (/^[a-z][a-z\d+.-]+:\/\//i.test(given) ? readUrl(given) : path.read(given)),
  refusal: "is neither an http address nor a path.",
};

function readSize(given: string): number | undefined {
  const [, amount, unit = "B"] = /^(\d+(?:\.\d+)?) ?(B|KiB|MiB|GiB)?$/.exec(given) ?? [];
  const bytes = Math.floor(Number(amount) * ({ B: 1, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 }[unit] ?? 1));
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}

function readDuration(given: string): number | undefined {
  try {
    return toMs(given as Duration); // it throws for what is not one
  } catch {
    return undefined;
  }
}

function readUrl(given: string): string | undefined {
  if (!URL.canParse(given)) return undefined;
  const { protocol, username, password } = new URL(given);
  const usable = (protocol === "http:" || protocol === "https:") && username === "" && password === "";
  return usable ? given.replace(/\/+$/, "") : undefined;
}
