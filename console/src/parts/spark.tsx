import type { JSX } from "preact";

/** A minute in sixty bars. */
export function Spark({ counts }: { readonly counts: readonly number[] }): JSX.Element {
  const most = Math.max(...counts, 4);
  return (
    <svg class="spark" viewBox={`0 0 ${counts.length * 4} 28`} preserveAspectRatio="none" aria-hidden="true">
      {counts.map((count, i) => {
        const height = count === 0 ? 1 : 3 + (count / most) * 25;
        return (
          <rect
            key={String(i)}
            class={count === 0 ? "spark-none" : ""}
            x={i * 4}
            y={28 - height}
            width="2.6"
            height={height}
            rx="0.8"
          />
        );
      })}
    </svg>
  );
}
