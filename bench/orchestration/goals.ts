import { type Goal, rowOf } from "../frame/goals.ts";

const run =
  "A run of five steps takes about 170 µs of the processor over all threads, with SQLite in memory (decision 69): 65 for its six events, 45 for the two writes of the row by which it is found, 62 for acting it out, and a good part of the main thread's is garbage (decision 80 has taken most of what was kept of it away). 20,000 a second on two cores would be 100. One write of its row instead of two would save 20 to 25; a cheaper event helps here as it helps `append-1`. Nothing else that is left has more than a few per cent.";
const replay =
  "An entry takes a little more than 1 µs of the main thread where nothing else is at work: a fifth for parsing, half for delivering it to the code by itself and comparing what the code asks next; rows are fetched beside it (decision 44). What is left is spread over the turns in which code comes to rest, and a start of the backend takes 70 ms in each round. The limit, which reads and parses entries and does nothing with them, stands in the same run.";
const sleeping =
  "A node that was started again and has a million sleeping runs took 217 MB (decision 63), and this is the most that one process held in all, which made the runs over HTTP, started again and woke all of them at once. 128 MB are the main thread's young generation, which may grow to that since Node 24 and does, whatever lives in it; `--max-semi-space-size=16` of Node bounds it (decision 48). 62 are the program's own pages. Of what grows while they wake, most is garbage that only a full collection finds.";

export const goals: readonly Goal[] = [
  {
    row: rowOf("five-steps", "trilith-sqlite", 128),
    figure: "opsPerSecond",
    times: [rowOf("five-steps", "limit-sqlite", 128)],
    reach: { is: "at least", value: 0.43 },
    from: "20,000 a second where the bare journal gives 46,700",
    why: run,
  },
  {
    row: rowOf("five-steps", "trilith-sqlite", 128),
    figure: "opsPerSecond",
    times: [rowOf("five-steps", "dbos", 128), rowOf("five-steps", "restate", 128)],
    reach: { is: "at least", value: 60 },
    why: "A run takes about 170 µs of the processor, of which two writes of its row are a quarter and six events more than a third (decision 69); one write instead of two would save 20 to 25. The factor was set where the better peer gave 280 to 320 runs a second, which makes sixty times of it 20,000; where a peer does more, it asks for more than that.",
  },
  {
    row: rowOf("five-steps", "trilith-sqlite", 1),
    figure: "p50Ms",
    reach: { is: "at most", value: 2 },
    why: "One client waits for six flushes, one after the other, and for the way to the thread that writes and flushes them and back (decisions 60 and 69). The bare journal has as many flushes and no ways, for it writes and flushes in the thread that asks: its time in this run is what six flushes take now.",
  },
  {
    row: rowOf("five-steps", "trilith-postgres", 128),
    figure: "opsPerSecond",
    times: [rowOf("five-steps", "dbos", 128)],
    reach: { is: "at least", value: 30 },
    why: "Flushes are shared by all 128 clients, so what counts is the processor, and the server, this process and its clients have two cores together. A run costs the server about 170 µs (230 before decision 102): six rows of events and their entries in indexes a third, and two writes of the row by which the run is found nearly half; it costs this process about as much. The two no longer wait for each other by turns (decision 101). DBOS sends 43 statements a run, small ones; what they cost the server was not looked at. One write of the run's row instead of two would change it, and a server with cores of its own.",
  },
  {
    row: rowOf("five-steps", "trilith-postgres", 1),
    figure: "p50Ms",
    times: [rowOf("five-steps", "dbos", 1)],
    reach: { is: "at most", value: 0.5 },
    why: "Both wait for their flushes one after the other, six here and seven there, and nothing but fewer commits would save any; the rest is 43 statements there and 6 here. So the longer a flush takes, the nearer both come to each other. A step's result has to be durable before the next begins, so six commits are the least.",
  },
  {
    row: rowOf("five-steps", "trilith-postgres", 1),
    figure: { note: "commits a run" },
    why: "Six are the least for five steps: the start with the first intent, four times a result with the next intent, and the last result with the end. DBOS has seven. What is above six here was not traced to its place; it is no part of a run's journal.",
  },
  {
    row: rowOf("five-steps", "trilith-postgres", 1),
    figure: { note: "statements a run" },
    why: "A commit is one statement, with everything that it checks and writes.",
  },
  {
    row: rowOf("five-steps-processes", "trilith-postgres-two", 128),
    figure: "opsPerSecond",
    times: [rowOf("five-steps-processes", "trilith-postgres", 128)],
    why: "What a second process brings is its processor, and two cores that the server also needs have none to spare. Positions follow commits, so the lock of a log is held until a commit is on disk (decision 8): both processes commit in turns, each for half of the clients, and so as often together as one alone with half as much in each commit. More cores would change the first. The second would take readers that tell what is visible from what is durable.",
  },
  {
    row: rowOf("five-steps-slow-flush", "trilith-postgres-two", 128),
    figure: "opsPerSecond",
    times: [rowOf("five-steps-slow-flush", "trilith-postgres", 128)],
    reach: { is: "above", value: 1 },
    why: "The lock of a log is held until a commit is on disk (decision 8), so two processes have as many flushes a second as one, with half of the clients in each; while one waits for its flush the other acts its runs out, and that is all that can be gained. Letting the lock go before the flush would change it, and takes readers that tell what is visible from what is durable.",
  },
  {
    row: rowOf("replay", "trilith-sqlite", 1),
    figure: "opsPerSecond",
    reach: { is: "at least", value: 1_000_000 },
    why: replay,
  },
  {
    row: rowOf("replay", "trilith-sqlite", 1),
    scale: true,
    figure: "opsPerSecond",
    reach: { is: "at least", value: 1_000_000 },
    from: "of a million entries",
    why: replay,
  },
  {
    row: rowOf("sleeping-wake", "trilith-sqlite", 1),
    scale: true,
    figure: "peakMemoryMb",
    reach: { is: "below", value: 500 },
    why: sleeping,
  },
  {
    row: rowOf("sleeping-start", "trilith-sqlite", 1),
    scale: true,
    figure: "opsPerSecond",
    why: "A million runs that sleep for a day, started over HTTP by 50 connections, each answered once its sleep is on disk.",
  },
  {
    row: rowOf("sleeping-restart", "trilith-sqlite", 1),
    scale: true,
    figure: "p50Ms",
    why: "A start looks for what is due and for nothing else, so it does not grow with what sleeps.",
  },
  {
    row: rowOf("sleeping-wake", "trilith-sqlite", 1),
    scale: true,
    figure: "opsPerSecond",
    why: "All of them are due in the same moment; they are claimed 64 at a time, the longest due first (decision 63), and each is read, acted out and ended.",
  },
];
