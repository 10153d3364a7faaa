import { type Call, type Clock, type Dispatch, Failed, Fault, type Span } from "../../contracts/index.ts";
import type { CustomPlan } from "../custom.ts";
import type { CallPlan, HttpPlan } from "../fetch.ts";
import { type Checked, check, type Decoded, decode } from "../formats/decode.ts";
import {
  type Aborted,
  type Upstream,
  type UpstreamAnswer,
  UpstreamProblem,
  type UpstreamProblemKind,
  type UpstreamRequest,
} from "../port.ts";
import type { SourcePlan } from "../source.ts";
import { dependentMs } from "./budget.ts";
import { toSignal } from "./ending.ts";
import { toRequest } from "./request.ts";
import { toMask } from "./secrecy.ts";
import type { Tried, Trouble, TroubleKind } from "./tried.ts";

/** Where the answers of one source come from. */
export interface AskPorts {
  readonly upstream: Upstream;
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  /** Stands in for scheme, host and port of the source's address. */
  readonly origin?: string;
  /** Whether a name may lead to an inner address. */
  readonly mayBeInner?: boolean;
  /** The value of the `authorization` header. */
  readonly credentials?: string;
}
export interface Question {
  readonly input: { readonly [field: string]: unknown };
  /** Of a batch: what stands in for its parameter. */
  readonly keys?: readonly string[];
  /** Of a list in pages: where the page is, seen from the first one's address. */
  readonly turn?: (first: URL) => URL;
  readonly principal: Call["principal"];
  readonly span: Span;
  readonly aborted: Aborted;
  readonly remainingMs: number;
}

/** One answer, checked: what was said, and what its schema made of it. */
export interface Said {
  readonly value: unknown;
  /** Before it was checked; plain JSON where the format is. Of a batch, record by record. */
  readonly said: unknown;
  /** Of a batch: the records that break their contract, and were left out. */
  readonly broken: readonly unknown[];
  readonly bytes: number;
  readonly url?: URL;
  readonly headers?: UpstreamAnswer["headers"];
}

/**
 * Asks a source once, and checks what comes back. Never rejects, tells no credentials, whatever the answer repeats, and
 * resolves when nobody waits any more.
 */
export type AskOnce = (question: Question) => Promise<Tried<Said>>;

export function toAsk(source: SourcePlan, ports: AskPorts): AskOnce {
  const ask = toOpenAsk(source, ports);
  if (ports.credentials === undefined) return ask;
  const mask = toMask(ports.credentials);
  return async (question) => {
    const tried = await ask(question);
    return tried.state === "fresh" ? tried : { ...tried, problem: mask(tried.problem) };
  };
}

function toOpenAsk(source: SourcePlan, ports: AskPorts): AskOnce {
  const { fetch } = source;
  if (fetch.via === "http") return overHttp(source, fetch, ports);
  return async (question) => {
    try {
      const asked =
        fetch.via === "custom"
          ? byAdapter(source, fetch, ports, question)
          : throughContract(source, fetch, ports, question);
      return await whileWaited(asked, question.aborted);
    } catch (error) {
      return thrown(error);
    }
  };
}

function overHttp(source: SourcePlan, plan: HttpPlan, ports: AskPorts): AskOnce {
  const { upstream, origin, credentials, mayBeInner = false } = ports;
  const { name, maxBytes, redirects, tokenIn, batch } = source;
  const ours = { ...source.headers, ...credentialsIn(tokenIn, credentials) };
  const usual = { accept: accepted[plan.format], ...ours };
  const read = (answer: UpstreamAnswer, url: URL): Tried<Said> | Promise<Tried<Said>> => {
    const { status, headers, body } = answer;
    const refused = refusal(answer, ports.clock);
    if (refused) return { ...refused, status };
    const tell = (decoded: Decoded): Tried<Said> =>
      decoded.state === "missing"
        ? nothing("has nothing for this", status)
        : toTried(decoded, body.byteLength, { url, headers, status });
    const decoding = decode(plan, answer, batch !== undefined);
    return decoding instanceof Promise ? decoding.then(tell).catch(thrown) : tell(decoding);
  };
  return ({ input, keys, turn, span, aborted, remainingMs }) => {
    try {
      const filled = toRequest(plan, input, origin, batch && keys && { values: keys, as: batch.keysAs });
      if ("problem" in filled) return Promise.resolve(nothing(filled.problem));
      const { method, body: asked, headers: own } = filled;
      const url = withToken(turn?.(filled.url) ?? filled.url, tokenIn, credentials);
      const request: UpstreamRequest = {
        source: name,
        url,
        method,
        headers: own ? { accept: usual.accept, ...own, ...ours } : usual,
        aborted,
        maxBytes,
        remainingMs,
        traceparent: span.traceparent,
        redirects,
        named: mayBeInner || isLiteral(url.hostname),
      };
      return upstream.fetch(asked === undefined ? request : { ...request, body: asked }).then(
        (answer) => {
          try {
            return read(answer, url);
          } catch (error) {
            return thrown(error);
          }
        },
        (error: unknown) => (aborted.aborted ? givenUp : problemOf(error)),
      );
    } catch (error) {
      return Promise.resolve(thrown(error));
    }
  };
}

