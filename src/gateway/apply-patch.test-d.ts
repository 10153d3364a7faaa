// The other side of a growing answer, written from RFC 6902 and not from what makes the patches.
type Container = unknown[] | { [name: string]: unknown };
interface Step {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

export function applied(document: unknown, patch: readonly Step[]): unknown {
  const root = { document: structuredClone(document) };
  for (const { op, path, value } of patch) {
    const names = [
      "document",
      ...path
        .split("/")
        .slice(1)
        .map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~")),
    ];
    const last = names.pop() as string; // there is always the document itself
    const parent = names.reduce<unknown>((at, name) => (at as { [name: string]: unknown })[name], root) as Container;
    if (Array.isArray(parent)) {
      const at = last === "-" ? parent.length : Number(last);
      if (at > parent.length - (op === "add" ? 0 : 1)) throw new RangeError(`${path} is not there.`);
      if (op === "add") parent.splice(at, 0, value);
      else if (op === "remove") parent.splice(at, 1);
      else parent[at] = value;
    } else if (op === "remove") {
      if (!Object.hasOwn(parent, last)) throw new RangeError(`${path} is not there.`);
      delete parent[last];
    } else {
      if (op === "replace" && !Object.hasOwn(parent, last)) throw new RangeError(`${path} is not there.`);
      Object.defineProperty(parent, last, { value, enumerable: true, writable: true, configurable: true });
    }
  }
  return root.document;
}

/** One server-sent event. */
export interface Heard {
  readonly event: string;
  readonly data: any; // whatever the test expects there
}

export const toEvents = (text: string): readonly Heard[] =>
  text
    .split("\n\n")
    .filter((block) => block.startsWith("event: "))
    .map((block) => {
      const [, event = "", data = ""] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
      return { event, data: JSON.parse(data) };
    });

/** What a listener has in the end: the first answer, with every patch. */
export const toAnswer = (events: readonly Heard[]): unknown =>
  events.reduce<unknown>(
    (document, { event, data }) =>
      event === "answer" ? data.data : event === "patch" ? applied(document, data.patch) : document,
    undefined,
  );
