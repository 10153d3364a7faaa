import { type SeenSpan, type SpanRecord, text } from "./span.ts";

/** Where work is done. The gateway and remote services are no layers, but time is spent there too. */
export type Layer = "gateway" | "orchestration" | "aggregation" | "storage" | "remote";
export const layers: readonly Layer[] = ["gateway", "orchestration", "aggregation", "storage", "remote"];

/** A call over the network, as its caller sees it. */
export const isHop = (span: SeenSpan | SpanRecord): boolean =>
  span.kind === "operation" && text(span, "server.address") !== undefined;

export function layerOf(span: SeenSpan | SpanRecord): Layer {
  switch (span.kind) {
    case "request":
      return "gateway";
    case "run":
    case "step":
      return "orchestration";
    case "view":
    case "source":
      return "aggregation";
    case "append":
      return "storage";
    case "operation":
      return layers.find((layer) => layer === text(span, "trilith.layer")) ?? (isHop(span) ? "remote" : "gateway");
  }
}
