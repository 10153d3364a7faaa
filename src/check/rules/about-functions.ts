import type { Rule } from "./catalogue.ts";

type FunctionRule = "pure/clock" | "pure/random" | "pure/timer" | "pure/environment" | "pure/state" | "pure/io";

const where =
  "Workflows, decisions, evolve and read model handlers, shapes and upcasters are acted out again: in a replay, in a rebuild, when a race was lost.";

/** What functions that are acted out again may not do by themselves. Helpers that they call count as part of them. */
export const functionRules: { readonly [rule in FunctionRule]: Rule } = {
  "pure/clock": {
    what: "No clock inside workflows, decisions, evolve, read model handlers, shapes and upcasters.",
    why: `${where} The clock says something else each time, and the second outcome differs from the first.`,
    wayOut:
      "In a workflow ask `run.now()`. In a store's handler take `now` from what it is handed, and let the event carry the time.",
    wrong: "const at = new Date(); // in a workflow",
    right: "const at = run.now();",
  },
  "pure/random": {
    what: "No randomness inside workflows, decisions, evolve, read model handlers, shapes and upcasters.",
    why: `${where} A new number or id each time means: a second payment, another booking.`,
    wayOut:
      "In a workflow ask `run.uuid()` or `run.random()`. For a decision, draw the value in the handler, outside of `decide`, or let the caller send it.",
    wrong: "const payment = crypto.randomUUID(); // in a workflow",
    right: "const payment = run.uuid();",
  },
  "pure/timer": {
    what: "No timers inside workflows, decisions, evolve, read model handlers, shapes and upcasters.",
    why: `${where} A timer lives in one process and is gone with it.`,
    wayOut: 'In a workflow `await run.sleep("2 days")`: it is on disk, and any node wakes the run up.',
    wrong: "await new Promise((done) => setTimeout(done, 60_000)); // in a workflow",
    right: 'await run.sleep("1 minute");',
  },
  "pure/environment": {
    what: "No process and no environment inside workflows, decisions, evolve, read model handlers, shapes and upcasters.",
    why: `${where} The next time may be on another machine, with other settings.`,
    wayOut:
      "Let the command carry what it depends on, or make it a constant of this version. In a workflow, read it in a `run.step`.",
    wrong: 'if (process.env.REGION === "eu") { … } // in a workflow',
    right: 'const region = await run.step("region", () => process.env.REGION ?? "eu");',
  },
  "pure/state": {
    what: "Workflows, decisions, evolve, read model handlers, shapes and upcasters change no variable of a module.",
    why: `${where} What is counted or kept in a module is another number on another machine, and starts anew with each process.`,
    wayOut:
      "In a workflow keep it in a variable of the run: a replay works it out again. What outlives a run belongs into a store.",
    wrong: "booked += 1; // in a workflow; `let booked = 0` stands above it",
    right: "let booked = 0; // inside the workflow",
  },
  "pure/io": {
    what: "No files, processes, network or console inside workflows, decisions, evolve, read model handlers, shapes and upcasters.",
    why: `${where} What they do to the outside would be done again, and what they read there may have changed.`,
    wayOut:
      'In a workflow, put it into a step: `run.step("name", …)` happens once and its result is on disk. Elsewhere, hand the value in.',
    wrong: 'const template = readFileSync("mail.txt"); // in a workflow',
    right: 'const template = await run.step("template", () => readFile("mail.txt", "utf8"));',
  },
};
