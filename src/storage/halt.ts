/** A reader cannot get past this before the code or the log has changed: it stops with the sentence, and skips nothing. */
export class Halt extends Error {
  override readonly name = "Halt";
}
