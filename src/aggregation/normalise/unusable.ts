/**
 * What stands in for a value that could not be normalised: a candidate that every rule rejects, with the reason in the
 * meta. It holds nothing of the value itself, which nobody has declared to be shown.
 */
export class Unusable {
  /** Completes the sentence "The value … ", as in "is no phone number". */
  readonly problem: string;
  constructor(problem: string) {
    this.problem = problem;
    Object.freeze(this);
  }
}
