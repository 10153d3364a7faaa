import { type Goal, rowOf } from "../frame/goals.ts";

const lone =
  "An append is two rows with four entries in indexes, under a lock that makes positions follow commits; the bare insert is one row in one index. Both have one round trip and one flush, so the share is the larger the faster the disk flushes. Fewer entries in indexes an event would change it; more clients do, for their appends share all of that.";
const command =
  "A command is an append and more: it comes through the dispatcher, its input and output are checked against the contract, it has a span, and it decides over the state that is remembered. All of that is done by the main thread, about 15 µs of it where a plain append takes 5 or 6. Its stream is an old one, whose entry in the index of streams and revisions changed a page of its own; on SQLite such entries gather now (decision 100), and a command writes no more to the disk than a plain append does. The halves of the clients no longer wait for each other by turns (decision 101). What is left is the main thread's part.";
const lateness =
  "What is late is what this process does between two turns of its event loop: appends of a turn are packed together, and answers of a batch are told together. Smaller batches would change it, and cost speed.";
const grown =
  "What grows with a log is the depth of its indexes, and the share of their pages that is not in memory: new names of streams meet an index that is larger than what comes together of them (decision 84), and each checkpoint writes those pages out. Names that begin alike lie together and cost less; so does a larger cache.";
const opening =
  "Opening reads what the process has to know, which is the end of the log and of its names, and starts its threads. What came after the last checkpoint of the database itself is read as well, so a log that was not closed takes longer.";

export const goals: readonly Goal[] = [
  {
    row: rowOf("append-1", "trilith-sqlite", 128),
    figure: "opsPerSecond",
    times: [rowOf("append-1", "limit-sqlite", 128)],
    reach: { is: "at least", value: 0.28 },
    from: "100,000 a second where bare inserts give 356,000",
    why: "A new event in a new stream is a row of the log, a row of the stream, two entries in indexes and a message to the thread that writes and back; the bare insert is one row. 100,000 of them a second would leave two cores 20 µs of the processor for each. That thread takes about 10 (15 before decision 84) and the main thread about 5; flushing, the collector and this bench take the rest. Nothing stops the two for long since the WAL is copied beside them (decision 90). Appends of many events to one stream, see `append-100`, come nearer. A leaner message between the threads saves a third of a microsecond (decision 61); what is left would take an index less.",
  },
  {
    row: rowOf("append-1", "trilith-postgres", 32),
    figure: "opsPerSecond",
    times: [rowOf("append-1", "emmett", 32)],
    reach: { is: "at least", value: 5 },
    why: "Appends of one process share a round trip and a commit, and Emmett's have one each. Where a flush costs next to nothing, sharing it gains less; what is left is the server's work for each event.",
  },
  {
    row: rowOf("append-1", "trilith-postgres", 1),
    figure: "p50Ms",
    times: [rowOf("append-1", "limit-postgres-single", 1)],
    reach: { is: "at most", value: 1.5 },
    why: lone,
  },
  {
    row: rowOf("append-100", "trilith-postgres", 8),
    figure: "opsPerSecond",
    times: [rowOf("append-100", "limit-postgres", 8)],
    reach: { is: "at least", value: 0.8 },
    why: "The limit has a row for each event, and Trilith one for up to 64 small ones of an append (decision 68); both wait for the same number of flushes. Larger events share less: from 900 characters on each has a row, with an entry in each of two indexes.",
  },
  {
    row: rowOf("append-100", "trilith-postgres", 8),
    figure: "opsPerSecond",
    times: [rowOf("append-100", "emmett", 8)],
    reach: { is: "above", value: 1 },
    why: "Both write a hundred events with one flush; what is left is the server's work for each event.",
  },
  {
    row: rowOf("rebuild", "trilith-sqlite", 1),
    figure: "opsPerSecond",
    reach: { is: "at least", value: 100_000 },
    why: "Each event is parsed, checked against its contract and handed to a handler; what a step of up to four thousand events makes of each row is then written once (decision 49). In the short rebuild of --quick the start of the backend counts, and code that the compiler has not seen yet. Compiled checks, and reading the next page while one is written, would change it.",
  },
  {
    row: rowOf("rebuild", "trilith-postgres", 1),
    figure: "opsPerSecond",
    reach: { is: "at least", value: 50_000 },
    why: "What a step makes of each row is worked out by the process of the reader, and the server writes it once (decision 49). In the short rebuild of --quick the start of the backend counts. Reading the next page while one is written would change it.",
  },
  {
    row: rowOf("rebuild", "trilith-sqlite", 1),
    figure: "peakMemoryMb",
    why: "One figure cannot show that memory is flat. It is the most that the process ever held, filling the log with a million events before it included; what a reader holds is a step of up to four thousand events and up to 32,768 short documents, however long the log is.",
  },
  {
    row: rowOf("entity-command", "trilith-sqlite", 128),
    figure: "opsPerSecond",
    times: [rowOf("append-1", "trilith-sqlite", 128)],
    reach: { is: "at least", value: 0.667 },
    from: "a plain append is at most 1.5 times as fast",
    why: command,
  },
  {
    row: rowOf("entity-command", "trilith-postgres", 128),
    figure: "opsPerSecond",
    times: [rowOf("append-1-at-100k", "trilith-postgres", 128), rowOf("append-1-at-50k", "trilith-postgres", 128)],
    reach: { is: "at least", value: 0.667 },
    from: "as above; a plain append of 128 clients",
    why: `${command} On PostgreSQL an expected revision is also looked up by the server.`,
  },
  {
    row: rowOf("loop-delay", "trilith-sqlite", 128),
    figure: "p99Ms",
    reach: { is: "below", value: 10 },
    why: lateness,
  },
  {
    row: rowOf("loop-delay", "trilith-postgres", 32),
    figure: "p99Ms",
    reach: { is: "below", value: 10 },
    why: lateness,
  },
  {
    row: rowOf("append-1-at-1m", "trilith-postgres", 128),
    figure: "opsPerSecond",
    times: [rowOf("append-1-at-100k", "trilith-postgres", 128)],
    reach: { is: "at least", value: 0.8 },
    from: "the same, as nearly as rounds agree",
    why: grown,
  },
  {
    row: rowOf("append-1-at-10m", "trilith-sqlite", 128),
    scale: true,
    figure: "opsPerSecond",
    times: [rowOf("append-1-at-100k", "trilith-sqlite", 128)],
    reach: { is: "at least", value: 0.8 },
    from: "the same, as nearly as rounds agree",
    why: grown,
  },
  {
    row: rowOf("reopen-10m", "trilith-sqlite", 128),
    scale: true,
    figure: "p50Ms",
    reach: { is: "below", value: 1_000 },
    why: opening,
  },
  {
    row: rowOf("reopen-10m", "trilith-sqlite", 128),
    scale: true,
    figure: { note: "MB on disk" },
    why: "The file, with its indexes and the ids of its events: that is what ten million small events take.",
  },
];
