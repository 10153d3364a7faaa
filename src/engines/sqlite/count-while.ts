/** How many of the first `count` numbers satisfy what is true up to some number and false from there on. */
export function countWhile(count: number, isTrue: (index: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (isTrue(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
