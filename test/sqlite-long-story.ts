// A long story that a process writes to SQLite: `node sqlite-long-story.ts <folder> <appends>`, 64 KiB each and eight at a
// time, until one fails. It prints how many were acknowledged, and why it ended.
import { openSqlite } from "trilith/sqlite";

const [folder = "", appends] = process.argv.slice(2);
const engine = await openSqlite({ folder });
const data = JSON.stringify("x".repeat(65_000));
let [next, acknowledged] = [0, 0];
let why = "";
async function client(): Promise<void> {
  while (next < Number(appends) && why === "") {
    const id = `${process.pid}-${next++}`;
    const event = { stream: `s/${id}`, type: "t.Said", version: 1, data };
    await engine.append("main", [{ id, expect: [{ stream: event.stream, revision: "none" }], events: [event] }]).then(
      () => acknowledged++,
      ({ message }: Error) => {
        why ||= message;
      },
    );
  }
}
await Promise.all(Array.from({ length: 8 }, client));
console.log(`${acknowledged} acknowledged`);
console.log(why);
await engine.close().catch(() => {});
