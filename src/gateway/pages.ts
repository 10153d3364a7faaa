import { isLoopback } from "./loopback.ts";
import type { GatewayParts } from "./ports.ts";

/** Something that a person opens in a browser. */
export interface Page {
  readonly name: "console" | "API docs";
  readonly url: string;
  /** What to know before it is opened. */
  readonly note?: string;
}

/** The pages as they are served with these settings: no console where it is off, and no page that was not built. */
export function pagesOf({ settings, assets }: Pick<GatewayParts, "settings" | "assets">, url: string): readonly Page[] {
  const docs: Page =
    assets === undefined
      ? { name: "API docs", url: `${url}/openapi.json`, note: "as a page once npm run build was run" }
      : { name: "API docs", url: `${url}/docs` };
  if (settings.console === "off") return [docs];
  const isOpen = settings.console === "on" && isLoopback(settings.host);
  const note = assets === undefined ? "once npm run build was run" : isOpen ? undefined : "with the scope console:read";
  return [{ name: "console", url: `${url}/console`, ...(note !== undefined && { note }) }, docs];
}
