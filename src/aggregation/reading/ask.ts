import { type Call, type Dispatch, Failed, Fault, type Span, toCanonicalJson } from "../../contracts/index.ts";
import type { CallPlan, HttpPlan } from "../fetch.ts";
import { decode } from "../formats/decode.ts";
import { toInstant } from "../instant.ts";
import { type Upstream, type UpstreamAnswer, UpstreamProblem } from "../port.ts";
import type { SourcePlan } from "../source.ts";
import { fillIn } from "../url-template.ts";
import type { Tried } from "./tried.ts";

/** Where the answers of one source come from. */
export interface AskPorts {
  readonly upstream: Upstream;
  readonly dispatch: Dispatch;
  /** Stands in for scheme, host and port of the source's address. */
  readonly origin?: string;
  /** The value of the `authorization` header. */
  readonly credentials?: string;
}
export interface Question {
  readonly input: { readonly [field: string]: unknown };
  readonly principal: Call["principal"];
  readonly span: Span;
  readonly aborted: AbortSignal;
  readonly remainingMs: number;
  readonly deadline: number;
}

/** Asks a source once, checks what comes back, and brings it into our shape. Never rejects. */
export async function ask(source: SourcePlan, ports: AskPorts, question: Question): Promise<Tried> {
  const { fetch } = source;
  try {
    return fetch.via === "http"
      ? await overHttp(source, fetch, ports, question)
      : await throughContract(source, fetch, ports, question);
  } catch (error) {
    // Neither the network nor the answer: something in the source's own declaration threw.
    return { state: "invalid", problem: `could not be read: ${named(error)}`, repeat: false };
  }
}

async function overHttp(source: SourcePlan, plan: HttpPlan, ports: AskPorts, question: Question): Promise<Tried> {
  const filled = fillIn(plan.url, question.input, ports.origin);
  if ("problem" in filled) return { state: "missing", problem: filled.problem, repeat: false };
  let answer: UpstreamAnswer;
  try {
    answer = await ports.upstream.fetch({
      source: source.name,
      url: filled.url,
      headers: {
        accept: accepted[plan.format],
        ...(ports.credentials !== undefined && { authorization: ports.credentials }),
      },
      aborted: question.aborted,
      maxBytes: source.maxBytes,
      remainingMs: question.remainingMs,
      traceparent: question.span.traceparent,
      named: ports.origin !== undefined || isLiteral(filled.url.hostname),
    });
  } catch (error) {
    if (!(error instanceof UpstreamProblem)) return { state: "down", problem: "cannot be reached", repeat: true };
    const { kind, message } = error;
    const broken = kind === "too large" || kind === "unreadable";
    return { state: broken ? "invalid" : "down", problem: message, repeat: !broken && kind !== "forbidden" };
  }
  const { status } = answer;
  const refused = refusal(answer);
  if (refused) return { ...refused, status };
  const decoded = await decode(plan, answer, source.match !== undefined);
  if (decoded.state === "missing") return { state: "missing", problem: "has nothing for this", repeat: false, status };
  if (decoded.state === "invalid") return { state: "invalid", problem: decoded.problem, repeat: false, status };
  const key = question.input[plan.params[0] ?? ""];
  return { ...pick(source, decoded.value, key, decoded.broken, answer.body.byteLength), status };
}

async function throughContract(
  source: SourcePlan,
  plan: CallPlan,
  { dispatch }: AskPorts,
  { input, principal, span, aborted, deadline }: Question,
): Promise<Tried> {
  const fields = Object.fromEntries(plan.params.filter((name) => name in input).map((name) => [name, input[name]]));
  try {
    const answer = await dispatch.call(plan.operation, fields, { principal, trace: span, aborted, deadline });
    if ("accepted" in answer)
      return { state: "down", problem: "was accepted as a run, and a view cannot wait for it", repeat: false };
    if (answer.value === undefined || answer.value === null)
      return { state: "missing", problem: "has nothing for this", repeat: false };
    const bytes = source.cacheForMs + source.staleIfErrorMs > 0 ? (JSON.stringify(answer.wire)?.length ?? 0) : 0;
    return pick(source, answer.value, input[plan.params[0] ?? ""], 0, bytes);
  } catch (error) {
    return failed(error);
  }
}

