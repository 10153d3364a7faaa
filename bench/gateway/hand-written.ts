import type { Open } from "../frame/subject.ts";
import { direct } from "./called.ts";

/** The function itself. */
export const version = (): string => process.versions.node;
export const works: { readonly [work: string]: Open } = { "operation-call": direct };
