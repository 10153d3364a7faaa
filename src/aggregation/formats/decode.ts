import type { AnySchema, Issue } from "../../contracts/index.ts";
import { toJsonSchema, validate } from "../../contracts/index.ts";
import type { HttpPlan } from "../fetch.ts";
import type { UpstreamAnswer } from "../port.ts";
import { readCsv } from "./csv.ts";
import { readJson, readNdjson } from "./json.ts";
import { toText } from "./text.ts";
import { readXml } from "./xml.ts";

/** What came back, checked. `broken` counts the records of a batch that break their contract. */
export type Decoded =
  | { readonly state: "fresh"; readonly value: unknown; readonly broken: number }
  | { readonly state: "missing" }
  | { readonly state: "invalid"; readonly problem: string };

/** A body that is not what was promised. Completes the sentence "The source … ". */
export class Unreadable extends Error {
  override readonly name = "Unreadable";
}

/** Reads and checks a body. A list with a broken record is invalid as a whole; a batch only loses that record. */
export async function decode(plan: HttpPlan, answer: UpstreamAnswer, batch: boolean): Promise<Decoded> {
  if (answer.status === 204 || (answer.body.byteLength === 0 && plan.format !== "ndjson")) return { state: "missing" };
  let read: unknown;
  try {
    refuseErrorPage(answer, plan.format);
    const { schema, rows = [] } = plan;
    const text = toText(answer, plan.format);
    if (plan.format === "json") read = readJson(text);
    else if (plan.format === "ndjson") read = readNdjson(text);
    else if (plan.format === "csv") read = readCsv(text, describe(schema));
    else read = readXml(text, rows, describe(schema));
  } catch (error) {
    if (error instanceof Unreadable) return { state: "invalid", problem: error.message };
    throw error;
  }
  if (plan.format !== "json") return records(plan.schema, read as readonly unknown[], batch);
  if (batch) {
    // The schema of a JSON batch is that of the whole list, so it stands or falls as a whole.
    if (!Array.isArray(read)) return { state: "invalid", problem: "answered with something that is no list" };
  }
  const checked = await validate(plan.schema, read);
  return checked.ok
    ? { state: "fresh", value: checked.value, broken: 0 }
    : { state: "invalid", problem: `answered with something that breaks its contract: ${tell(checked.issues)}` };
}

async function records(schema: AnySchema, read: readonly unknown[], batch: boolean): Promise<Decoded> {
  const good: unknown[] = [];
  let broken = 0;
  for (const [at, record] of read.entries()) {
    const checked = await validate(schema, record);
    if (checked.ok) good.push(checked.value);
    else if (batch) broken += 1;
    else
      return {
        state: "invalid",
        problem: `answered with a record that breaks its contract: ${tell(checked.issues, at)}`,
      };
  }
  return { state: "fresh", value: good, broken };
}

// A proxy in front of a broken service likes to say that all is well, in HTML.
function refuseErrorPage({ headers }: UpstreamAnswer, format: HttpPlan["format"]): void {
  const type = headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (type === "text/html" || (type === "application/xhtml+xml" && format !== "xml"))
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

// Only a help (required columns, repeated elements); a schema that cannot describe itself is still checked.
function describe(schema: AnySchema) {
  try {
    return toJsonSchema(schema);
  } catch {
    return {};
  }
}
