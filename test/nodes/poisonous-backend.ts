// A backend with a workflow that ends its process, one that holds it, and one that does nothing bad. Run by poison.test.ts.
import { backend } from "trilith";
import { command, contract } from "trilith/contracts";
import { workflow } from "trilith/orchestration";
import { z } from "zod";

const Chores = contract("chores", "1.0.0", {
  exit: command({ input: z.object({ id: z.string() }), http: "POST /exits", access: "public" }),
  hold: command({ input: z.object({ id: z.string() }), http: "POST /holds", access: "public" }),
  rest: command({ input: z.object({ id: z.string() }), http: "POST /rests", access: "public" }),
});
const exit = workflow(Chores.exit, { version: 1 }, async (_, { run }) => {
  await run.step("exit", () => process.kill(process.pid, "SIGKILL"));
});
const hold = workflow(Chores.hold, { version: 1 }, async (_, { run }) => {
  await run.step("before", () => 1);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); // as an endless loop would, and leaves the processor alone
});
const rest = workflow(Chores.rest, { version: 1 }, async (_, { run }) => {
  await run.step("rest", () => new Promise((resolve) => setTimeout(resolve, 300)).then(() => {}));
});

export default backend("poison", { orchestration: [exit, hold, rest] });
