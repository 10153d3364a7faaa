import {
  type AnyContract,
  type Call,
  type Clock,
  type Failed,
  Fault,
  type Named,
  nothing,
  type Operation,
  operationsOf,
  type Provider,
  type Reply,
  validate,
} from "../../contracts/index.ts";
import type { Http, HttpAnswer } from "./client.ts";
import { remainingHeader, traceHeaders } from "./headers.ts";
import { HttpProblem } from "./problem.ts";
import { failureIn, readJson } from "./remote-failure.ts";
import { toTarget } from "./remote-target.ts";

export interface RemoteOptions {
  /** Where the service is; may carry a path prefix. */
  readonly url: string;
  /** Travels as `authorization: Bearer …`. */
  readonly token?: string;
  /** How long a call may take where neither the operation nor the caller says so; 10,000 unless said otherwise. */
  readonly timeoutMs?: number;
  /** What an answer may measure, in bytes; 4 MiB unless said otherwise. */
  readonly maxBytes?: number;
  /** Belongs to the caller, who closes it. */
  readonly http: Http;
  readonly clock: Clock;
}

/**
 * A contract that an outside service implements. An operation with a route is called there, one without at
 * `POST {url}/{its name}`. What a caller is told about the outcome is a promise only where it says "not done":
 * where the connection never came about, or the service refused. There is no `void`, so an unknown outcome stays one.
 */
export function toRemoteProviders(contract: AnyContract, options: RemoteOptions): readonly Provider[] {
  if (!URL.canParse(options.url) || !/^https?:/.test(options.url)) {
    throw new TypeError(
      `The address of the service behind "${contract["~contract"].name}" must be like "https://payments.test"; "${options.url}" is not.`,
    );
  }
  return operationsOf(contract).map((operation) => ({
    operation: operation.id,
    handle: (_: unknown, call: Call, written: unknown) => callRemote(operation, written, call, options),
  }));
}

async function callRemote(
  operation: Operation & Named,
  written: unknown,
  call: Call,
  options: RemoteOptions,
): Promise<Reply> {
  const { clock, token, http, maxBytes = 4 * 2 ** 20 } = options;
  const target = toTarget(operation, written, options.url);
  const contract = operation.id.slice(0, operation.id.indexOf("."));
  const name = `${target.method} ${contract}${target.route}`;
  // A caller who says how long it waits is not cut short by a default of ours.
  const leftMs = call.deadline === undefined ? undefined : call.deadline - clock.monotonic();
  const limitMs = operation.timeoutMs ?? options.timeoutMs ?? leftMs ?? 10_000;
  const remainingMs = Math.floor(Math.min(limitMs, leftMs ?? limitMs));
  if (remainingMs < 1 || call.aborted.aborted) {
    throw new Fault("DeadlineExceeded", `${operation.id} was not called: the time had run out.`, {
      outcome: "not done",
    });
  }
  const attributes = { "http.request.method": target.method, "server.address": target.url.hostname };
  return call.trace.span("operation", name, attributes, async (span) => {
    const limit = limitedTo(remainingMs, clock, call.aborted);
    try {
      const answer = await http.send({
        method: target.method,
        url: target.url,
        headers: {
          accept: "application/json, application/problem+json",
          ...(target.body !== undefined && { "content-type": "application/json" }),
          ...(call.key !== undefined && { "idempotency-key": call.key }),
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...traceHeaders(span.traceparent),
          [remainingHeader]: String(remainingMs),
        },
        ...(target.body !== undefined && { body: target.body }),
        aborted: limit.aborted,
        maxBytes,
        // A service's address comes from the settings alone, so it was named.
        named: true,
      });
      span.set({ "http.response.status_code": answer.status });
      return await toReply(operation, answer);
    } catch (error) {
      throw error instanceof HttpProblem ? toFault(operation, error, remainingMs) : error;
    } finally {
      limit.release();
    }
  });
}

async function toReply(operation: Operation & Named, answer: HttpAnswer): Promise<Reply> {
  const { status, body } = answer;
  if (status === 202) {
    throw new Fault("Unavailable", `${operation.id} was accepted by its service, and is not known to be done.`, {
      outcome: "unknown",
    });
  }
  if (status < 200 || status >= 300) throw await refusal(operation, answer);
  const empty = status === 204 || body.byteLength === 0;
  const read = empty ? undefined : readJson(body);
  if (!empty && read === undefined) throw invalid(operation, "something that is not JSON", []);
  if (operation.output === nothing) return { output: undefined };
  const checked = await validate(operation.output, read);
  if (!checked.ok) throw invalid(operation, "something that breaks its contract", checked.issues);
  return { output: read };
}

/** What an answer outside 2xx is: a failure that the contract declares, a refusal, or a failure of the service. */
async function refusal(operation: Operation & Named, answer: HttpAnswer): Promise<Failed | Fault> {
  const failure = await failureIn(operation, answer);
  if (failure) return failure;
  const { status } = answer;
  const said = `The service behind ${operation.id} answered ${status}`;
  if (status === 429) return new Fault("TooManyRequests", `${said}: it is asked too often.`, { outcome: "not done" });
  if (status === 408 || status === 425)
    return new Fault("Unavailable", `${said}; it can be asked again.`, { outcome: "not done", retry: "later" });
  if (status >= 500) {
    const code = status === 504 ? "DeadlineExceeded" : "Unavailable";
    return new Fault(code, `${said}; whether the work was done is not known.`, { outcome: "unknown" });
  }
  const why = status < 400 ? "redirects are not followed" : "its contract does not declare that";
  return new Fault("Unavailable", `${said}, and ${why}.`, { outcome: "not done", retry: "never" });
}

function toFault(operation: Operation & Named, problem: HttpProblem, remainingMs: number): Fault {
  const { kind, message, cause } = problem;
  const said = `The service behind ${operation.id}`;
  if (kind === "not connected" || kind === "forbidden")
    return new Fault("Unavailable", `${said} ${message}.`, { outcome: "not done", retry: "later", cause });
  if (kind === "given up")
    return new Fault("DeadlineExceeded", `${said} has not answered within ${remainingMs} ms.`, {
      outcome: "unknown",
      cause,
    });
  if (kind === "interrupted") return new Fault("Unavailable", `${said} ${message}.`, { outcome: "unknown", cause });
  return new Fault("InvalidOutput", `${said} ${message}.`, { outcome: "unknown", retry: "later", cause });
}

const invalid = (operation: Named, what: string, issues: Fault["issues"]): Fault =>
  new Fault("InvalidOutput", `The service behind ${operation.id} answered with ${what}.`, {
    issues,
    outcome: "unknown",
    retry: "later",
  });

/** A signal that aborts with the caller or when the time is over, and what takes both back. */
function limitedTo(ms: number, clock: Clock, aborted: AbortSignal) {
  const limit = new AbortController();
  const abort = (): void => limit.abort();
  const cancel = clock.after(ms, abort);
  aborted.addEventListener("abort", abort, { once: true });
  return {
    aborted: limit.signal,
    release() {
      cancel();
      aborted.removeEventListener("abort", abort);
    },
  };
}
