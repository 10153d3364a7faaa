import { chmod, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { afterEach, expect, test } from "vitest";
import { createApiKey } from "./api-keys.ts";
import { answering, type Started, startGateway } from "./start-gateway.test-d.ts";

let started: Started | undefined;
const cleanUp: (() => void)[] = [];
afterEach(async () => {
  await started?.stop();
  for (const one of cleanUp.splice(0)) one();
});
const start = async (...given: Parameters<typeof startGateway>): Promise<Started> => {
  started = await startGateway(...given);
  return started;
};
const seat = { flight: "UA1", traveller: "Ada" };
const book = async (headers: Record<string, string>): Promise<readonly [number, string, string]> => {
  const answer = await (started as Started).post("/trips", seat, headers);
  const { code = "", detail = "" } = (await answer.json()) as { readonly code?: string; readonly detail?: string };
  return [answer.status, code, detail];
};
const bearer = (credential: string): Record<string, string> => ({ authorization: `Bearer ${credential}` });

test("nobody is refused where a scope is asked for, before the body is looked at", async () => {
  const { post, calls } = await start(answering({ ticket: "T" }));
  const answer = await post("/trips", "{broken");
  expect(answer.status).toBe(401);
  expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="trilith"');
  expect(await answer.json()).toMatchObject({
    code: "Unauthenticated",
    detail: expect.stringContaining('"trips:book"'),
  });
  expect(calls).toEqual([]);
});

test("a key with the scope gets in, one without is told which scope it lacks", async () => {
  const { key, calls } = await start(answering({ ticket: "T" }));
  const good = await key("good", "trips:book", "other:one");
  expect(await book(bearer(good))).toEqual([200, "", ""]);
  expect(await book({ "x-api-key": good })).toEqual([200, "", ""]);
  expect(calls[0]?.call.principal).toEqual({ id: "key:good", kind: "key", scopes: ["trips:book", "other:one"] });
  const [status, code, detail] = await book(bearer(await key("weak", "trips:booking", "trips:*")));
  expect([status, code]).toEqual([403, "Forbidden"]);
  expect(detail).toContain('needs the scope "trips:book"');
  expect(calls).toHaveLength(2);
});

test("credentials that do not hold are refused even where nobody would do", async () => {
  const { key, get } = await start(answering({ shelf: "a", count: 1 }));
  await key("good");
  for (const headers of [
    bearer("tri_wrong"),
    bearer("not-a-token"),
    { authorization: "Basic dXNlcjpwYXNz" },
    { authorization: "Bearer" },
    { "x-api-key": "" },
    { ...bearer("tri_a"), "x-api-key": "tri_a" },
  ]) {
    const answer = await get("/shelf", { headers });
    expect([answer.status, headers]).toEqual([401, headers]);
  }
  expect((await get("/shelf")).status).toBe(200);
});

test("a new key of an id takes the place of the old one at once, and others stay", async () => {
  const { key } = await start(answering({ ticket: "T" }));
  const [first, other] = [await key("me", "trips:book"), await key("other", "trips:book")];
  expect((await book(bearer(first)))[0]).toBe(200);
  const second = await key("me", "trips:book");
  expect((await book(bearer(first)))[0]).toBe(401);
  expect((await book(bearer(second)))[0]).toBe(200);
  expect((await book(bearer(other)))[0]).toBe(200);
});

test("keys that are made at the same time are all kept, hashed, in a file of their owner's", async () => {
  const { keysFile } = await start(answering({ ticket: "T" }));
  const ids = Array.from({ length: 8 }, (_, at) => `k${at}`);
  const keys = await Promise.all(ids.map((id) => createApiKey(keysFile, { id, scopes: ["trips:book"] })));
  for (const key of keys) expect((await book(bearer(key)))[0]).toBe(200);
  const text = await readFile(keysFile, "utf8");
  for (const key of keys) expect(text).not.toContain(key);
  expect((await stat(keysFile)).mode & 0o777).toBe(0o600);
  await expect(createApiKey(keysFile, { id: "no spaces", scopes: [] })).rejects.toThrow("is no id for an API key");
});

test("a keys file that was left half-replaced is taken over", async () => {
  const { key, keysFile } = await start(answering({ ticket: "T" }));
  await key("old", "trips:book");
  await writeFile(`${keysFile}.next`, "half");
  const { utimes } = await import("node:fs/promises");
  await utimes(`${keysFile}.next`, 0, 0);
  expect((await book(bearer(await key("me", "trips:book"))))[0]).toBe(200);
});

test("a keys file that is broken locks everybody out until it is mended, and says why in the log", async () => {
  const { key, keysFile, logged } = await start(answering({ ticket: "T" }));
  const mine = await key("me", "trips:book");
  const text = await readFile(keysFile, "utf8");
  await writeFile(keysFile, '{"keys": [{"id": "me"}]}');
  expect((await book(bearer(mine)))[0]).toBe(503);
  expect(JSON.stringify(logged)).toContain("is not a keys file");
  await expect(key("another")).rejects.toThrow("is not a keys file");
  await writeFile(keysFile, text);
  expect((await book(bearer(mine)))[0]).toBe(200);
  await rm(keysFile);
  expect((await book(bearer(mine)))[0]).toBe(401);
});

test.skipIf(process.platform === "win32")("a keys file that others can read is warned of", async () => {
  const { key, keysFile, logged } = await start(answering({ ticket: "T" }));
  const mine = await key("me", "trips:book");
  await chmod(keysFile, 0o644);
  await book(bearer(mine));
  expect(logged.map(({ msg }) => msg)).toContain(
    "Others on this machine can read the keys file. Set its mode to 0600.",
  );
});

const jwt = { issuer: "https://issuer.test/", audience: "trips" };
const claims = { scope: "trips:book other:one" };

async function issuer() {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: "k1", alg: "ES256", use: "sig" }] };
  const sign = (
    payload: JWTPayload,
    change: (token: SignJWT) => SignJWT = (token) => token,
    kid = "k1",
  ): Promise<string> =>
    change(
      new SignJWT({ ...claims, sub: "ada", ...payload })
        .setProtectedHeader({ alg: "ES256", kid })
        .setIssuer(jwt.issuer)
        .setAudience(jwt.audience)
        .setExpirationTime("1 minute"),
    ).sign(privateKey);
  return { jwks, sign, privateKey };
}

