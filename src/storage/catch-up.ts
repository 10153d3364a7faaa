import type { Engine, Write } from "./engine.ts";
import type { EventCodec } from "./event-codec.ts";
import type { KeptModel } from "./kept-model.ts";

const page = 500;

/**
 * Leads a read model from its checkpoint to the log's present end: a new one from the beginning, one that fell behind
 * from where it was. Rows and checkpoint are one commit, so a crash on the way costs one page and writes nothing twice.
 */
export async function catchUp(engine: Engine, log: string, codec: EventCodec, kept: KeptModel): Promise<number> {
  const { reader } = kept;
  const types = kept.events.map(({ id }) => id);
  // Asked for first: what is written from now on may be behind the last page, and must not be passed over.
  const head = await engine.head(log);
  const { epoch, position: begin } = await engine.checkpoint(log, reader);
  if (epoch !== head.epoch) throw new Error(toEpochSentence(log, reader, epoch, head.epoch));
  let from = begin;
  const move = async (position: number, writes: readonly Write[]): Promise<void> => {
    if (!(await engine.commit({ log, reader, epoch, from, position }, writes)))
      throw new Error(`The checkpoint of "${reader}" was moved by somebody else while it was catching up.`);
    from = position;
  };
  while (types.length > 0) {
    const events = await engine.read(log, { after: from, limit: page, types });
    const last = events.at(-1);
    if (!last) break;
    const writes: Write[] = [];
    for (const { id, type, version, revision, data } of events)
      writes.push(...(await kept.writes(type, await codec.decode(type, version, data), { id, revision })));
    await move(last.position, writes);
  }
  if (head.position > from) await move(head.position, []);
  return from;
}

const toEpochSentence = (log: string, reader: string, seen: number, present: number): string =>
  `"${reader}" has read epoch ${seen} of the log "${log}", which is in epoch ${present} now: it was restored, or failed over to a replica that lagged, so what was read may not be what is there. Rebuild it.`;