function failed(error: unknown): Tried {
  if (error instanceof Failed) {
    const { code, status, retry } = error;
    if (status === 404 || status === 410)
      return { state: "missing", problem: `has nothing for this (${code})`, repeat: false };
    return { state: "down", problem: `ended with ${code}`, repeat: retry !== "never" };
  }
  const { code, retry } = error instanceof Fault ? error : new Fault("Internal", "");
  if (code === "InvalidOutput")
    return { state: "invalid", problem: "answered with something that breaks its contract", repeat: false };
  const state = code === "DeadlineExceeded" ? "slow" : "down";
  return { state, problem: `ended with ${code}`, repeat: retry !== "never" };
}

/** Finds our record in a batch, reads its instant, and brings it into our shape. */
function pick(source: SourcePlan, value: unknown, key: unknown, broken: number, bytes: number): Tried {
  let answer = value;
  let duplicates = 0;
  if (source.match !== undefined) {
    const found = matching(source, value as readonly Fields[], String(key));
    // Ours may be among the records that could not be read, so nobody can say that it is not there.
    if (found.length === 0 && broken > 0)
      return {
        state: "invalid",
        problem: `answered with ${broken} records that break their contract, and without ours`,
        repeat: false,
      };
    if (found.length === 0) return { state: "missing", problem: "has nothing for this key", repeat: false };
    answer = found[0];
    duplicates = found.length - 1;
  }
  const asOf = source.asOf === undefined ? undefined : toInstant((answer as Fields | null)?.[source.asOf]);
  let shaped: unknown;
  try {
    shaped = source.shape ? source.shape(answer) : answer;
  } catch (error) {
    return { state: "invalid", problem: `gave an answer that \`shape\` cannot take: ${named(error)}`, repeat: false };
  }
  return { state: "fresh", value: shaped, ...(asOf !== undefined && { asOf }), duplicates, bytes };
}

type Fields = { readonly [name: string]: unknown };

// The order of a batch says nothing, so of two records with one key the newest counts, and then the first by its text.
function matching({ match = "", asOf }: SourcePlan, rows: readonly Fields[], key: string): readonly Fields[] {
  const found = rows.filter((row) => String(row[match]) === key);
  if (found.length < 2) return found;
  const instantOf = (row: Fields): number => (asOf ? toInstant(row[asOf]) : undefined) ?? Number.NEGATIVE_INFINITY;
  const ranked = found.map((row) => ({ row, at: instantOf(row), text: toCanonicalJson(row) }));
  ranked.sort((a, b) => (a.at === b.at ? (a.text < b.text ? -1 : 1) : b.at - a.at));
  return ranked.map(({ row }) => row);
}

const accepted: { readonly [F in HttpPlan["format"]]: string } = {
  json: "application/json",
  ndjson: "application/x-ndjson, application/jsonl",
  csv: "text/csv",
  xml: "application/xml, text/xml",
};

/** What a status says without its body; nothing where the body counts. */
function refusal({ status, headers }: UpstreamAnswer): Tried | undefined {
  if (status === 204 || (status >= 200 && status < 300 && status !== 206)) return undefined;
  if (status === 404 || status === 410) return { state: "missing", problem: `answered ${status}`, repeat: false };
  if (status >= 300 && status < 400)
    return { state: "invalid", problem: `answered ${status}, and redirects are not followed`, repeat: false };
  if (status < 400) return { state: "invalid", problem: `answered ${status}, which was not asked for`, repeat: false };
  const repeat = status >= 500 || status === 408 || status === 425 || status === 429;
  const seconds = Number(headers["retry-after"]);
  const wish = headers["retry-after"] !== undefined && seconds >= 0 ? { notBeforeMs: seconds * 1_000 } : {};
  return { state: "down", problem: `answered ${status}`, repeat, ...wish };
}

// An address in digits, or this machine: whoever wrote that into a source named it.
const isLiteral = (host: string): boolean => host === "localhost" || host.startsWith("[") || /^[\d.]+$/.test(host);

const named = (error: unknown): string => (error instanceof Error ? error.name : "something was thrown");
