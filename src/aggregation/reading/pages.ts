import { fieldAt, itemsOf } from "../page-items.ts";
import type { PagingPlan } from "../paged.ts";
import type { Question, Said } from "./ask.ts";
import type { Landed, Trouble } from "./tried.ts";

/** Everything that was said in answer to one question, page by page where there are pages. */
export interface Gathered extends Pick<Said, "value" | "broken" | "bytes"> {
  /** One entry a page. */
  readonly said: readonly unknown[];
  /** Where the list came in pages: how many were read. */
  readonly pages?: number;
  /** Why there is more than was read. */
  readonly incomplete?: string;
}

/** One answer that came at once. */
export function landOne({ tried, attempts, at }: Landed<Said>): Landed<Gathered> {
  if (tried.state !== "fresh") return { tried, attempts, at };
  const { value, said, broken, bytes } = tried.value;
  return { tried: { ...tried, value: { value, said: [said], broken, bytes } }, attempts, at };
}

/** Reads page after page, each with its own attempts, until there is no further one or a limit is met. */
export async function gatherPages(
  plan: PagingPlan,
  askPage: (turn: Question["turn"]) => Promise<Landed<Said>>,
): Promise<Landed<Gathered>> {
  const items: unknown[] = [];
  const said: unknown[] = [];
  const broken: unknown[] = [];
  let bytes = 0;
  let turn: Question["turn"];
  for (let page = 1; ; page++) {
    const landed = await askPage(turn);
    const { tried, attempts, at } = landed;
    const done = (incomplete?: string): Landed<Gathered> => ({
      tried: {
        state: "fresh",
        value: {
          value: items,
          said,
          broken,
          bytes,
          pages: said.length,
          ...(incomplete !== undefined && { incomplete }),
        },
      },
      attempts,
      at,
    });
    if (tried.state !== "fresh") {
      // That a page is not there says no more than that there is no further one; the first one speaks for the list.
      if (tried.state === "missing" && page > 1) return done();
      if (plan.partial && page > 1) return done(`${tried.problem} on page ${page}, and the rest was not read`);
      const where = page > 1 ? ` on page ${page}` : "";
      return { tried: { ...tried, problem: `${tried.problem}${where}` }, attempts, at };
    }
    const { value } = tried;
    const records = itemsOf(plan, value.value);
    if (!records) return { tried: noList(page), attempts, at };
    said.push(value.said);
    broken.push(...value.broken);
    bytes += value.bytes;
    for (const record of records) items.push(record);
    if (items.length > plan.records) {
      items.length = plan.records;
      return done(`has more than ${plan.records} records, and the rest was not read`);
    }
    const next = toNext(plan, value, records.length, page, items.length);
    if (next === undefined) return done();
    if (typeof next === "object") return { tried: next, attempts, at };
    if (items.length === plan.records || page === plan.pages)
      return done(`was read no further than page ${page}, and there may be more`);
    turn = next;
  }
}

/** The way to the next page; nothing where this was the last, and trouble where it leads astray. */
function toNext(
  { next }: PagingPlan,
  { value, url, headers }: Said,
  count: number,
  page: number,
  total: number,
): Question["turn"] | Trouble {
  if ("page" in next) return count === 0 ? undefined : withParam(next.page, String((next.from ?? 1) + page));
  if ("offset" in next) return count < next.size ? undefined : withParam(next.offset, String(total));
  if ("cursor" in next) {
    const cursor = fieldAt(value, next.cursor);
    if (cursor === undefined || cursor === null || cursor === "") return undefined;
    return typeof cursor === "string" || typeof cursor === "number"
      ? withParam(next.as, String(cursor))
      : astray("names a cursor that is no text");
  }
  const target = "link" in next ? nextLink(headers?.link) : fieldAt(value, next.url);
  if (target === undefined || target === null || target === "") return undefined;
  const here = url ?? new URL("http://nowhere.invalid");
  const to = typeof target === "string" && URL.canParse(target, here.href) ? new URL(target, here) : undefined;
  if (!to) return astray("names a next page whose address is none");
  // Whoever follows such a link carries this source's credentials there.
  if (to.origin !== here.origin) return astray("names a next page at another origin");
  if (to.href === here.href) return astray("names this very page as the next one");
  return () => to;
}

const withParam =
  (name: string, value: string): Question["turn"] =>
  (first) => {
    const url = new URL(first);
    url.searchParams.set(name, value);
    return url;
  };

const astray = (problem: string): Trouble => ({ state: "invalid", kind: "broken", problem, repeat: false });
const noList = (page: number): Trouble => astray(`answered with something that holds no list, on page ${page}`);

/** The target of `rel="next"` in a `Link` header (RFC 8288, section 3). */
function nextLink(header: string | undefined): string | undefined {
  for (const [, target, params = ""] of (header ?? "").matchAll(/<([^<>]*)>((?:\s*;\s*[^;,"]+(?:"[^"]*")?)*)/g)) {
    const rel = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/i.exec(params);
    if ((rel?.[1] ?? rel?.[2] ?? "").toLowerCase().split(/\s+/).includes("next")) return target;
  }
  return undefined;
}
