import { Failed, type Named, type Operation, validate } from "../../contracts/index.ts";
import type { HttpAnswer } from "./client.ts";

/**
 * The declared failure that a problem document (RFC 9457) speaks of: by its `code`, by the last part of its `type`
 * (`/problems/sold-out` is `SoldOut`), or by a 4xx status that exactly one declared failure has.
 */
export async function failureIn(operation: Operation & Named, answer: HttpAnswer): Promise<Failed | undefined> {
  const type = answer.headers["content-type"]?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (!/^application\/(.+\+)?json$/.test(type)) return undefined;
  const problem = readJson(answer.body);
  if (typeof problem !== "object" || problem === null) return undefined;
  const { code, type: uri, details } = problem as { readonly [member: string]: unknown };
  const declared = Object.entries(operation.failures);
  const named = [code, typeof uri === "string" ? uri.split(/[/:#]/).at(-1) : undefined]
    .filter((name) => typeof name === "string")
    .map(plain);
  // A status alone says little: behind a 5xx may be anything, and two failures may share one.
  const alike =
    type === "application/problem+json" && answer.status < 500
      ? declared.filter(([, { status }]) => status === answer.status)
      : [];
  const found = declared.find(([name]) => named.includes(plain(name))) ?? (alike.length === 1 ? alike[0] : undefined);
  if (!found) return undefined;
  const [name, failure] = found;
  if (!failure.details) return new Failed(operation.id, name, failure);
  const checked = await validate(failure.details, details);
  return checked.ok ? new Failed(operation.id, name, failure, checked.value) : undefined;
}

/** The JSON in a body, or `undefined` where there is none. */
export function readJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
