import { CsvError, parse } from "csv-parse/sync";
import type { JsonSchema } from "../../contracts/index.ts";
import { Unreadable } from "./unreadable.ts";

/** RFC 4180 with a header line. A column that the schema wants and the header lacks is refused, even without records. */
export function readCsv(text: string, schema: JsonSchema): readonly unknown[] {
  let lines: string[][];
  try {
    lines = parse(text, { bom: true, skip_empty_lines: true });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error.lines === "number" ? ` in line ${error.lines}` : "";
    throw new Unreadable(`answered with CSV that cannot be read${line}: ${sentences[error.code] ?? "it is malformed"}`);
  }
  const [header = [], ...rest] = lines;
  const twice = header.find((column, at) => header.indexOf(column) !== at);
  if (twice !== undefined) throw new Unreadable("answered with CSV that has two columns of one name");
  const wanted = Array.isArray(schema.required) ? schema.required : [];
  const lacking = wanted.filter((column) => !header.includes(column));
  if (lacking.length > 0) throw new Unreadable(`answered with CSV that lacks the column ${lacking.join(", ")}`);
  // An error page is text as well, and its first line would pass for a header.
  const known = Object.keys((schema.properties as object | undefined) ?? {});
  if (header.length > 0 && known.length > 0 && !header.some((column) => known.includes(column)))
    throw new Unreadable("answered with text that has none of the promised columns");
  // fromEntries defines own fields, so a column called __proto__ cannot reach a prototype.
  return rest.map((cells) => Object.fromEntries(header.map((column, at) => [column, cells[at]])));
}

// The library's own messages quote the record, which may hold what belongs in no log.
const sentences: { readonly [code: string]: string } = {
  CSV_QUOTE_NOT_CLOSED: "a quote is not closed",
  CSV_INVALID_CLOSING_QUOTE: "a quote is closed in the middle of a cell",
  INVALID_OPENING_QUOTE: "a quote begins in the middle of a cell",
  CSV_RECORD_INCONSISTENT_FIELDS_LENGTH: "a record has more or fewer cells than the header",
};
