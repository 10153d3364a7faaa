import type { IncomingMessage } from "node:http";
import type { FastifyInstance } from "fastify";
import { Fault } from "../contracts/index.ts";

const deepest = 64;
/** So much of a body that is too large is read and thrown away, so that its sender gets to read the answer. */
const drainBytes = 32 * 1024 * 1024;

/** Reads JSON bodies, strictly: the right media type, whole, in UTF-8, and nested no deeper than 64 levels. */
export function acceptBodies(app: FastifyInstance, limit: number): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", async (request: { readonly is404: boolean }, payload: IncomingMessage) => {
    // What is sent to nowhere is not judged; the answer is a 404.
    if (request.is404) return void payload.resume();
    const { "content-type": type, "content-encoding": encoding, "content-length": length } = payload.headers;
    if (Number(length) > drainBytes) throw tooLarge(limit);
    const bytes = await collect(payload, limit);
    if (!isJson(type)) {
      throw new Fault(
        "UnsupportedMediaType",
        `Send the body as "application/json"${type ? `, not as "${type}"` : ""}.`,
      );
    }
    if (encoding !== undefined && encoding !== "identity") {
      throw new Fault("UnsupportedMediaType", `The body is encoded as "${encoding}"; send it as it is.`);
    }
    return bytes.length === 0 ? undefined : parse(bytes);
  });
}

/** Whether a request brings a body, going by its headers. */
export const bringsBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;

async function collect(payload: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of payload) {
      size += (chunk as Buffer).length;
      if (size > drainBytes) break;
      if (size <= limit) chunks.push(chunk as Buffer);
    }
  } catch (failure) {
    throw new Fault("MalformedBody", "The body ended before its announced length.", { cause: failure });
  }
  if (size > limit) throw tooLarge(limit);
  return Buffer.concat(chunks);
}

function parse(bytes: Buffer): unknown {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (failure) {
    throw new Fault("MalformedBody", `The body is not JSON in UTF-8: ${withoutValues((failure as Error).message)}`);
  }
  if (isDeeperThan(deepest, value)) {
    throw new Fault("MalformedBody", `The body is nested deeper than ${deepest} levels.`);
  }
  return value;
}

/** The parser quotes what it choked on, which may be somebody's card number; the position is enough. */
function withoutValues(message: string): string {
  const [, position] = /position (\d+)/.exec(message) ?? [];
  if (position) return `it breaks at character ${Number(position) + 1}.`;
  return /end of JSON|Unterminated/i.test(message) ? "it ends too early." : "it cannot be read.";
}

function isDeeperThan(levels: number, value: unknown): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > levels) return true;
    level = level
      .filter((one) => typeof one === "object" && one !== null)
      .flatMap((one) => Object.values(one as object));
  }
  return false;
}

function isJson(type: string | undefined): boolean {
  const [, charset] = /^application\/(?:[\w.+-]+\+)?json\s*(?:;\s*charset="?([\w-]+)"?\s*)?$/i.exec(type ?? "") ?? [
    undefined,
    "none",
  ];
  return charset === undefined || charset.toLowerCase() === "utf-8" || charset.toLowerCase() === "utf8";
}

const tooLarge = (limit: number): Fault =>
  new Fault(
    "BodyTooLarge",
    `The body is larger than the ${limit.toLocaleString("en")} bytes that this backend accepts.`,
  );
