import { type AnySchema, type Issue, type Validated, validate, validateAtOnce } from "../../contracts/index.ts";
import type { HttpPlan } from "../fetch.ts";
import { itemsOf, withItems } from "../page-items.ts";
import type { PagingPlan } from "../paged.ts";
import type { UpstreamAnswer } from "../port.ts";
import type { Sample } from "../reading/tried.ts";
import { readCsv } from "./csv.ts";
import { describe } from "./describe.ts";
import { parseJson, readNdjson } from "./json.ts";
import { toText } from "./text.ts";
import { Unreadable } from "./unreadable.ts";
import { readXml } from "./xml.ts";

/** What came back, checked. */
export type Decoded = Checked | { readonly state: "missing" };
export type Checked =
  | {
      readonly state: "fresh";
      readonly value: unknown;
      /** The same before it was checked. Of a batch, record by record. */
      readonly said: unknown;
      /** Of a batch: the records that break their contract, and were left out. */
      readonly broken: readonly unknown[];
    }
  | { readonly state: "invalid"; readonly problem: string; readonly sample: Sample; readonly readable: boolean };

/** Reads and checks a body; at once where the schema can. */
export function decode(plan: HttpPlan, answer: UpstreamAnswer, batch: boolean): Decoded | Promise<Decoded> {
  if (answer.status === 204 || (answer.body.byteLength === 0 && plan.format !== "ndjson")) return { state: "missing" };
  let said: unknown;
  let isLarge = false;
  try {
    refuseErrorPage(answer, plan.format);
    const body = toText(answer, plan.format);
    if (plan.format === "json") {
      const parsed = parseJson(body);
      said = parsed.value;
      isLarge = parsed.large;
    } else {
      said = read(plan, body);
      isLarge = /\d{16}/.test(body);
    }
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    const text = new TextDecoder().decode(answer.body.subarray(0, sampleBytes));
    return { state: "invalid", problem: error.message, sample: { text }, readable: false };
  }
  const checking = check(plan, said, batch);
  if (!isLarge) return checking;
  const looked = (checked: Checked): Checked =>
    checked.state === "fresh" && letsThrough(plan.schema, checked.value)
      ? broken(
          "answered with a whole number beyond 2^53 where its schema takes anything, and JSON could not say it",
          said,
        )
      : checked;
  return checking instanceof Promise ? checking.then(looked) : looked(checking);
}

/** Whether a schema that speaks of no BigInt has let one through, which nobody could send on. */
const letsThrough = (schema: AnySchema, value: unknown): boolean =>
  holdsBigInt(value) && Object.keys(describe(schema)).length > 0;

const holdsBigInt = (value: unknown): boolean =>
  typeof value === "bigint" || (typeof value === "object" && value !== null && Object.values(value).some(holdsBigInt));

const sampleBytes = 2_048;

/** What a source's schema speaks of: the whole answer, or one record of it. */
export interface Shape {
  readonly schema: AnySchema;
  readonly format?: HttpPlan["format"];
  readonly paging?: PagingPlan;
}

/**
 * Checks what was said against its contract. A list with a broken record is invalid as a whole; a batch only loses that
 * record.
 */
export function check(shape: Shape, said: unknown, batch: boolean): Checked | Promise<Checked> {
  const { schema, format = "json", paging = {} } = shape;
  if (format !== "json") return records(schema, said as readonly unknown[], batch);
  if (batch && !itemsOf(paging, said)) return broken("answered with something that is no list", said);
  const verdict = (checked: Validated<unknown>): Checked | Promise<Checked> => {
    if (checked.ok) return { state: "fresh", value: checked.value, said, broken: [] };
    const problem = `answered with something that breaks its contract: ${tell(checked.issues)}`;
    return batch ? withoutBroken(schema, paging, said, problem) : broken(problem, said);
  };
  const checking = validateAtOnce(schema, said);
  return checking instanceof Promise ? checking.then(verdict) : verdict(checking);
}

/**
 * The schema of a JSON batch is that of the whole answer. One with a single record in it tells which record it is that
 * breaks it; where that is none of them, it is the rest.
 */
async function withoutBroken(
  schema: AnySchema,
  where: Pick<PagingPlan, "items">,
  said: unknown,
  problem: string,
): Promise<Checked> {
  const good: unknown[] = [];
  const bad: unknown[] = [];
  for (const record of itemsOf(where, said) ?? [])
    ((await validate(schema, withItems(where, said, [record]))).ok ? good : bad).push(record);
  const rest = withItems(where, said, good);
  const checked = await validate(schema, rest);
  return checked.ok ? { state: "fresh", value: checked.value, said: rest, broken: bad } : broken(problem, said);
}

async function records(schema: AnySchema, said: readonly unknown[], batch: boolean): Promise<Checked> {
  const good: unknown[] = [];
  const whole: unknown[] = [];
  const bad: unknown[] = [];
  for (const [at, record] of said.entries()) {
    const checked = await validate(schema, record);
    if (checked.ok) {
      good.push(checked.value);
      whole.push(record);
    } else if (batch) bad.push(record);
    else return broken(`answered with a record that breaks its contract: ${tell(checked.issues, at)}`, record);
  }
  return { state: "fresh", value: good, said: whole, broken: bad };
}

const broken = (problem: string, said: unknown): Checked => ({
  state: "invalid",
  problem,
  sample: { said },
  readable: true,
});

function read(plan: HttpPlan, text: string): unknown {
  if (plan.format === "ndjson") return readNdjson(text);
  const described = describe(plan.schema);
  return plan.format === "csv" ? readCsv(text, described) : readXml(text, plan.rows ?? [], described);
}

// A proxy in front of a broken service likes to say that all is well, in HTML.
function refuseErrorPage({ headers }: UpstreamAnswer, format: HttpPlan["format"]): void {
  const [, type] = /^\s*(text\/html|application\/xhtml\+xml)\s*(?:;|$)/i.exec(headers["content-type"] ?? "") ?? [];
  if (type && (format !== "xml" || type.toLowerCase() === "text/html"))
    throw new Unreadable(`answered with an HTML page where ${names[format]} was promised`);
}

const names: { readonly [F in HttpPlan["format"]]: string } = {
  json: "JSON",
  ndjson: "NDJSON",
  csv: "CSV",
  xml: "XML",
};

// What one sentence can carry: the path and the rule that was broken, not the value, which may be personal.
const tell = (issues: readonly Issue[], at?: number): string => {
  const [first] = issues;
  const where = `${at === undefined ? "" : `/${at}`}${first?.path ?? ""}`;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : "";
  return `${where || "the whole"}: ${first?.message ?? "refused"}${more}`;
};
