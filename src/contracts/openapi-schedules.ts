import { faults, instant, json, security, text } from "./openapi-desk-parts.ts";

const schedule = { name: "schedule", in: "path", required: true, schema: text };
const scheduleSchema = {
  type: "object",
  required: ["name", "operation", "cron", "zone", "paused", "owed"],
  properties: {
    ...{ name: text, operation: text, cron: text, zone: text, paused: { type: "boolean" }, owed: { type: "integer" } },
    ...{ next: instant, last: instant, lastRun: text },
    otherTimes: {
      type: "string",
      description: "The times of other code, by which it goes while nodes with them are there.",
    },
    pause: { type: "object", required: ["by", "at"], properties: { by: text, at: instant, reason: text } },
  },
};

/** What operators see of schedules, and do to them. */
export const schedulePaths = (): { readonly [path: string]: object } => ({
  "/runs/schedules": {
    get: {
      operationId: "schedules.list",
      tags: ["runs"],
      summary: "The schedules: what is next, what was last, what is owed",
      description: "For the scope `runs:read`.",
      security,
      responses: {
        200: json("The schedules.", {
          type: "object",
          required: ["schedules"],
          properties: { schedules: { type: "array", items: scheduleSchema } },
        }),
        ...faults,
      },
    },
  },
  ...Object.fromEntries(
    Object.entries({
      pause: "Begin no run of a schedule any more, on any node, until it is resumed",
      resume: "Go on with a schedule, with the next instant from now",
    }).map(([to, summary]) => [
      `/runs/schedules/{schedule}/${to}`,
      {
        post: {
          operationId: `schedules.${to}`,
          tags: ["runs"],
          summary,
          description: "For the scope `runs:operate`.",
          security,
          parameters: [schedule],
          responses: { 200: json("The schedule as it is now.", scheduleSchema), ...faults },
        },
      },
    ]),
  ),
});
