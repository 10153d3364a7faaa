/** The part of SARIF 2.1.0 (OASIS, sections 3.13 to 3.49) that our reports use: closed, so that a misspelt property fails. */
const closed = (properties: object, ...required: string[]): object => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
});
const text = { type: "string", minLength: 1 };
const message = closed({ text }, "text");
const position = { type: "integer", minimum: 1 };
const listOf = (items: object): object => ({ type: "array", items });

const rule = closed(
  {
    id: text,
    shortDescription: message,
    fullDescription: message,
    help: message,
    defaultConfiguration: closed({ level: { enum: ["none", "note", "warning", "error"] } }),
  },
  "id",
);
const region = closed({ startLine: position, startColumn: position, endLine: position, endColumn: position });
const artifact = closed({ uri: { type: "string", pattern: "^[^\\\\ ]+$" }, uriBaseId: text }, "uri");
const location = closed({ physicalLocation: closed({ artifactLocation: artifact, region }, "artifactLocation") });
const suppression = closed({ kind: { enum: ["inSource", "external"] }, justification: text }, "kind");
const result = closed(
  {
    ruleId: text,
    ruleIndex: { type: "integer", minimum: 0 },
    level: { enum: ["none", "note", "warning", "error"] },
    message,
    locations: listOf(location),
    suppressions: listOf(suppression),
    partialFingerprints: { type: "object", additionalProperties: { type: "string" } },
  },
  "message",
);
const run = closed(
  {
    tool: closed({ driver: closed({ name: text, semanticVersion: text, rules: listOf(rule) }, "name") }, "driver"),
    columnKind: { enum: ["utf16CodeUnits", "unicodeCodePoints"] },
    originalUriBaseIds: {
      type: "object",
      additionalProperties: closed({ uri: { type: "string", pattern: "^file:///.*/$" } }),
    },
    invocations: listOf(closed({ executionSuccessful: { type: "boolean" } }, "executionSuccessful")),
    results: listOf(result),
  },
  "tool",
);
export const sarifSchema: object = closed(
  { $schema: text, version: { const: "2.1.0" }, runs: listOf(run) },
  "version",
  "runs",
);
