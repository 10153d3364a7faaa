import { openSqlite } from "trilith/sqlite";
import { versionOf } from "../frame/version.ts";
import { toWorks } from "./trilith.ts";

export const version = (): Promise<string> => versionOf("trilith");
export const works = toWorks(({ folder }) => openSqlite({ folder }));
