import type { Clock } from "../contracts/index.ts";
import { toOneAnswer } from "./answer-one.ts";
import type { Answer } from "./answering.ts";
import { toListAnswer } from "./lists/answer-list.ts";
import { toManyAnswer } from "./lists/answer-many.ts";
import { narrow } from "./narrow.ts";
import type { AnyReader } from "./reading/reader.ts";
import type { AnyView } from "./view.ts";

/**
 * Makes the function that answers a view: asks its sources, waits no longer than its budget and the caller's deadline,
 * fuses what came, and checks the result. Throws `Failed` NotFound or `Fault` Unavailable where a required source has
 * nothing, and `Fault` InvalidOutput where the fused answer breaks the view's own contract.
 */
export function toAnswer(view: AnyView, readers: ReadonlyMap<string, AnyReader>, clock: Clock): Answer {
  const { many, list } = view;
  if (many) return toManyAnswer(view, many, toOneAnswer({ view: many.view, readers, clock }));
  const parts = { view, readers, clock };
  if (list) return toListAnswer(parts, list);
  const answer = toOneAnswer(parts);
  return (input, call) => {
    const narrowed = call.fields ? narrow(view, call.fields) : view;
    return answer(input, call, { view: narrowed, ...(narrowed !== view && call.fields && { only: call.fields }) });
  };
}
