import { contract, query } from "trilith/contracts";
import { z } from "zod";
import { expectEqual } from "../frame/subject.ts";

/** An operation that does next to nothing, so that what is measured is the way to it. */
const Asked = z.object({ left: z.int(), right: z.int(), note: z.string().max(100) });
const Sum = z.object({ sum: z.int(), note: z.string(), parts: z.array(z.int()) });
export const Sums = contract("sums", "1.0.0", {
  add: query({ input: Asked, output: Sum, http: "GET /sums/{left}/{right}", access: "public" }),
});

export const add = ({ left, right, note }: z.output<typeof Asked>): z.output<typeof Sum> => ({
  sum: left + right,
  note,
  parts: [left, right],
});

export const toAsked = (client: number, number: number): z.output<typeof Asked> => ({
  left: client,
  right: number,
  note: "what was asked",
});
export const checkSum = (answer: unknown, client: number, number: number): void =>
  expectEqual(answer, add(toAsked(client, number)), "The sum");
