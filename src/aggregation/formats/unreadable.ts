/** A body that is not what was promised. Completes the sentence "The source … ". */
export class Unreadable extends Error {
  override readonly name = "Unreadable";
}
