/** The part of a generated client that is the same for every contract. It needs `fetch` and nothing else. */
export const clientRuntime = `
export interface ClientOptions {
  /** Where the backend is: "https://trips.example.com". */
  readonly url: string;
  /** An API key or a token, or how to get one for each request. */
  readonly token?: string | (() => string | Promise<string>);
  readonly fetch?: typeof fetch;
  /** How long a command that goes on as a run is followed before it is given back as pending, in ms; 30,000 unless told. */
  readonly patienceMs?: number;
  /** How often a request is sent at most: again after a lost connection, 429 and 503. 3 unless told. */
  readonly attempts?: number;
}
export interface CallOptions {
  readonly signal?: AbortSignal;
  /** One key, one effect. Each call of a command has one of its own unless told: give one to repeat a call later. */
  readonly idempotencyKey?: string;
  readonly patienceMs?: number;
  readonly headers?: { readonly [name: string]: string };
}
/** What went wrong though the contract does not say so: a bad input, no network, a time that ran out. */
export interface Fault {
  readonly kind: "fault";
  readonly code: string;
  readonly status: number;
  readonly message: string;
  readonly retry: "never" | "later" | "now";
  readonly issues: readonly { readonly path: string; readonly message: string }[];
  /** By which the backend's log and traces know it. */
  readonly trace?: string;
}
/** The command goes on as a run. Call it again with the same key, or look at the location. */
export interface Pending {
  readonly kind: "pending";
  readonly code: "Pending";
  readonly run: string;
  readonly location: string;
  readonly idempotencyKey: string;
}
export type Result<Output, Failure> =
  | { readonly ok: true; readonly value: Output; readonly run?: string }
  | { readonly ok: false; readonly failure: Failure | Fault };

interface Route {
  readonly id: string;
  readonly verb: string;
  readonly path: string;
  readonly isCommand: boolean;
  readonly hasOutput: boolean;
  readonly failures: readonly string[];
}

class Caller {
  readonly #options: ClientOptions;
  constructor(options: ClientOptions) {
    this.#options = options;
  }

  async call(route: Route, input: unknown, options: CallOptions): Promise<Result<unknown, unknown>> {
    const { patienceMs = this.#options.patienceMs ?? 30_000 } = options;
    const until = Date.now() + patienceMs;
    const key = options.idempotencyKey ?? randomKey();
    const { path, query, body } = travelling(route, input);
    const headers: Record<string, string> = {};
    if (body !== undefined) headers["content-type"] = "application/json";
    if (route.isCommand) headers["idempotency-key"] = key;
    if (route.isCommand) headers.prefer = "wait=" + Math.min(10, Math.ceil(patienceMs / 1_000));
    const answer = await this.#send(route.verb, path + query, headers, body, options);
    if (!(answer instanceof Response)) return { ok: false, failure: answer };
    const location = answer.headers.get("location") ?? "";
    const run = decodeURIComponent(location.split("/").at(-1) ?? "");
    if (answer.status !== 202) return this.#read(route, answer, run);
    await answer.body?.cancel();
    return this.#follow(route, { run, location, key, until }, options);
  }

  async signal(run: string, name: string, payload: unknown, options: CallOptions): Promise<Result<void, never>> {
    const path = "/runs/" + encodeURIComponent(run) + "/signals/" + encodeURIComponent(name);
    const headers = { "content-type": "application/json", "idempotency-key": options.idempotencyKey ?? randomKey() };
    const answer = await this.#send("POST", path, headers, JSON.stringify(payload), options);
    if (!(answer instanceof Response)) return { ok: false, failure: answer };
    if (!answer.ok) return { ok: false, failure: await toFault(answer) };
    await answer.body?.cancel();
    return { ok: true, value: undefined };
  }

  async #follow(
    route: Route,
    { run, location, key, until }: { run: string; location: string; key: string; until: number },
    options: CallOptions,
  ): Promise<Result<unknown, unknown>> {
    for (let waitMs = 100; ; waitMs = Math.min(2_000, waitMs * 1.5)) {
      if (Date.now() + waitMs > until)
        return { ok: false, failure: { kind: "pending", code: "Pending", run, location, idempotencyKey: key } };
      if (!(await pause(waitMs, options.signal))) return { ok: false, failure: aborted(options.signal) };
      const answer = await this.#send("GET", location, {}, undefined, options);
      if (!(answer instanceof Response)) return { ok: false, failure: answer };
      if (!answer.ok) return { ok: false, failure: await toFault(answer) };
      const status = (await answer.json()) as { state: string; output?: unknown; problem?: Problem };
      if (status.state === "done") return { ok: true, value: status.output, run };
      if (status.state === "failed") return { ok: false, failure: fromProblem(route, status.problem ?? {}, 500) };
    }
  }

  async #read(route: Route, answer: Response, run: string): Promise<Result<unknown, unknown>> {
    if (!answer.ok) return { ok: false, failure: await toFailure(route, answer) };
    const value = answer.status === 204 ? undefined : await answer.json();
    return { ok: true, value, ...(run !== "" && { run }) };
  }

  async #send(
    method: string,
    path: string,
    headers: Record<string, string>,
    body: string | undefined,
    options: CallOptions,
  ): Promise<Response | Fault> {
    const { url, token, attempts = 3, fetch: send = fetch } = this.#options;
    for (let attempt = 1; ; attempt++) {
      let waitMs = 200 * 2 ** (attempt - 1);
      let lost: unknown;
      try {
        const bearer = typeof token === "function" ? await token() : token;
        const answer = await send(new URL(path, url), {
          method,
          headers: { ...headers, ...(bearer && { authorization: "Bearer " + bearer }), ...options.headers },
          ...(body !== undefined && { body }),
          ...(options.signal && { signal: options.signal }),
        });
        if ((answer.status !== 429 && answer.status !== 503) || attempt >= attempts) return answer;
        waitMs = Math.max(waitMs, Number(answer.headers.get("retry-after") ?? 0) * 1_000);
        await answer.body?.cancel();
      } catch (error) {
        if (options.signal?.aborted) return aborted(options.signal);
        lost = error;
      }
      if (lost !== undefined && attempt >= attempts) return fault("Unreachable", "No answer came from " + url + ": " + String(lost), "later");
      if (!(await pause(waitMs, options.signal))) return aborted(options.signal);
    }
  }
}

interface Problem {
  readonly type?: string;
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly status?: number;
  readonly retry?: Fault["retry"];
  readonly details?: unknown;
  readonly issues?: Fault["issues"];
  readonly trace?: string;
}

function travelling(route: Route, input: unknown): { path: string; query: string; body?: string } {
  const fields: Record<string, unknown> = { ...(input as object) };
  const path = route.path.replaceAll(/{([^{}]+)}/g, (_, name: string) => {
    const value = fields[name];
    delete fields[name];
    return encodeURIComponent(String(value));
  });
  const isList = typeof input !== "object" || input === null || Array.isArray(input);
  if (route.verb !== "GET" && route.verb !== "DELETE") return { path, query: "", body: JSON.stringify(isList ? input : fields) };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields))
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== undefined) query.append(name, typeof one === "object" ? JSON.stringify(one) : String(one));
  const text = query.toString();
  return { path, query: text === "" ? "" : "?" + text };
}

async function toFailure(route: Route, answer: Response): Promise<unknown> {
  return fromProblem(route, await problemOf(answer), answer.status);
}

const toFault = async (answer: Response): Promise<Fault> => faultOf(await problemOf(answer), answer.status);

async function problemOf(answer: Response): Promise<Problem> {
  const type = answer.headers.get("content-type") ?? "";
  if (!type.startsWith("application/problem+json")) {
    await answer.body?.cancel();
    return {};
  }
  return (await answer.json()) as Problem;
}

function fromProblem(route: Route, problem: Problem, httpStatus: number): unknown {
  const { code = "", type = "", title = "", retry = "never", details, status = httpStatus } = problem;
  if (type !== "urn:trilith:failure:" + route.id + ":" + code || !route.failures.includes(code)) return faultOf(problem, status);
  return { kind: "failure", code, status, message: title, retry, ...(details !== undefined && { details }) };
}

function faultOf({ code = "Unknown", title, detail, retry = "later", issues = [], trace }: Problem, status: number): Fault {
  const message = detail ?? title ?? "The backend answered " + status + ".";
  return { kind: "fault", code, status, message, retry, issues, ...(trace !== undefined && { trace }) };
}

const fault = (code: string, message: string, retry: Fault["retry"]): Fault => ({ kind: "fault", code, status: 0, message, retry, issues: [] });
const aborted = (signal: AbortSignal | undefined): Fault => fault("Aborted", "The call was given up: " + String(signal?.reason), "never");

/** False where it was given up meanwhile. */
function pause(ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve(false);
    const end = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      resolve(true);
    }, ms);
    signal?.addEventListener("abort", end, { once: true });
  });
}

/** A UUID also where there is no randomUUID, which browsers have on secure pages only. */
function randomKey(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
`;
