import type { Report } from "../check.ts";
import type { Finding } from "../finding.ts";
import { columnOf, lineOf } from "../text-lines.ts";

/** Where a finding stands: lines and columns from 1, columns in UTF-16 units; the end is the first column behind it. */
export interface Place {
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

export function placeOf({ textOf }: Report, { file, at }: Finding): Place | undefined {
  const text = textOf(file);
  if (!at || text === undefined) return undefined;
  return {
    line: lineOf(text, at.start),
    column: columnOf(text, at.start),
    endLine: lineOf(text, at.end),
    endColumn: columnOf(text, at.end),
  };
}
