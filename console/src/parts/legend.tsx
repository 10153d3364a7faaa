import type { JSX } from "preact";
import { duration } from "../format.ts";
import { layers } from "../model/layer.ts";
import type { Shares } from "../model/shares.ts";

/** The colours of the layers, with the time that each took. */
export function Legend({ shares }: { readonly shares: Shares }): JSX.Element {
  return (
    <ul class="legend" aria-label="Time by layer">
      {layers
        .filter((layer) => shares[layer] > 0)
        .map((layer) => (
          <li key={layer} class={`of-${layer}`}>
            <i aria-hidden="true" />
            {layer} <b>{duration(shares[layer])}</b>
          </li>
        ))}
    </ul>
  );
}
