/** One thing cannot be done as it was asked for; what else was asked for at the same time is not touched by it. */
export class Refused extends Error {
  override readonly name = "Refused";
}
