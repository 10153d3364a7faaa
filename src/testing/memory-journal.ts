import {
  type Bulk,
  type Change,
  Entries,
  type Entry,
  fits,
  type Item,
  type Journal,
  type NewItem,
  type RunCount,
  type RunRow,
  refusalOf,
  sizeToRead,
  tooLargeToRead,
  Unreadable,
} from "../orchestration/host.ts";

/** A journal in memory, for tests of workflows without a disk. Everything passes through JSON, as on a real one. */
export interface MemoryJournal extends Journal {
  /** What is "on disk" of a run. */
  entries(run: string): readonly Entry[];
  rows(): readonly RunRow[];
  /** How many appends were written. */
  readonly commits: number;
  /** What a replica knows that lags from here on. It takes over when the answer is called: what came since is lost. */
  mark(): () => void;
  /** Called before each append takes effect; what it throws fails the append. */
  onAppend: (run: string, entries: readonly Entry[]) => void | Promise<void>;
}

/** An entry as it is kept, under an id that no other one ever has. */
interface KeptEntry {
  readonly event: string;
  readonly text: string;
}

export function memoryJournal(): MemoryJournal {
  const streams = new Map<string, readonly KeptEntry[]>();
  const inboxes = new Map<string, readonly Item[]>();
  const rows = new Map<string, RunRow>();
  const bulks = new Map<string, Bulk>();
  let commits = 0;
  let position = 0;
  let events = 0;

  const change = (run: string, { begin, row, size }: Change, added = 0): void => {
    const present = begin ?? rows.get(run);
    const grown = size !== undefined && row && { size: row.from === undefined ? size + added : added };
    const asleep = row?.asleepAt !== undefined && { asleepEntry: streams.get(run)?.at(-1)?.event ?? null };
    if (present) rows.set(run, { ...present, ...row, ...grown, ...asleep });
  };
  const tell = (run: string, item: NewItem, { asleepAt, asleepEntry }: Asleep = {}): void => {
    const inbox = inboxes.get(run) ?? [];
    if (item.key !== undefined && inbox.some(({ key }) => key === item.key)) return;
    const text = JSON.stringify(item);
    const size = text.length;
    const kept = { ...(JSON.parse(text) as NewItem), revision: inbox.length, event: `${++events}`, size };
    inboxes.set(run, [...inbox, kept]);
    const { unread = 0, unreadSize = 0 } = rows.get(run) ?? {};
    if (item.signal !== "") change(run, { row: { unread: unread + 1, unreadSize: unreadSize + size } });
    const entries = streams.get(run) ?? [];
    const isLast = asleepEntry == null || asleepEntry === entries.at(-1)?.event;
    const isAsleep = isLast && asleepAt === entries.length - 1;
    if (!isAsleep) change(run, { row: { wakeAt: item.at } });
  };
  const take = (node: string, limit: number, due: (row: RunRow) => boolean): readonly RunRow[] => {
    const taken = [...rows.values()].filter(due).slice(0, limit);
    for (const { run } of taken) change(run, { row: { owner: node, state: "running", wakeAt: null } });
    return taken.map(({ run }) => rows.get(run) as RunRow);
  };

  const journal: MemoryJournal = {
    nodes: {
      alone: true,
      enter: async () => {},
      renew: async () => true,
      leave: async () => {},
      async census(node) {
        const owners = new Set([...rows.values()].map(({ owner }) => owner));
        return { others: [], gone: [...owners].filter((owner) => owner !== null && owner !== node) as string[] }; // null is filtered
      },
      news: (_, aborted) => new Promise((_resolve, reject) => aborted.addEventListener("abort", reject)),
    },
    bulks: {
      add: async (bulk) => void bulks.set(bulk.id, bulk),
      find: async (id) => bulks.get(id),
      list: async (limit) => [...bulks.values()].reverse().slice(0, limit),
      claim: async () => [...bulks.values()].find(({ state }) => state === "under way"),
      free: async () => {},
      async advance(bulk) {
        bulks.set(bulk.id, bulk);
        return true;
      },
    },
    onAppend: () => {},
    get commits() {
      return commits;
    },
    async append(run, revision, entries, changed) {
      await journal.onAppend(run, entries);
      const stream = streams.get(run) ?? [];
      const texts = entries.map((entry) => JSON.stringify(entry));
      const refused = refusalOf(entries, texts);
      if (refused !== undefined) return { refused };
      if (stream.length - 1 !== revision) return "fenced";
      const { revision: inboxHead = -1, event } = inboxes.get(run)?.at(-1) ?? {};
      const seen = changed.inboxSeen;
      if (seen && (inboxHead !== seen.revision || (seen.event ?? event) !== event)) return "inbox moved";
      streams.set(run, [...stream, ...texts.map((text) => ({ event: `${++events}`, text }))]);
      const size = texts.reduce((sum, text) => sum + text.length, 0);
      change(run, changed, size);
      if (changed.tell) tell(changed.tell.run, changed.tell.item);
      commits++;
      position += entries.length;
      return { position, size };
    },
    read: async (run, from = 0, limit = Number.POSITIVE_INFINITY) => journal.entries(run).slice(from, from + limit),
    async load(run, from = 0) {
      const entries = await journal.read(run, from);
      const size = (streams.get(run) ?? []).slice(from).reduce((sum, { text }) => sum + text.length, 0);
      if (size > sizeToRead) throw new Unreadable(tooLargeToRead(run));
      return { entries: Entries.of(entries), size };
    },
    last: async (run, type, from = 0) =>
      journal
        .entries(run)
        .slice(from)
        .findLast((entry) => type === undefined || entry.type === type),
    revision: async (run) => (streams.get(run)?.length ?? 0) - 1,
    find: async (run) => rows.get(run),
    post: async (run, item, asleep) => tell(run, item, asleep),
    inbox: async (run, from = 0) => (inboxes.get(run) ?? []).slice(from),
    claimDue: async (node, knows, now, limit) =>
      take(
        node,
        limit,
        (row) =>
          knows.includes(row.workflow) &&
          goingOn.has(row.state) &&
          row.owner === null &&
          row.wakeAt !== null &&
          row.wakeAt <= now,
      ),
    heldBy: async (owner, limit) =>
      [...rows.values()]
        .filter((row) => row.owner === owner)
        .slice(0, limit)
        .map(({ run }) => run),
    async release(owner, now, limit) {
      const held = [...rows.values()].filter((row) => row.owner === owner).slice(0, limit);
      for (const { run } of held) change(run, { row: { owner: null, state: "waiting", wakeAt: now } });
      return held.length;
    },
    async strangers(knows) {
      const waiting = [...rows.values()].filter(({ state }) => state === "waiting").map(({ workflow }) => workflow);
      return [...new Set(waiting)].filter((workflow) => !knows.includes(workflow));
    },
    async nextDue(knows) {
      const due = [...rows.values()]
        .filter(({ workflow, state, owner }) => knows.includes(workflow) && goingOn.has(state) && owner === null)
        .map(({ wakeAt }) => wakeAt);
      const known = due.filter((at) => at !== null);
      return known.length > 0 ? Math.min(...known) : undefined;
    },
    async wake(run, now) {
      const paused = rows.get(run)?.state === "paused";
      if (paused) change(run, { row: { state: "waiting", wakeAt: now, reason: null } });
      return paused;
    },
    async seize(run, node) {
      const row = rows.get(run);
      if (!row || row.owner !== null || !goingOn.has(row.state)) return undefined;
      change(run, { row: { owner: node, state: "running", wakeAt: null } });
      return rows.get(run);
    },
    async search(filter, { limit, orderBy = "startedAt", ascending = false, after }) {
      const placed = [...rows.values()]
        .filter((row) => fits(row, filter) && row[orderBy] !== null)
        .sort((one, other) => (one[orderBy] ?? 0) - (other[orderBy] ?? 0) || (one.run < other.run ? -1 : 1));
      if (!ascending) placed.reverse();
      const from = after === undefined ? 0 : placed.findIndex(({ run }) => run === after) + 1;
      const found = placed.slice(from, from + limit);
      const last = found.at(-1);
      return { runs: found, ...(last && from + limit < placed.length && { next: last.run }) };
    },
    async count(filter, most) {
      const counts = new Map<string, RunCount>();
      for (const row of rows.values()) {
        if (!fits(row, filter)) continue;
        const { operation, workflow, state } = row;
        const { count } = counts.get(`${workflow} ${state}`) ?? { count: 0 };
        const more = count + 1 > most;
        counts.set(`${workflow} ${state}`, { operation, workflow, state, count: Math.min(count + 1, most), more });
      }
      return [...counts.values()];
    },
    async putBack(run, owner, wakeAt) {
      if (rows.get(run)?.owner === owner) change(run, { row: { owner: null, state: "waiting", wakeAt } });
    },
    async strand(run, owner, reason) {
      if (rows.get(run)?.owner === owner) change(run, { row: { owner: null, state: "paused", wakeAt: null, reason } });
    },
    mark() {
      const back = [toBack(streams), toBack(inboxes), toBack(rows), toBack(bulks)];
      return () => {
        for (const go of back) go();
      };
    },
    entries: (run) => (streams.get(run) ?? []).map(({ text }) => JSON.parse(text) as Entry),
    rows: () => [...rows.values()],
  };
  return journal;
}

type Asleep = Pick<RunRow, "asleepAt" | "asleepEntry">;

/** Takes a map back to what it holds now; what is in it never changes. */
function toBack<V>(map: Map<string, V>): () => void {
  const kept = [...map];
  return () => {
    map.clear();
    for (const [key, value] of kept) map.set(key, value);
  };
}

const goingOn: ReadonlySet<string> = new Set(["waiting", "running", "undoing"]);
