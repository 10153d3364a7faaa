/** Evolution. */
export { Comparison, type Inclusion } from "./inclusion/inclusion.ts";
