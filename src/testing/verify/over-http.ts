import { failureType, hasBody, type Named, nothing, type Operation } from "../../contracts/index.ts";
import type { Ended } from "./target.ts";

interface Address {
  readonly url: string;
  readonly headers: { readonly [name: string]: string };
}
const patienceMs = 30_000;

/** Calls an operation as its route says, and follows a run until it has ended. */
export async function callOverHttp(
  { url, headers }: Address,
  operation: Operation & Named,
  input: unknown,
  key: string | undefined,
): Promise<Ended> {
  const { route } = operation;
  if (!route) throw new TypeError(`${operation.id} has no route, so it cannot be called from outside.`);
  const fields = { ...(input as Record<string, unknown>) };
  const path = route.path.replaceAll(/\{([^{}]+)\}/g, (_, name: string) => {
    const value = fields[name];
    delete fields[name];
    return encodeURIComponent(String(value));
  });
  const address = new URL(path, url);
  const body = hasBody(route.verb);
  if (!body)
    for (const [name, value] of Object.entries(fields))
      for (const one of Array.isArray(value) ? value : [value])
        if (one !== undefined)
          address.searchParams.append(name, typeof one === "object" ? JSON.stringify(one) : String(one));
  const isObject = typeof input === "object" && input !== null && !Array.isArray(input);
  const response = await fetch(address, {
    method: route.verb,
    headers: {
      ...headers,
      ...(body && { "content-type": "application/json" }),
      ...(operation.kind === "command" && { prefer: "wait=20" }),
      ...(key !== undefined && { "idempotency-key": key }),
    },
    ...(body && { body: JSON.stringify(isObject ? fields : input) }),
    signal: AbortSignal.timeout(patienceMs),
  });
  if (response.status === 202) return follow(operation, new URL(response.headers.get("location") ?? "", url), headers);
  return toEnded(operation, response);
}

async function toEnded(operation: Operation & Named, response: Response): Promise<Ended> {
  const { status } = response;
  if (status === 204)
    return operation.output === nothing
      ? { kind: "answer", output: undefined }
      : { kind: "odd", why: `It answered 204, and its contract promises an output.` };
  const type = response.headers.get("content-type") ?? "";
  const text = await response.text();
  if (!/^application\/(problem\+)?json\b/.test(type))
    return { kind: "odd", why: `It answered ${status} with "${type}", which is not JSON: ${text.slice(0, 80)}` };
  const said = JSON.parse(text) as Record<string, unknown>;
  if (response.ok) return { kind: "answer", output: said };
  return toProblem(operation, said, status, type.startsWith("application/problem+json"));
}

function toProblem(
  operation: Operation & Named,
  said: Record<string, unknown>,
  status: number,
  isProblem: boolean,
): Ended {
  const { type, code, detail, title, details } = said;
  if (!isProblem || typeof code !== "string" || said.status !== status)
    return { kind: "odd", why: `It answered ${status} without a problem document (RFC 9457) of that status.` };
  if (type === failureType(operation.id, code)) {
    const declared = operation.failures[code];
    return declared && declared.status !== status
      ? { kind: "odd", why: `${code} came with the status ${status}, and its contract says ${declared.status}.` }
      : { kind: "failure", code, ...(details !== undefined && { details }) };
  }
  return { kind: "fault", code, status, detail: String(detail ?? title) };
}

/** A run that takes longer than a test waits is no answer. */
async function follow(operation: Operation & Named, run: URL, headers: Address["headers"]): Promise<Ended> {
  const until = Date.now() + patienceMs;
  while (Date.now() < until) {
    const status = (await (await fetch(run, { headers })).json()) as Record<string, unknown>;
    if (status.state === "done") return { kind: "answer", output: status.output };
    if (status.state === "failed") {
      const problem = status.problem as Record<string, unknown>;
      return toProblem(operation, problem, Number(problem.status), true);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    kind: "odd",
    why: `Its run has not ended within ${patienceMs / 1_000} s. Verify a contract whose runs end by themselves, or leave the operation out.`,
  };
}