/** An adapter of somebody's own is held to the same: what it brings is checked, what it throws is told without its text. */
async function byAdapter(
  source: SourcePlan,
  plan: CustomPlan,
  { origin, credentials }: AskPorts,
  { input, keys, span, aborted, remainingMs }: Question,
): Promise<Tried<Said>> {
  const given = Object.fromEntries(plan.params.map((name) => [name, input[name]]));
  const first = given[plan.params[0] ?? ""];
  let said: unknown;
  try {
    said = await plan.ask(given, {
      keys: keys ?? (first === undefined ? [] : [String(first)]),
      aborted: toSignal(aborted),
      remainingMs,
      traceparent: span.traceparent,
      ...(origin !== undefined && { origin }),
      ...(credentials !== undefined && { credentials }),
    });
  } catch (error) {
    return problemOf(error);
  }
  if (said === undefined || said === null) return nothing("has nothing for this");
  return toTried(await check(plan, said, source.batch !== undefined), sizeOf(said));
}

async function throughContract(
  source: SourcePlan,
  plan: CallPlan,
  { dispatch, clock }: AskPorts,
  { input, principal, span, aborted, remainingMs }: Question,
): Promise<Tried<Said>> {
  const fields = Object.fromEntries(plan.params.filter((name) => name in input).map((name) => [name, input[name]]));
  const until = clock.monotonic() + dependentMs(remainingMs);
  try {
    const answer = await dispatch.call(plan.operation, fields, {
      principal,
      trace: span,
      aborted: toSignal(aborted),
      deadline: until,
    });
    if ("accepted" in answer) {
      const problem = "was accepted as a run, and a view cannot wait for it";
      return { state: "down", kind: "unexpected", problem, repeat: false };
    }
    if (answer.value === undefined || answer.value === null) return nothing("has nothing for this");
    const keeps = source.cacheForMs + source.staleIfErrorMs + source.staleWhileRevalidateMs > 0;
    const value = { value: answer.value, said: answer.wire, broken: [], bytes: keeps ? sizeOf(answer.wire) : 0 };
    return { state: "fresh", value };
  } catch (error) {
    return failed(error);
  }
}

/** Nobody knows what a function of somebody's own does when nobody waits any more: here, that is the end of it. */
function whileWaited(asked: Promise<Tried<Said>>, aborted: Aborted): Promise<Tried<Said>> {
  return new Promise((resolve, reject) => {
    const leave = (): void => resolve(givenUp);
    aborted.addEventListener("abort", leave, { once: true });
    void asked.then(resolve, reject).finally(() => aborted.removeEventListener("abort", leave));
    if (aborted.aborted) leave();
  });
}

const givenUp: Trouble = { state: "slow", kind: "budget", problem: "has not answered in time", repeat: false };

/** Neither the network nor the answer: something in the source's own declaration threw. */
const thrown = (error: unknown): Trouble => {
  const problem = `could not be read: ${error instanceof Error ? error.name : "something was thrown"}`;
  return { state: "invalid", kind: "broken", problem, repeat: false };
};

function failed(error: unknown): Trouble {
  if (error instanceof Failed) {
    const { code, status, retry } = error;
    if (status === 404 || status === 410) return nothing(`has nothing for this (${code})`);
    const kind = retry === "never" ? "refused" : "failing";
    return { state: "down", kind, problem: `ended with ${code}`, repeat: retry !== "never" };
  }
  const { code, retry } = error instanceof Fault ? error : new Fault("Internal", "");
  if (code === "InvalidOutput") {
    const problem = "answered with something that breaks its contract";
    return { state: "invalid", kind: "broken", problem, repeat: false };
  }
  const late = code === "DeadlineExceeded";
  return {
    state: late ? "slow" : "down",
    kind: late ? "timeout" : "failing",
    problem: `ended with ${code}`,
    repeat: retry !== "never",
  };
}

