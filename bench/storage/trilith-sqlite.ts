import { cp, mkdtemp, rm } from "node:fs/promises";
import { openSqlite } from "trilith/sqlite";
import { versionOf } from "../frame/version.ts";
import { toWorks } from "./trilith.ts";

export const version = (): Promise<string> => versionOf("trilith");
export const works = toWorks(
  ({ folder }) => openSqlite({ folder }),
  async (place) => {
    const folder = await mkdtemp(`${place.folder}-copy-`);
    await cp(place.folder, folder, { recursive: true });
    return { place: { ...place, folder }, remove: () => rm(folder, { recursive: true }) };
  },
);
