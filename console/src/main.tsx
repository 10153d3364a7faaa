import { render } from "preact";
import { Choice } from "./feed/choice.ts";
import { Live } from "./feed/live.ts";
import { summaries } from "./model/summary.ts";
import { App } from "./parts/app.tsx";
import { Console } from "./parts/context.ts";
import { RunsDesk } from "./runs/desk.ts";

const place = document.getElementById("console");
if (!place)
  throw new Error("The page has no element #console to draw into; index.html and main.tsx do not fit together.");

const live = new Live("/console/feed");
live.start();
render(
  <Console.Provider value={{ live, choice: new Choice(), runs: new RunsDesk(), summaryOf: summaries() }}>
    <App />
  </Console.Provider>,
  place,
);
