import type { JSX } from "preact";
import type { Way } from "../feed/pulse.ts";
import { perSecond } from "../model/rates.ts";
import { useConsole } from "./context.ts";

/**
 * The trilith itself: two stones stand, one spans them, none is glued. Calls come in through the gate, and everything
 * that goes from stone to stone goes by way of the contracts, in the open middle.
 */
export function Diagram(): JSX.Element {
  const { live } = useConsole();
  const { hello, rates, sources, remotes: seen } = live.world.value;
  const now = live.now.value;
  const contracts = hello?.contracts ?? [];
  // A backend tells of the contracts that it serves; those that it calls elsewhere show when they are called.
  const named = contracts.filter(({ layer }) => layer === "remote").map(({ name }) => name);
  const remotes = [...new Set([...named, ...seen])].sort();
  const meeting = new Set([...contracts.map(({ name }) => name), ...remotes]).size;
  const heat = (perSec: number) => Math.min(1, Math.sqrt(perSec / 12)).toFixed(2);
  const upstreams = [...sources].sort(([a], [b]) => a.localeCompare(b)).slice(0, 4);
  return (
    <figure class="diagram">
      <svg
        viewBox="0 0 660 216"
        role="img"
        aria-label={`Calls come in through the gateway and meet ${meeting} contracts, behind which stand orchestration, aggregation and storage.`}
      >
        <g class="ways">
          {(Object.keys(ways) as Way[])
            .filter((way) => way !== "source" && way !== "append")
            .map((way) => (
              <path key={way} d={ways[way]} />
            ))}
          {upstreams.map(([name], i) => (
            <path key={name} d={sourceWay(i, upstreams.length)} />
          ))}
        </g>
        <path class="ground" d="M140 196 H520" />
        <g class="stone of-orchestration" style={{ "--heat": heat(perSecond(rates, "steps", now)) }}>
          <rect x="170" y="18" width="320" height="48" rx="7" />
          <text x="330" y="46.5">
            Orchestration
          </text>
        </g>
        <g class="stone of-aggregation" style={{ "--heat": heat(perSecond(rates, "sources", now)) }}>
          <rect x="188" y="76" width="104" height="120" rx="7" />
          <text x="240" y="140">
            Aggregation
          </text>
        </g>
        <g class="stone of-storage" style={{ "--heat": heat(perSecond(rates, "appends", now)) }}>
          <rect x="368" y="76" width="104" height="120" rx="7" />
          <text x="420" y="140">
            Storage
          </text>
        </g>
        <g class="hub">
          <rect x="322" y="118" width="16" height="16" rx="3.5" transform="rotate(45 330 126)" />
          <text x="330" y="160">
            {meeting > 0 ? `${meeting} contracts` : "contracts"}
          </text>
        </g>
        <text class="outer" x="339" y="211">
          requests
        </text>
        <g class="upstreams">
          {upstreams.map(([name, { state }], i) => (
            <g key={name} class={`upstream is-${state}`}>
              <circle cx="112" cy={sourceY(i, upstreams.length)} r="3.5" />
              <text class="outer end" x="101" y={sourceY(i, upstreams.length) + 3.8}>
                {name}
              </text>
            </g>
          ))}
        </g>
        <g class="remotes">
          {remotes.slice(0, 3).map((name, i) => (
            <g key={name}>
              <circle cx="548" cy={71 + (i - (Math.min(remotes.length, 3) - 1) / 2) * 21} r="3.5" />
              <text class="outer" x="559" y={71 + (i - (Math.min(remotes.length, 3) - 1) / 2) * 21 + 3.8}>
                {name}
              </text>
            </g>
          ))}
        </g>
        <LogBlocks />
        <Pulses upstreams={upstreams.length} />
      </svg>
    </figure>
  );
}

/** Every way begins where the call comes from. The contracts are at (330, 126). */
const ways: Readonly<Record<Way, string>> = {
  request: "M330 216 V126",
  orchestration: "M330 126 V62",
  aggregation: "M330 126 H288",
  storage: "M330 126 H372",
  remote: "M330 126 V71 H536",
  source: "M192 136 H112",
  append: "M468 164 H500",
};
const sourceY = (i: number, of: number) => 136 + (i - (of - 1) / 2) * 25;
const sourceWay = (i: number, of: number) => {
  const y = sourceY(i, of);
  return `M188 136 C160 136 150 ${y} 118 ${y}`;
};

function LogBlocks(): JSX.Element {
  const { live } = useConsole();
  const position = [...live.world.value.logs.values()].reduce((sum, head) => sum + head.position, 0);
  const blocks = Array.from({ length: 11 }, (_, i) => position - i).filter((at) => at > 0);
  return (
    <g class="log">
      <path d="M472 164 H492" />
      {blocks.map((at, i) => (
        <rect
          key={String(at)}
          x="0"
          y="157"
          width="9"
          height="14"
          rx="2"
          style={{ transform: `translateX(${496 + i * 13}px)`, opacity: 1 - i * 0.09 }}
        />
      ))}
      <text class="outer" x="496" y="189">
        log
      </text>
    </g>
  );
}

function Pulses({ upstreams }: { readonly upstreams: number }): JSX.Element {
  const { live } = useConsole();
  return (
    <g class="pulses">
      {live.pulses.value.map(({ id, way, failed }) => (
        <circle
          key={String(id)}
          r="3"
          class={`pulse way-${way} ${failed ? "is-failed" : ""}`}
          style={{
            offsetPath: `path("${way === "source" && upstreams > 0 ? sourceWay(id % upstreams, upstreams) : ways[way]}")`,
          }}
          onAnimationEnd={() => live.arrived(id)}
        />
      ))}
    </g>
  );
}
