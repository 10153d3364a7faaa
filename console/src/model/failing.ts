const failing: ReadonlySet<string> = new Set(["invalid", "down", "slow", "shed"]);

/** Whether a source's state says that it could not say. One that says that there is nothing (`missing`) has answered. */
export const isFailing = (state: string): boolean => failing.has(state);