async function serve(answer: () => { readonly status: number; readonly body: string }): Promise<string> {
  const server = createServer((_request, response) => {
    const { status, body } = answer();
    response.writeHead(status, { "content-type": "application/json" }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUp.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
}

test("a token of the issuer gets in with its scopes, wherever its claims have them", async () => {
  const { jwks, sign } = await issuer();
  const address = await serve(() => ({ status: 200, body: JSON.stringify(jwks) }));
  const { calls } = await start(answering({ ticket: "T" }), { settings: { jwt: { ...jwt, jwks: address } } });
  expect(await book(bearer(await sign({})))).toEqual([200, "", ""]);
  expect(calls[0]?.call.principal).toEqual({ id: "token:ada", kind: "token", scopes: ["trips:book", "other:one"] });
  expect((await book(bearer(await sign({ scope: "", scp: ["trips:book"] }))))[0]).toBe(200);
  expect((await book(bearer(await sign({ scope: "other:one" }))))[0]).toBe(403);
  const late = await sign({}, (token) => token.setExpirationTime(Math.floor(Date.now() / 1000) - 2));
  expect((await book(bearer(late)))[0]).toBe(200);
});

test("a token that does not hold is refused, with the reason", async () => {
  const { jwks, sign } = await issuer();
  const stranger = await issuer();
  const file = join(dirname((await start(answering({ ticket: "T" }))).keysFile), "jwks.json");
  await started?.stop();
  await writeFile(file, JSON.stringify(jwks));
  const { calls } = await start(answering({ ticket: "T" }), { settings: { jwt: { ...jwt, jwks: file } } });
  const shared = new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "k1" }).setIssuer(jwt.issuer);
  const tampered = (await sign({ scope: "none" })).split(".");
  tampered[1] = Buffer.from(
    JSON.stringify({ ...claims, iss: jwt.issuer, aud: "trips", sub: "ada", exp: 9e9 }),
  ).toString("base64url");
  const cases: readonly (readonly [string, string])[] = [
    [await sign({}, (token) => token.setExpirationTime(Math.floor(Date.now() / 1000) - 60)), "expired"],
    [await sign({}, (token) => token.setNotBefore("1 hour")), '"nbf"'],
    [await sign({}, (token) => token.setIssuer("https://other.test/")), '"iss"'],
    [await sign({}, (token) => token.setAudience("others")), '"aud"'],
    [await sign({ sub: "" }), '"sub"'],
    [await stranger.sign({}), "signature"],
    [tampered.join("."), "signature"],
    [await sign({}, (token) => token, "k9"), "no such key"],
    [await shared.sign(new TextEncoder().encode(JSON.stringify(jwks))), "algorithm"],
    [
      new UnsecuredJWT(claims)
        .setIssuer(jwt.issuer)
        .setAudience("trips")
        .setSubject("ada")
        .setExpirationTime("1h")
        .encode(),
      "not a signed JWT|algorithm",
    ],
    ["a.b.c", "not a signed JWT"],
  ];
  for (const [token, reason] of cases) {
    const [status, code, detail] = await book(bearer(token));
    expect([status, code]).toEqual([401, "Unauthenticated"]);
    expect(detail).toMatch(new RegExp(reason));
  }
  expect(calls).toEqual([]);

  // The issuer changes its keys: the file is read again.
  await writeFile(file, JSON.stringify(stranger.jwks));
  expect((await book(bearer(await stranger.sign({}))))[0]).toBe(200);
});

test("keys of an issuer that cannot be had are our trouble and not the caller's", async () => {
  const { sign } = await issuer();
  const address = await serve(() => ({ status: 500, body: "oops" }));
  const { logged } = await start(answering({ ticket: "T" }), { settings: { jwt: { ...jwt, jwks: address } } });
  expect((await book(bearer(await sign({}))))[0]).toBe(503);
  expect(logged.map(({ msg }) => msg)).toContain("The issuer's keys cannot be read, so no token is accepted.");
});
