/** One command cannot be done as it was asked for. The others of its transaction are not touched by it. */
export class Refused extends Error {
  override readonly name = "Refused";
}
