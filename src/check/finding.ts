import type { RuleId } from "./rules/catalogue.ts";

/** Offsets into a file's text, in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Something that breaks a rule. Files are named relative to the project, with slashes. */
export interface Finding {
  readonly rule: RuleId;
  readonly file: string;
  /** Where in the file; the file as a whole without it. */
  readonly at?: Span;
  readonly message: string;
  /** What it is about where lines say little: `bookings.hold`, `trips.book input /email`. */
  readonly about?: string;
  /** Other files that it is about as much; what is said of them for the same reason is then left unsaid. */
  readonly concerns?: readonly string[];
  /** What helps here, where it is more to the point than what the rule says in general. */
  readonly wayOut?: string;
}
