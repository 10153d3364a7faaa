/**
 * What tests of a backend need: time that can be skipped, and a journal without a disk.
 * May import contracts and the layers' ports. Start with virtual-clock.ts.
 */
export { type MemoryJournal, memoryJournal } from "./memory-journal.ts";
export { type VirtualClock, virtualClock } from "./virtual-clock.ts";