interface About extends Pick<Said, "url" | "headers"> {
  readonly status?: number;
}
function toTried(checked: Checked, bytes: number, { status, ...about }: About = {}): Tried<Said> {
  const answered = status !== undefined && { status };
  if (checked.state === "fresh") {
    const { value, said, broken } = checked;
    return { state: "fresh", value: { value, said, broken, bytes, ...about }, ...answered };
  }
  const { problem, sample, readable } = checked;
  return { state: "invalid", kind: readable ? "broken" : "unreadable", problem, repeat: false, sample, ...answered };
}

const nothing = (problem: string, status?: number): Trouble => ({
  state: "missing",
  kind: "nothing",
  problem,
  repeat: false,
  ...(status !== undefined && { status }),
});

function problemOf(error: unknown): Trouble {
  if (!(error instanceof UpstreamProblem))
    return { state: "down", kind: "unreachable", problem: "cannot be reached", repeat: true };
  const { state, kind, repeat } = problems[error.kind];
  return { state, kind, problem: error.message, repeat };
}
const problems: {
  readonly [K in UpstreamProblemKind]: {
    readonly state: Trouble["state"];
    readonly kind: TroubleKind;
    readonly repeat: boolean;
  };
} = {
  unreachable: { state: "down", kind: "unreachable", repeat: true },
  interrupted: { state: "down", kind: "interrupted", repeat: true },
  forbidden: { state: "down", kind: "forbidden", repeat: false },
  "too large": { state: "invalid", kind: "unreadable", repeat: false },
  unreadable: { state: "invalid", kind: "unreadable", repeat: false },
};

/** `Bearer abc` as it is, or `abc` alone in a header of the upstream's own. */
function credentialsIn(tokenIn: string | undefined, credentials: string | undefined) {
  if (credentials === undefined || tokenIn?.startsWith("?")) return {};
  return tokenIn === undefined ? { authorization: credentials } : { [tokenIn]: bare(credentials) };
}

/** The token as a parameter of the query, of a further page as well, whatever its address says of it. */
function withToken(url: URL, tokenIn: string | undefined, credentials: string | undefined): URL {
  if (credentials === undefined || !tokenIn?.startsWith("?")) return url;
  const [name, token] = [tokenIn.slice(1), bare(credentials)];
  const whole = new URL(url);
  // To write the rest of the query anew would change how its keys are encoded.
  if (whole.searchParams.has(name)) whole.searchParams.set(name, token);
  else whole.search = `${whole.search}${whole.search ? "&" : "?"}${name}=${encodeURIComponent(token)}`;
  return whole;
}

const bare = (credentials: string): string => credentials.replace(/^\S+\s+/, "");

const accepted: { readonly [F in HttpPlan["format"]]: string } = {
  json: "application/json",
  ndjson: "application/x-ndjson, application/jsonl",
  csv: "text/csv",
  xml: "application/xml, text/xml",
};

/** What a status says without its body; nothing where the body counts. */
function refusal({ status, headers }: UpstreamAnswer, clock: Clock): Trouble | undefined {
  if (status === 204 || (status >= 200 && status < 300 && status !== 206)) return undefined;
  if (status === 404 || status === 410) return nothing(`answered ${status}`);
  if (status < 400) {
    const why = status >= 300 ? "and it is followed no further" : "which was not asked for";
    return { state: "invalid", kind: "unexpected", problem: `answered ${status}, ${why}`, repeat: false };
  }
  const repeat = status >= 500 || status === 408 || status === 425 || status === 429;
  const notBeforeMs = waitOf(headers, clock);
  const wish = notBeforeMs !== undefined && { notBeforeMs };
  return { state: "down", kind: repeat ? "failing" : "refused", problem: `answered ${status}`, repeat, ...wish };
}

/** `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date, which is measured by the upstream's own clock where it tells it. */
function waitOf({ "retry-after": wish, date }: UpstreamAnswer["headers"], clock: Clock): number | undefined {
  if (wish === undefined) return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(wish)) return Number(wish) * 1_000;
  const [until, now] = [httpDate(wish), httpDate(date)];
  return until === undefined ? undefined : Math.max(0, until - (now ?? clock.now()));
}

const httpDate = (text: string | undefined): number | undefined => {
  const at = text?.trim().endsWith("GMT") ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
};

const sizeOf = (said: unknown): number => {
  try {
    return JSON.stringify(said)?.length ?? 0;
  } catch {
    return 0; // a BigInt or a circle: it is kept in memory under its key's size, and on no disk
  }
};

// An address in digits, or this machine: whoever wrote that, in the code or in the settings, named it. What a name leads
// to is somebody else's to say, and may be another thing a moment later.
const isLiteral = (host: string): boolean => host === "localhost" || host.startsWith("[") || /^[\d.]+$/.test(host);
