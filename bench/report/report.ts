export async function writeReport(): Promise<void> {
  throw new Error("soon");
}
