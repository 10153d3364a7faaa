import { hash } from "node:crypto";
import { toCanonicalJson } from "../../contracts/index.ts";

/** The run that a caller's key stands for: the same key starts one run, however often it is sent. */
export const toRunId = (principal: string, operation: string, key: string): string =>
  toUuid(hash("sha256", JSON.stringify([principal, operation, key]), "buffer"));

/** What is compared in replay and between two calls with one key. */
export const digestOf = (value: unknown): string => hash("sha256", toCanonicalJson(value), "base64url").slice(0, 22);

const longestKey = 400;
/** The key of a step: the same in every attempt and replay. Deep paths and long names are told by their hash. */
export function toKey(root: string, path: string): string {
  const key = `${root}/${path}`;
  return key.length <= longestKey ? key : `${root}/~${hash("sha256", path, "base64url")}`;
}

/** Random draws that are the same in every replay: hashes of the run, the scope and a count. */
export class Draws {
  readonly #run: () => string;
  readonly #scope: string;
  #count = 0;
  /** `run` may change, for a part that is a copy of another run's. */
  constructor(run: string | (() => string), scope: string) {
    this.#run = typeof run === "string" ? () => run : run;
    this.#scope = scope;
  }
  uuid(): string {
    return toUuid(this.#next());
  }
  random(): number {
    return this.#next().readUIntBE(0, 6) / 2 ** 48;
  }
  #next(): Buffer {
    return hash("sha256", `${this.#run()}/${this.#scope}#${this.#count++}`, "buffer");
  }
}

/** RFC 9562, version 8: a UUID whose bits are the maker's own. */
function toUuid(digest: Buffer): string {
  const bytes = Buffer.from(digest.subarray(0, 16));
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
