import { type AnyContract, eventsOf, operationsOf } from "./contract.ts";
import { componentName, toComponents } from "./openapi-components.ts";
import type { AnyCommand, Named } from "./operation.ts";
import { type AnySchema, toJsonSchema } from "./schema.ts";

export interface AsyncApiOptions {
  readonly title: string;
  readonly version: string;
  readonly contracts: readonly AnyContract[];
}
type Telling = AnyCommand & Named;

/**
 * The AsyncAPI 3.0 document of contracts: the events that are written, the signals that runs take, and what they tell of
 * themselves while they are under way.
 */
export function toAsyncApi({ title, version, contracts }: AsyncApiOptions): object {
  const parts = contracts.flatMap((contract) => [...ofEvents(contract), ...commandsOf(contract).flatMap(ofRuns)]);
  return {
    asyncapi: "3.0.0",
    info: {
      title,
      version,
      description: "Events of the log, signals to runs, and what runs tell of themselves.",
      tags: contracts.map((contract) => {
        const { name, version, summary } = contract["~contract"];
        return { name, description: `${summary ? `${summary} ` : ""}Contract ${name} ${version}.` };
      }),
    },
    defaultContentType: "application/json",
    channels: Object.fromEntries(
      parts.map(({ channel, message, about }) => [
        channel,
        { ...about, messages: { [message]: refTo("messages", message) } },
      ]),
    ),
    operations: Object.fromEntries(
      parts.map(({ channel, message, action, summary }) => [
        `${action === "send" ? "tell" : "take"}${message}`,
        {
          ...{ action, summary, channel: { $ref: `#/channels/${channel}` } },
          messages: [{ $ref: `#/channels/${channel}/messages/${message}` }],
        },
      ]),
    ),
    components: {
      messages: Object.fromEntries(
        parts.map(({ message, title, headers, tag }) => [
          message,
          {
            ...{ name: message, title, contentType: "application/json", tags: [{ name: tag }] },
            payload: refTo("schemas", message),
            ...(headers && { headers }),
          },
        ]),
      ),
      schemas: Object.assign({}, ...parts.map(({ message, schema }) => toComponents(message, toJsonSchema(schema)))),
    },
  };
}

/** One thing that is told or taken: a channel with one message. */
interface Part {
  readonly channel: string;
  readonly message: string;
  readonly action: "send" | "receive";
  readonly title: string;
  readonly summary: string;
  readonly tag: string;
  readonly schema: AnySchema;
  readonly headers?: object;
  readonly about: object;
}

function ofEvents(contract: AnyContract): readonly Part[] {
  const tag = contract["~contract"].name;
  return [...eventsOf(contract).values()].map(({ id, schema, version }) => ({
    ...{ channel: componentName(id, "Event"), message: componentName(id, "Event"), action: "send", tag, schema },
    ...{ title: id, summary: `${id} has happened (version ${version}).` },
    headers: { type: "object", properties: { version: { type: "integer", const: version } } },
    about: { address: id, title: id, description: `The event ${id}, as it is stored and told to subscriptions.` },
  }));
}

const commandsOf = (contract: AnyContract): readonly Telling[] =>
  operationsOf(contract).filter((operation): operation is Telling => operation.kind === "command");

function ofRuns({ id, about, signals, progress }: Telling): readonly Part[] {
  const run = { parameters: { run: { description: "The run's id." } } };
  const taken = Object.entries(signals).flatMap(([name, { schema, access }]): readonly Part[] =>
    access === undefined
      ? []
      : [
          {
            ...{ channel: componentName(id, `${name}Signal`), message: componentName(id, `${name}Signal`), schema },
            ...{ action: "receive", tag: about.name, title: `${id}: ${name}` },
            summary: `A run of ${id} takes the signal "${name}" (${access}).`,
            about: { address: `/runs/{run}/signals/${name}`, ...run },
          },
        ],
  );
  if (!progress) return taken;
  const told: Part = {
    ...{ channel: componentName(id, "Progress"), message: componentName(id, "Progress"), schema: progress },
    ...{ action: "send", tag: about.name, title: `${id}: progress` },
    summary: `A run of ${id} tells of itself, as server-sent events.`,
    about: { address: "/runs/{run}/progress", ...run },
  };
  return [...taken, told];
}

const refTo = (kind: string, name: string): object => ({ $ref: `#/components/${kind}/${name}` });
