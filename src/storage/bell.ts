/**
 * Wakes the one who waits. Whoever waits in a loop calls `quiet` first, then looks whether there is anything to do, and
 * only then waits: what was rung in the meantime is heard.
 */
export class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  quiet(): void {
    this.#rung = false;
  }

  /** Resolves once it was rung since it was quiet. */
  async heard(): Promise<void> {
    if (this.#rung) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}
