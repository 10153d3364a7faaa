import { Fault, type FaultCode, faultCodes } from "./fault.ts";
import { componentName, refTo } from "./openapi-components.ts";
import type { Named, Operation } from "./operation.ts";
import { failureType, faultType } from "./problem.ts";
import { hasBody, type Route } from "./route.ts";
import type { JsonSchema } from "./schema.ts";

/** What every failure looks like. */
export const problemSchema: JsonSchema = Object.freeze({
  type: "object",
  description: "A problem document (RFC 9457).",
  required: ["type", "title", "status", "code", "retry"],
  properties: {
    type: { type: "string", format: "uri", description: "Stable, one for each failure." },
    title: { type: "string", description: "A sentence for people." },
    status: { type: "integer", minimum: 400, maximum: 599 },
    detail: { type: "string", description: "For people; it may change." },
    instance: { type: "string", format: "uri", description: "The request that it happened in." },
    code: { type: "string", description: "Stable: the failure's name in the contract, or a fault's." },
    retry: { type: "string", enum: ["never", "later", "now"], description: "Whether sending it again can help." },
    details: { description: "What the contract declares to be told with this failure." },
    issues: {
      type: "array",
      items: {
        type: "object",
        required: ["path", "message"],
        properties: {
          path: { type: "string", description: "Where, as a JSON Pointer (RFC 6901)." },
          message: { type: "string" },
        },
      },
    },
    trace: { type: "string", description: "The id of the request's trace." },
  },
});

interface Kind {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly schema: JsonSchema;
}

/** The problem responses of an operation by status: those that its contract declares, and the faults that can happen. */
export function problemResponses(operation: Operation & Named & { readonly route: Route }): {
  readonly [status: string]: object;
} {
  const declared = Object.entries(operation.failures).map(
    ([code, { status, message, details }]): Kind => ({
      code,
      status,
      title: message,
      schema: kindSchema(
        code,
        failureType(operation.id, code),
        details && refTo(componentName(operation.id, `${code}Details`)),
      ),
    }),
  );
  return toResponses([...declared, ...faultsOf(operation).map(faultKind)]);
}

/** The problem responses of faults alone. */
export const faultResponses = (codes: readonly FaultCode[]): { readonly [status: string]: object } =>
  toResponses(codes.map(faultKind));

function toResponses(kinds: readonly Kind[]): { readonly [status: string]: object } {
  const statuses = [...new Set(kinds.map(({ status }) => status))].sort((a, b) => a - b);
  return Object.fromEntries(
    statuses.map((status) => {
      const here = kinds.filter((kind) => kind.status === status);
      const [only] = here;
      const schema = here.length === 1 && only ? only.schema : { anyOf: here.map((kind) => kind.schema) };
      const description = here.map(({ code, title }) => `\`${code}\`: ${title}`).join(" ");
      return [
        String(status),
        { description, ...headersOf(status), content: { "application/problem+json": { schema } } },
      ];
    }),
  );
}

function faultKind(code: FaultCode): Kind {
  const { status, title } = new Fault(code, "");
  return { code, status, title, schema: kindSchema(code, faultType(code)) };
}

const kindSchema = (code: string, type: string, details?: JsonSchema): JsonSchema => ({
  allOf: [
    refTo("Problem"),
    {
      type: "object",
      properties: { type: { const: type }, code: { const: code }, ...(details && { details }) },
      ...(details && { required: ["details"] }),
    },
  ],
});

/** What can go wrong with an operation though no contract says so. */
function faultsOf({ access, route, kind }: Operation & { readonly route: Route }): readonly FaultCode[] {
  const guarded = access !== "public";
  const never: readonly FaultCode[] = [
    "UnknownRoute",
    "MethodNotAllowed",
    "TooManyRequests",
    ...(guarded ? [] : (["Forbidden"] as const)),
    ...(hasBody(route.verb) ? [] : (["BodyTooLarge", "UnsupportedMediaType"] as const)),
    ...(kind === "command" ? (["UnknownField"] as const) : []),
    ...(kind === "command" ? [] : (["Voided", "Cancelled", "Terminated", "KeyReused"] as const)),
  ];
  return faultCodes.filter((code) => !never.includes(code));
}

function headersOf(status: number): object {
  if (status === 401) return { headers: { "WWW-Authenticate": { schema: { type: "string" } } } };
  if (status === 503) return { headers: { "Retry-After": { schema: { type: "integer" } } } };
  return {};
}
