import { faultResponses } from "./openapi-problems.ts";

/** What the documents of an operator's routes have in common. */
export const text: { readonly type: string } = { type: "string" };
export const instant: { readonly type: string; readonly format: string } = { type: "string", format: "date-time" };
export const security: readonly object[] = [{ bearer: [] }, { apiKey: [] }];
export const json = (description: string, schema: object): object => ({
  description,
  content: { "application/json": { schema } },
});
export const faults: ReturnType<typeof faultResponses> = faultResponses([
  ...(["Unauthenticated", "Forbidden", "UnknownRoute", "InvalidInput", "Internal", "Unavailable"] as const),
]);
