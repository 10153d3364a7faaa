import type { Deprecated } from "../contracts/index.ts";

/** How callers are told that an operation is on its way out: `Deprecation` (RFC 9745) and `Sunset` (RFC 8594). */
export function toDeprecationHeaders(deprecated: Deprecated | undefined): { readonly [header: string]: string } {
  if (!deprecated) return {};
  const { since, sunset } = deprecated;
  return {
    deprecation: `@${Date.parse(`${since}T00:00:00Z`) / 1_000}`,
    // It answers until that day is over.
    ...(sunset !== undefined && { sunset: new Date(`${sunset}T23:59:59Z`).toUTCString() }),
  };
}
