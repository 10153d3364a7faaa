import type { Gateway } from "../gateway/index.ts";
import type { Settings } from "./settings.ts";

/** Opens the door, or says in a sentence why this one cannot be opened. */
export async function listening(gateway: Gateway, { host, port }: Settings): ReturnType<Gateway["listen"]> {
  try {
    return await gateway.listen();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE")
      throw new Error(
        `Port ${port} on ${host} is taken by another process. Stop that one, or set PORT to another port (0 takes a free one).`,
        { cause: error },
      );
    if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
      throw new Error(`This machine has no address "${host}". Set HOST to one that it has, such as 127.0.0.1.`, {
        cause: error,
      });
    if (code === "EACCES")
      throw new Error(`This user may not listen on port ${port}. Set PORT to a port above 1023.`, { cause: error });
    throw error;
  }
}
