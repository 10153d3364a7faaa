import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SharedLook } from "./shared-look.ts";

let folder: string;
let writing: DatabaseSync;
let reading: DatabaseSync;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "trilith-look-"));
  writing = new DatabaseSync(join(folder, "a.db"));
  writing.exec("pragma journal_mode = wal; create table seen (n integer)");
  reading = new DatabaseSync(join(folder, "a.db"), { readOnly: true });
});
afterEach(() => {
  if (reading.isOpen) reading.close();
  writing.close();
  rmSync(folder, { recursive: true, force: true });
});

const write = (): void => writing.exec("insert into seen values (1)");
const count = (): unknown => reading.prepare("select count(*) n from seen").get()?.n;

test("looks that follow each other share one moment, and the next microtask has one of its own", async () => {
  const shared = new SharedLook(reading);
  const look = (): unknown => shared.look(count);
  expect(look()).toBe(0);
  write();
  expect(look()).toBe(1);
  write();
  expect(look()).toBe(1); // as of the look before, with which it shares a transaction
  await null;
  expect(reading.isTransaction).toBe(false);
  expect(look()).toBe(2);
});

test("a look that fails leaves no transaction open, nor does an end that comes in between", async () => {
  const shared = new SharedLook(reading);
  shared.look(count);
  expect(() => shared.look(() => reading.exec("select * from nowhere"))).toThrow("no such table");
  await null;
  expect(reading.isTransaction).toBe(false);
  shared.look(count);
  shared.look(count);
  reading.close();
  await null;
  expect(reading.isOpen).toBe(false);
});
