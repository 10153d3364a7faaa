import type { SpanRecord } from "../model/span.ts";

/** A way through the picture of the layers. */
export type Way = "request" | "orchestration" | "aggregation" | "storage" | "remote" | "source" | "append";
export interface Pulse {
  readonly id: number;
  readonly way: Way;
  readonly failed: boolean;
}

/** The way that a span goes when it first appears. */
export function wayOf(span: SpanRecord): Way | undefined {
  switch (span.kind) {
    case "request":
      return "request";
    case "run":
      return "orchestration";
    case "view":
      return "aggregation";
    case "source":
      return "source";
    case "append":
      return "append";
    case "operation": {
      const layer = span.attributes["trilith.layer"];
      return layer === "orchestration" || layer === "aggregation" || layer === "storage" || layer === "remote"
        ? layer
        : undefined;
    }
    case "step":
      return undefined;
  }
}
