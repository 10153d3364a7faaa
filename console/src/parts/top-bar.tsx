import type { JSX } from "preact";
import { amount, duration } from "../format.ts";
import { perMinute } from "../model/rates.ts";
import { useConsole } from "./context.ts";
import { Icon, Logo } from "./icons.tsx";

export function TopBar(): JSX.Element {
  const { live, choice } = useConsole();
  const { hello, rates } = live.world.value;
  return (
    <header class="top">
      <div class="top-name">
        <Logo />
        <h1>{hello?.name ?? "Trilith"}</h1>
        {hello && (
          <span class="top-version">
            {hello.version !== "" && hello.version !== undeclared && <span>v{hello.version.replace(/^v/, "")}</span>}
            <span>pid {hello.pid}</span>
          </span>
        )}
      </div>
      <nav class="tabs" aria-label="Views">
        <a href="#live" aria-current={choice.view.value === "live" ? "page" : undefined}>
          Live
        </a>
        <a href="#runs" aria-current={choice.view.value === "runs" ? "page" : undefined}>
          Runs
        </a>
        <a href="#schedules" aria-current={choice.view.value === "schedules" ? "page" : undefined}>
          Schedules
        </a>
        <a href="#sources" aria-current={choice.view.value === "sources" ? "page" : undefined}>
          Sources
        </a>
        <a href="#contracts" aria-current={choice.view.value === "contracts" ? "page" : undefined}>
          Contracts
        </a>
      </nav>
      <LiveState />
      <dl class="top-facts">
        <div>
          <dt>Uptime</dt>
          <dd>{hello ? wholeSeconds(live.now.value - hello.startedMs) : "–"}</dd>
        </div>
        <div>
          <dt>Requests / min</dt>
          <dd>{amount(perMinute(rates, "requests", live.now.value))}</dd>
        </div>
      </dl>
      <nav class="top-actions" aria-label="Backend">
        <a class="button" href="/docs">
          <span class="long">API docs</span>
          <span class="short">Docs</span>
          <Icon name="out" />
        </a>
        {hello?.canCrash && (
          <button
            type="button"
            class="button button-danger"
            disabled={live.crashing.value || live.connection.value.is !== "live"}
            title={`Kills process ${hello.pid} with SIGKILL. Its supervisor starts another one.`}
            onClick={() => live.crash()}
          >
            <Icon name="bolt" />
            <span class="long">Crash the process</span>
            <span class="short">Crash</span>
          </button>
        )}
      </nav>
    </header>
  );
}

function LiveState(): JSX.Element {
  const { live } = useConsole();
  const connection = live.connection.value;
  const words = { connecting: "Connecting", live: "Live", lost: "Reconnecting" }[connection.is];
  return (
    <div class={`live is-${connection.is}`} role="status">
      <span class="live-dot" />
      {words}
      {connection.is === "lost" && connection.attempt > 2 && (
        <button type="button" class="link" onClick={() => live.retry()}>
          Try now
        </button>
      )}
    </div>
  );
}

/** What a backend says of whose version nobody said anything. */
const undeclared = "0.0.0";
const wholeSeconds = (ms: number) => (ms < 60_000 ? `${Math.max(0, Math.floor(ms / 1000))} s` : duration(ms));
