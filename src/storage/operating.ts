import type { Engine } from "./engine.ts";
import type { Models } from "./models.ts";
import type { Parked, Parking } from "./parking.ts";

/** What an operator may do. A reader is called as the status calls it. */
export interface Operating {
  /** The events that a reader could not take and went on without, with the reasons; up to 1,000. */
  parked(reader: string): Promise<readonly Parked[]>;
  /** Lets a reader go on that has stopped, and try its parked events again. Says how many it took, and how many stay parked. */
  resume(reader: string): Promise<{ readonly done: number; readonly parked: number }>;
  /** Lets a parked event go. */
  dismiss(reader: string, position: number): Promise<void>;
  /** Empties a read model and builds it anew, from the log as it is. Nothing can be read from it in the meantime but what is there. */
  rebuild(reader: string): Promise<void>;
  /** The read models on disk that this code does not declare: of earlier versions, or of later ones. */
  retired(): Promise<readonly string[]>;
  /** Drops one of them, once no node's code declares it any more. */
  drop(reader: string): Promise<void>;
}

export function toOperating(engine: Engine, log: string, models: Models, parking: Parking): Operating {
  const follower = (reader: string) => {
    const found = models.follower(reader);
    if (found) return found;
    throw new TypeError(`There is no read model "${reader}". There are: ${models.readers.join(", ") || "none"}.`);
  };
  const retired = async (): Promise<readonly string[]> =>
    (await engine.collections()).filter((name) => isReadModel.test(name) && !models.follower(name));
  return {
    parked: (reader) => parking.of(reader, 1_000),
    resume: async (reader) => {
      const found = follower(reader);
      return found.between(() => found.reader.resume());
    },
    dismiss: async (reader, position) => {
      const found = follower(reader);
      await found.between(() => found.reader.dismiss(position));
    },
    rebuild: async (reader) => {
      const found = follower(reader);
      await found.between(() => found.reader.rebuild());
    },
    retired,
    drop: async (reader) => {
      if (!(await retired()).includes(reader))
        throw new TypeError(
          models.follower(reader)
            ? `"${reader}" is what this code reads. Only what it does not declare can be dropped.`
            : `There is no retired read model "${reader}".`,
        );
      await engine.drop({ collection: reader, reader: { log, name: reader } });
    },
  };
}

/** `store.name@version`, as read models call their tables. */
const isReadModel = /^[^.]+\..+@\d+$/;
