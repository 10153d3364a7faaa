import { useSignal } from "@preact/signals";
import type { JSX } from "preact";

interface Props {
  readonly text: string;
  /** What stands on it, where that is not the text itself. */
  readonly shown?: string;
}
export function CopyText({ text, shown = text }: Props): JSX.Element {
  const copied = useSignal(false);
  return (
    <button
      type="button"
      class="copy"
      title="Copy"
      onClick={async () => {
        // Only there in a secure context: a console that is reached over plain HTTP by name has none.
        await navigator.clipboard?.writeText(text);
        copied.value = navigator.clipboard !== undefined;
        setTimeout(() => {
          copied.value = false;
        }, 1200);
      }}
    >
      {copied.value ? "copied" : shown}
    </button>
  );
}
