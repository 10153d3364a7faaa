import { refTo } from "./openapi-components.ts";
import { faults, instant, json, security, text } from "./openapi-desk-parts.ts";

const states = ["queued", "running", "waiting", "undoing", "paused", "done", "failed", "cancelled", "terminated"];
const run = { name: "run", in: "path", required: true, schema: text, description: "The run's id." };
const inQuery = (name: string, description: string, schema: object = text): object => ({
  ...{ name, in: "query", description, schema },
});
const notNow = {
  description: "The run cannot do that as it stands; `title` says why.",
  content: { "application/problem+json": { schema: refTo("Problem") } },
};
const reasonBody = {
  required: false,
  content: { "application/json": { schema: { type: "object", properties: { reason: text } } } },
};

const actions: { readonly [action: string]: string } = {
  cancel: "End a run, and undo what it did. Whoever began a run may cancel it",
  terminate: "End a run at once, with nothing undone",
  pause: "Hold a run once what is under way has settled",
  resume: "Let a paused run go on",
  retry: "Let an ended run go on from the step that failed",
};

/** The search over runs, and what operators do to them. */
export const runDeskPaths = (): { readonly [path: string]: object } => ({
  "/runs": {
    get: {
      operationId: "runs.list",
      tags: ["runs"],
      summary: "Find runs",
      description:
        "For the scope `runs:read`. All conditions hold together; a tag is `tag.<name>`, `tag.<name>.from` or `tag.<name>.to`.",
      security,
      parameters: [
        inQuery("operation", "`trips.book`."),
        inQuery("workflow", "In one version: `trips.book@1`."),
        inQuery("state", "One or several, with commas.", text),
        inQuery("id", "How the run's id begins."),
        inQuery("key", "The key that it was begun with."),
        ...["startedFrom", "startedTo", "endedFrom", "endedTo"].map((name) => inQuery(name, "Inclusive.", instant)),
        inQuery("orderBy", "By default `startedAt`.", { enum: ["startedAt", "endedAt"] }),
        inQuery("order", "By default the latest first.", { enum: ["asc", "desc"] }),
        inQuery("limit", "By default 50.", { type: "integer", minimum: 1, maximum: 200 }),
        inQuery("after", "`next` of the page before."),
      ],
      responses: {
        200: json("One page.", {
          type: "object",
          required: ["runs"],
          properties: { runs: { type: "array", items: refTo("RunSummary") }, next: text },
        }),
        ...faults,
      },
    },
  },
  "/runs/counts": {
    get: {
      operationId: "runs.counts",
      tags: ["runs"],
      summary: "How many runs of each workflow are in each state",
      description: "For the scope `runs:read`. Counted to 10,000; `more` says that there are more.",
      security,
      responses: {
        200: json("The counts.", { type: "object", required: ["counts"], properties: { counts: { type: "array" } } }),
        ...faults,
      },
    },
  },
  "/runs/machines": {
    get: {
      operationId: "runs.machines",
      tags: ["runs"],
      summary: "The machines, drawn",
      description:
        "For the scope `runs:read`. By name and version, as in the `workflow` of their runs: as data in the words of XState, and in those of Mermaid.",
      security,
      responses: {
        200: json("The machines.", {
          type: "object",
          required: ["machines"],
          properties: {
            machines: {
              type: "object",
              additionalProperties: {
                type: "object",
                required: ["drawn", "mermaid"],
                properties: { drawn: { type: "object" }, mermaid: text },
              },
            },
          },
        }),
        ...faults,
      },
    },
  },
  "/runs/{run}/history": {
    get: {
      operationId: "runs.history",
      tags: ["runs"],
      summary: "A run's journal",
      description: "For the scope `runs:read`. It holds what the run was given and what it got back.",
      security,
      parameters: [run],
      responses: { 200: json("The journal.", { type: "object" }), ...faults },
    },
  },
  ...Object.fromEntries(
    Object.entries(actions).map(([action, summary]) => [
      `/runs/{run}/${action}`,
      {
        post: {
          operationId: `runs.${action}`,
          tags: ["runs"],
          summary,
          description: "For the scope `runs:operate`.",
          security,
          parameters: [run],
          requestBody: reasonBody,
          responses: {
            202: json("Taken: on disk, and done as soon as the run's node sees it.", {
              type: "object",
              required: ["run", "state"],
              properties: { run: text, state: { enum: states } },
            }),
            409: notNow,
            ...faults,
          },
        },
      },
    ]),
  ),
  "/runs/{run}/fork": {
    get: {
      operationId: "runs.fork.foresee",
      tags: ["runs"],
      summary: "What a fork would do again",
      description:
        "For one of the scopes `runs:read` and `runs:operate`. The steps of the other run that took effect, or may have, and that a fork from `step` (or from the start) does a second time, with keys of its own. Queries are left out.",
      security,
      parameters: [run, { name: "step", in: "query", required: false, schema: text }],
      responses: {
        200: json("The steps.", {
          type: "object",
          required: ["again"],
          properties: { again: { type: "array", items: text } },
        }),
        409: notNow,
        ...faults,
      },
    },
    post: {
      operationId: "runs.fork",
      tags: ["runs"],
      summary: "Begin a run that has the results of another one up to a step",
      description:
        "For the scope `runs:operate`. Without a step all is done anew; without an input it is the other run's.",
      security,
      parameters: [run],
      requestBody: {
        required: false,
        content: { "application/json": { schema: { type: "object", properties: { step: text, input: {} } } } },
      },
      responses: { 202: json("Begun.", refTo("Accepted")), 409: notNow, ...faults },
    },
  },
  "/runs/actions": {
    post: {
      operationId: "runs.actions.begin",
      tags: ["runs"],
      summary: "Do something to all runs that a filter finds",
      description: "For the scope `runs:operate`. It is done in the background.",
      security,
      requestBody: {
        required: true,
        content: {
          "application/json": {
            schema: {
              type: "object",
              required: ["action", "filter"],
              properties: { action: { enum: Object.keys(actions) }, filter: { type: "object" }, reason: text },
            },
          },
        },
      },
      responses: { 202: json("Begun.", refTo("RunAction")), ...faults },
    },
  },
  "/runs/actions/{action}": {
    get: {
      operationId: "runs.actions.get",
      tags: ["runs"],
      summary: "How far an action on many runs has come",
      description: "For the scope `runs:read`.",
      security,
      parameters: [{ ...run, name: "action", description: "Its id." }],
      responses: { 200: json("The action.", refTo("RunAction")), ...faults },
    },
  },
});

export const runDeskComponents = (): { readonly [name: string]: object } => ({
  RunSummary: {
    type: "object",
    required: ["run", "operation", "workflow", "state", "startedAt", "startedBy"],
    properties: {
      ...{ run: text, operation: text, workflow: text, state: { enum: states }, startedAt: instant, endedAt: instant },
      startedBy: text,
      key: { type: "string", description: "That its caller began it with." },
      reason: { type: "string", description: "Why it is paused, or is being undone, in plain words." },
      failure: { type: "string", description: "The failure of its contract that it came to." },
      tags: { type: "object", additionalProperties: { type: ["string", "number"] } },
    },
  },
  RunAction: {
    type: "object",
    required: ["id", "action", "state", "at", "found", "taken", "refusals"],
    properties: {
      ...{ id: text, action: { enum: Object.keys(actions) }, state: { enum: ["under way", "done"] } },
      ...{ at: instant, endedAt: instant },
      found: { type: "integer", description: "Runs that were looked at so far." },
      taken: { type: "integer", description: "Those of them that followed." },
      refusals: {
        type: "array",
        description: "Of those that did not the last twenty, each with why.",
        items: { type: "object", required: ["run", "why"], properties: { run: text, why: text } },
      },
    },
  },
});
