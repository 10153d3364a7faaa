import type { JSX } from "preact";
import { useConsole } from "./context.ts";

export function NothingYet(): JSX.Element {
  const { live } = useConsole();
  if (live.connection.value.is !== "live")
    return (
      <div class="empty">
        <h2>{live.connection.value.is === "lost" ? "The backend does not answer" : "Connecting"}</h2>
        <p>This page tries again by itself. If nothing comes, look at the terminal in which the backend was started.</p>
      </div>
    );
  return (
    <div class="empty">
      <h2>Nothing has come in yet</h2>
      <p>Send a request, and watch it go through the layers. Try:</p>
      <pre>
        <code>{`curl ${location.origin}/livez`}</code>
      </pre>
      <p>
        Every operation with an example is in the <a href="/docs">API docs</a>.
      </p>
    </div>
  );
}

export function NothingChosen({ missing }: { readonly missing: boolean }): JSX.Element {
  const { choice } = useConsole();
  return (
    <div class="empty empty-large">
      {missing ? (
        <>
          <h2>This trace is not here any more</h2>
          <p>The page keeps the latest few hundred, and a backend sends only its recent ones.</p>
          <button type="button" class="button" onClick={() => choice.choose(undefined)}>
            Follow the latest
          </button>
        </>
      ) : (
        <>
          <h2>One request, from the gateway to the disk</h2>
          <p>As soon as something comes in, its way through orchestration, aggregation and storage is drawn here.</p>
        </>
      )}
    </div>
  );
}
