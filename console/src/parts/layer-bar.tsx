import type { JSX } from "preact";
import { duration } from "../format.ts";
import { layers } from "../model/layer.ts";
import { busyMs, type Shares } from "../model/shares.ts";

/** Which layer took how much of the time. */
export function LayerBar({ shares }: { readonly shares: Shares }): JSX.Element {
  const total = busyMs(shares);
  const parts = layers.filter((layer) => total > 0 && shares[layer] / total > 0.005);
  const words = parts.map((layer) => `${layer} ${duration(shares[layer])}`).join(", ");
  return (
    <span
      class="layer-bar"
      role="img"
      aria-label={words ? `Time by layer: ${words}` : "No time measured yet"}
      title={words}
    >
      {parts.map((layer) => (
        <i key={layer} class={`of-${layer}`} style={{ flexGrow: shares[layer] / total }} />
      ))}
    </span>
  );
}
