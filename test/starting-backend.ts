// What the tests of starting share, and a program of its own: `node starting-backend.ts <folder>` is killed at the moment
// in which the run of an event has begun and the checkpoint behind that event has not moved.
import { backend } from "trilith";
import { command, contract, event, query, signal } from "trilith/contracts";
import { machine, schedule, startOn, workflow } from "trilith/orchestration";
import { openSqlite } from "trilith/sqlite";
import { entity, readModel, store } from "trilith/storage";
import { z } from "zod";

const Note = z.object({ note: z.string() });
export const Notes = contract("notes", "1.0.0", {
  write: command({ input: Note, http: "POST /notes", access: "public" }),
  list: query({ input: z.object({}), output: z.array(z.string()) }),
  Written: event(Note),
});
export const Works = contract("works", "1.0.0", {
  copy: command({
    input: Note,
    http: "POST /copies",
    access: "public",
    signals: { hurry: signal(Note, { access: "public" }) },
  }),
  report: command({ input: z.object({ at: z.string() }) }),
  narrow: command({ input: Note }),
  door: command({
    input: Note,
    output: z.object({ opened: z.int() }),
    http: "POST /doors",
    access: "public",
    signals: { push: signal(z.object({}), { access: "public" }), lock: signal(z.object({}), { access: "public" }) },
    progress: z.object({ state: z.string(), opened: z.int() }),
  }),
});

const pages = entity("page", {
  events: Notes,
  state: z.object({ notes: z.int() }),
  initial: { notes: 0 },
  evolve: { Written: ({ notes }) => ({ notes: notes + 1 }) },
});
const notes = readModel("note", {
  version: 1,
  events: Notes,
  row: Note.extend({ id: z.string(), place: z.int() }),
  key: "id",
  indexes: [],
  on: { Written: ({ note }, rows, { id, revision }) => rows.put({ note, id, place: revision }) },
});
const notebook = store(
  Notes,
  { pages, notes },
  {
    write: async (note, { pages }) => {
      await pages("one").decide((_, { Written }) => Written(note));
    },
    list: async (_, { notes }) =>
      [...(await notes.find({}))].sort((one, other) => one.place - other.place).map(({ note }) => note),
  },
);
const copy = workflow(Works.copy, { version: 1, uses: [Notes] }, async ({ note }, { notes, run }) => {
  if (note.length > 1) return; // a copy is a note as well, and begins a run of its own
  await notes.write({ note: `copy of ${note}, ${run.now().toISOString().slice(0, 16)}` });
});
const report = workflow(Works.report, { version: 1, uses: [Notes] }, async ({ at }, { notes }) => {
  await notes.write({ note: `report of ${at.slice(11, 16)}` });
});
const narrow = workflow(
  Works.narrow,
  { version: 1, uses: [Notes], concurrency: 1 },
  async ({ note }, { notes, run }) => {
    await notes.write({ note: `in ${note}` });
    await run.sleep("1 minute");
    await notes.write({ note: `out ${note}` });
  },
);
export const door = machine(Works.door, {
  version: 1,
  uses: [Notes],
  stretch: 2,
  context: ({ note }) => ({ note, opened: 0 }),
  changes: { count: ({ context }) => ({ opened: context.opened + 1 }) },
  actions: {
    tell: async ({ context, notes }) => {
      await notes.write({ note: `${context.note} opened ${context.opened}` });
    },
  },
  initial: "shut",
  states: {
    shut: { on: { push: { target: "open", set: "count" }, lock: "locked" } },
    open: { entry: "tell", after: { "1 hour": "shut" } },
    locked: { type: "final" },
  },
  output: ({ context: { opened } }) => ({ opened }),
  progress: ({ state, context: { opened } }) => ({ state: String(state), opened }),
});

export const starting = backend("starting", {
  storage: [notebook],
  orchestration: [
    copy,
    report,
    narrow,
    door,
    schedule(Works.report, {
      cron: "0 * * * *",
      zone: "UTC",
      input: (at) => ({ at: at.toISOString() }),
      catchUp: "all",
      overlap: "queue",
    }),
    startOn(Notes.Written, Works.copy, { input: ({ note }) => ({ note }), key: ({ note }) => note, name: "copier" }),
  ],
});

const [folder] = process.argv[1]?.endsWith("starting-backend.ts") ? process.argv.slice(2) : [];
if (folder !== undefined) {
  const engine = await openSqlite({ folder });
  const killing = new Proxy(engine, {
    get(target, name) {
      if (name !== "commit") {
        const member: unknown = Reflect.get(target, name);
        return typeof member === "function" ? member.bind(target) : member;
      }
      return (...[checkpoint, writes]: Parameters<typeof engine.commit>) => {
        if (checkpoint.reader === "copier" && checkpoint.position > 0) process.kill(process.pid, "SIGKILL");
        return engine.commit(checkpoint, writes);
      };
    },
  });
  const running = await starting.start({
    environment: { PORT: "0", TRILITH_DATA: folder, TRILITH_LOG: "fatal" },
    engine: killing,
  });
  await running.client(Notes).write({ note: "a" });
}
