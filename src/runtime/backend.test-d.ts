// What a backend is made of, and what must not compile. `tsc` fails here if one of the mistakes begins to compile.
import { z } from "zod";
import { command, contract, event } from "../contracts/index.ts";
import { workflow } from "../orchestration/index.ts";
import { entity, store, subscription } from "../storage/index.ts";
import { type Backend, backend } from "./index.ts";

const Line = z.object({ id: z.string() });
const Notes = contract("notes", "1.0.0", { write: command({ input: Line }), Written: event(Line) });
const Mails = contract("mails", "1.0.0", { send: command({ input: Line }) });
const note = entity("note", { events: Notes, state: z.object({}), initial: {}, evolve: { Written: () => ({}) } });
const notes = store(
  Notes,
  { note },
  { write: (line, { note }) => note(line.id).decide((_, { Written }) => Written(line)) },
);
const listener = subscription("listener", { events: Notes, handle: { Written: () => {} } });
const writing = workflow(Mails.send, { version: 1, uses: [Notes] }, async (line, { notes }) => {
  await notes.write(line);
});

backend("stores and subscriptions", { storage: [notes, listener] }) satisfies Backend;
backend("a subscription alone", { storage: [listener] }) satisfies Backend;
backend("with what uses it", { storage: [listener, notes], orchestration: [writing] }) satisfies Backend;
// @ts-expect-error - a subscription to a contract's events does not implement the contract
backend("without the store", { storage: [listener], orchestration: [writing] });
backend("with its address", { storage: [listener], orchestration: [writing], remote: { notes: "https://notes.test" } });
// @ts-expect-error - an entity is kept by a store
backend("an entity", { storage: [note] });
