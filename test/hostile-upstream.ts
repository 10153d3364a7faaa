// An upstream that fails in every way, each time repeating what it was told. The backend that asks it: hostile-backend.ts.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";

export const names = ["bearer", "header", "queried", "batched", "list", "needed"] as const;
/** Each with what an address has to write otherwise. */
export const secretOf = (name: string): string => `s3cr=t/+&${name}~x`;
/** How a text may be written where it is repeated. */
export const encodings: readonly ((text: string) => string)[] = [
  (text) => text,
  encodeURIComponent,
  (text) => encodeURIComponent(text).toLowerCase(),
  (text) => new URLSearchParams({ t: text }).toString().slice(2),
  (text) => JSON.stringify(text).slice(1, -1),
  (text) => text.replaceAll("&", "&amp;"),
  (text) => text.replaceAll("&", "\\u0026"),
  (text) => Buffer.from(text).toString("base64"),
  (text) => Buffer.from(text).toString("base64url"),
];
/** One way to fail. */
type Way = (response: ServerResponse, echo: Echo, request: IncomingMessage) => void;
interface Echo {
  readonly url: string;
  readonly secret: string;
  /** All that it was told, in one line. */
  readonly all: string;
}
const say = (response: ServerResponse, status: number, type: string, body: string | Uint8Array): void =>
  void response.writeHead(status, { "content-type": type }).end(body);
/** How an upstream fails, each time repeating to its caller what that has told it. */
export const ways: { readonly [way: string]: Way } = {
  refuses: (response, { all }) =>
    say(response, 401, "application/problem+json", JSON.stringify({ title: all, detail: all })),
  forbids: (response, { url }) => say(response, 403, "text/plain", `You may not ask for ${url}`),
  "is-gone": (response, { all }) => say(response, 404, "application/json", JSON.stringify({ error: all })),
  breaks: (response, { all }) => say(response, 500, "text/html", `<h1>Error</h1><pre>${all}</pre>`),
  "is-busy": (response, { secret }) =>
    void response.writeHead(503, { "retry-after": secret, "www-authenticate": `Bearer realm="${secret}"` }).end(secret),
  reasons: (response, { secret }) => void response.writeHead(502, `Bad ${secret}`).end(),
  "answers-in-part": (response, { all }) => say(response, 206, "application/json", JSON.stringify({ said: all })),
  "lies-in-html": (response, { all }) => say(response, 200, "text/html", `<title>${all}</title>`),
  "breaks-its-contract": (response, { all, secret }) =>
    say(response, 200, "application/json", JSON.stringify({ said: [all], [secret]: secret, nested: { note: all } })),
  "is-no-json": (response, { all }) => say(response, 200, "application/json", `{"said": ${all}`),
  "says-it-twice": (response, { secret }) =>
    say(response, 200, "application/json", `{"${secret}":1,"${secret}":2,"said":"x"}`),
  "knows-no-charset": (response, { secret }) =>
    say(response, 200, `application/json; charset="${secret}"`, '{"said":"x"}'),
  "is-packed-wrongly": (response, { all }) =>
    void response
      .writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" })
      .end(gzipSync(all).subarray(0, 20)),
  "packs-otherwise": (response, { secret }) =>
    void response.writeHead(200, { "content-type": "application/json", "content-encoding": secret }).end("x"),
  "breaks-off": (response, { all }) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": "5000" }).write(all);
    setTimeout(() => response.socket?.resetAndDestroy(), 20);
  },
  resets: (response) => void response.socket?.resetAndDestroy(),
  "speaks-no-http": (response, { secret }) =>
    void response.socket?.end(`NOPE ${secret}\r\n${secret}: ${secret}\r\n\r\n`),
  hangs: () => {},
  "sends-away": (response, { url }) => void response.writeHead(302, { location: `/again${url}` }).end(),
  "sends-inside": (response, { secret }) =>
    void response.writeHead(302, { location: `http://169.254.169.254/${encodeURIComponent(secret)}` }).end(),
  "sends-nowhere": (response, { secret }) =>
    void response.writeHead(302, { location: `http://[${secret}]/?${secret}` }).end(),
  "sends-to-nobody": (response, { secret }) =>
    void response.writeHead(307, { location: `https://nobody.invalid/?k=${encodeURIComponent(secret)}` }).end(),
};

/** `isTold` is called with the name of each source whose secret came. */
export async function startHostileUpstream(
  isTold: (name: string) => void = () => {},
): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer((request, response) => {
    const asked = new URL(request.url ?? "/", "http://upstream.test");
    const name = names.find((one) => asked.pathname.includes(`/${one}/`)) ?? "";
    const secret = secretOf(name);
    const { authorization, "x-api-key": key } = request.headers;
    if ([authorization, String(key), asked.searchParams.get("api_key")].some((one) => one?.endsWith(secret)))
      isTold(name);
    const way = ways[asked.searchParams.get("way") ?? asked.pathname.split("/").at(-1) ?? ""];
    const all = `${request.url} ${JSON.stringify(request.headers)} ${encodings.map((write) => write(secret)).join(" ")}`;
    response.on("error", () => {});
    if (way) way(response, { url: request.url ?? "", secret, all }, request);
    else say(response, 500, "text/plain", all);
  });
  return { server, url: await listen(server) };
}

/** Where the sources of the backend are, and what they are asked with. */
export const hostileSettings = (url: string): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const place = `TRILITH_SOURCE_${name.toUpperCase()}`;
      return [
        [`${place}_URL`, url],
        [`${place}_TOKEN`, secretOf(name)],
      ];
    }),
  );

/** On a port of its own. */
export const listen = async (server: Server): Promise<string> => {
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};
