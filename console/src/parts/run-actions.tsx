import { useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { toLines } from "../runs/journal.ts";
import { type Action, actions, actionWords, type RunSummary, whyNot } from "../runs/words.ts";
import { useConsole } from "./context.ts";

interface Props {
  readonly run: RunSummary;
  readonly undone: boolean;
  /** Signals that it waits for. */
  readonly awaited: readonly string[];
  readonly input: unknown;
}
type Asking =
  | { readonly what: "action"; readonly action: Action }
  | { readonly what: "fork" }
  | { readonly what: "signal"; readonly name: string };

/** What can be done to a run. What takes something back, or cannot be taken back, is asked for twice. */
export function RunActions({ run, undone, awaited, input }: Props): JSX.Element {
  const { runs } = useConsole();
  const asking = useSignal<Asking | undefined>(undefined);
  const busy = useSignal(false);
  const act = async (work: () => Promise<unknown>): Promise<void> => {
    busy.value = true;
    asking.value = undefined;
    await work();
    busy.value = false;
  };
  return (
    <div class="run-actions">
      <fieldset class="run-buttons" aria-label="What can be done">
        {actions.map((action) => {
          const why = whyNot(action, run, undone);
          const { name, asks } = actionWords[action];
          return (
            <button
              key={action}
              type="button"
              class={`button button-small${asks ? " button-danger" : ""}`}
              disabled={why !== undefined || busy.value}
              title={why ?? name}
              onClick={() => {
                if (asks) asking.value = { what: "action", action };
                else void act(() => runs.steer(run.run, action, ""));
              }}
            >
              {name}
            </button>
          );
        })}
        <button
          type="button"
          class="button button-small"
          disabled={busy.value}
          onClick={() => {
            asking.value = { what: "fork" };
          }}
        >
          Fork…
        </button>
        {awaited.map((name) => (
          <button
            key={name}
            type="button"
            class="button button-small"
            disabled={busy.value}
            onClick={() => {
              asking.value = { what: "signal", name };
            }}
          >
            Send “{name}”…
          </button>
        ))}
      </fieldset>
      {asking.value?.what === "action" && (
        <Sure run={run} action={asking.value.action} act={act} close={() => close()} />
      )}
      {asking.value?.what === "fork" && <ForkForm run={run} input={input} act={act} close={() => close()} />}
      {asking.value?.what === "signal" && (
        <SignalForm run={run} name={asking.value.name} act={act} close={() => close()} />
      )}
    </div>
  );

  function close(): void {
    asking.value = undefined;
  }
}

type Act = (work: () => Promise<unknown>) => Promise<void>;
interface FormProps {
  readonly run: RunSummary;
  readonly act: Act;
  readonly close: () => void;
}

function Sure({ run, action, act, close }: FormProps & { readonly action: Action }): JSX.Element {
  const { runs } = useConsole();
  const reason = useSignal("");
  const { name, asks } = actionWords[action];
  return (
    <form
      class="run-form"
      aria-label={`${name} this run`}
      onSubmit={(event) => {
        event.preventDefault();
        void act(() => runs.steer(run.run, action, reason.value));
      }}
    >
      <p>{asks}</p>
      <label>
        <span>Reason, for the journal</span>
        <input
          value={reason.value}
          maxLength={1000}
          onInput={(event) => {
            reason.value = event.currentTarget.value;
          }}
        />
      </label>
      <Ends submit={`${name} the run`} danger close={close} />
    </form>
  );
}

function ForkForm({ run, input, act, close }: FormProps & { readonly input: unknown }): JSX.Element {
  const { runs, choice } = useConsole();
  const step = useSignal("");
  const json = useSignal(JSON.stringify(input, null, 2));
  const trouble = useSignal<string | undefined>(undefined);
  /** Undefined until it is known, null where it cannot be found out. */
  const again = useSignal<readonly string[] | null | undefined>(undefined);
  useSignalEffect(() => {
    const asked = step.value;
    again.value = undefined;
    void runs.foreseeFork(run.run, asked === "" ? undefined : asked).then((told) => {
      if (step.peek() === asked) again.value = told ?? null;
    });
  });
  const isTwice = again.value === null || (again.value?.length ?? 0) > 0;
  const steps = toLines(runs.entries.value ?? []).flatMap(({ step }) => (step === undefined ? [] : [step]));
  return (
    <form
      class="run-form"
      aria-label="Fork this run"
      onSubmit={(event) => {
        event.preventDefault();
        const read = parsed(json.value);
        if ("trouble" in read) {
          trouble.value = read.trouble;
          return;
        }
        void act(async () => {
          const forked = await runs.fork(run.run, step.value === "" ? undefined : step.value, read.value);
          if (forked !== undefined) choice.chooseRun(forked);
        });
      }}
    >
      <p>
        A new run takes the results of this one up to a step, and does that step and all after it with its own input.
      </p>
      <label>
        <span>From</span>
        <select
          value={step.value}
          onChange={(event) => {
            step.value = event.currentTarget.value;
          }}
        >
          <option value="">the start</option>
          {[...new Set(steps)].map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <JsonField label="Input" json={json.value} onInput={(text) => (json.value = text)} trouble={trouble.value} />
      {isTwice && (
        <p class="run-warning" role="status">
          {again.value === null || again.value === undefined ? (
            "What this run has done that would be done again could not be found out."
          ) : (
            <>
              Does again what this run has done, undone since or not: <strong>{again.value.join(", ")}</strong>.
            </>
          )}
        </p>
      )}
      <Ends
        submit={isTwice ? "Fork the run, and do it again" : "Fork the run"}
        danger={isTwice}
        waits={again.value === undefined}
        close={close}
      />
    </form>
  );
}

function SignalForm({ run, name, act, close }: FormProps & { readonly name: string }): JSX.Element {
  const { runs } = useConsole();
  const json = useSignal("{}");
  const trouble = useSignal<string | undefined>(undefined);
  return (
    <form
      class="run-form"
      aria-label={`Send the signal ${name}`}
      onSubmit={(event) => {
        event.preventDefault();
        const read = parsed(json.value);
        if ("trouble" in read) trouble.value = read.trouble;
        else void act(() => runs.signal(run.run, name, read.value));
      }}
    >
      <JsonField
        label={`What “${name}” carries`}
        json={json.value}
        onInput={(text) => (json.value = text)}
        trouble={trouble.value}
      />
      <Ends submit="Send it" close={close} />
    </form>
  );
}

interface FieldProps {
  readonly label: string;
  readonly json: string;
  readonly onInput: (text: string) => void;
  readonly trouble: string | undefined;
}
function JsonField({ label, json, onInput, trouble }: FieldProps): JSX.Element {
  return (
    <label>
      <span>{label}, as JSON</span>
      <textarea rows={5} spellcheck={false} value={json} onInput={(event) => onInput(event.currentTarget.value)} />
      {trouble !== undefined && <em role="alert">{trouble}</em>}
    </label>
  );
}

function Ends({
  submit,
  danger = false,
  waits = false,
  close,
}: {
  readonly submit: string;
  readonly danger?: boolean;
  /** Whether it is not known yet what submitting would do. */
  readonly waits?: boolean;
  readonly close: () => void;
}): JSX.Element {
  return (
    <div class="run-ends">
      <button type="submit" disabled={waits} class={`button button-small${danger ? " button-danger" : ""}`}>
        {submit}
      </button>
      <button type="button" class="button button-small" onClick={close}>
        Not now
      </button>
    </div>
  );
}

function parsed(json: string): { readonly value: unknown } | { readonly trouble: string } {
  try {
    return { value: JSON.parse(json) };
  } catch (error) {
    return { trouble: `This is no JSON: ${(error as Error).message}` };
  }
}
