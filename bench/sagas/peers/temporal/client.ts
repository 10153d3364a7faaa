import { Client, Connection } from "@temporalio/client";
import type { Trip } from "../../services.ts";
import { approved, bookTrip } from "./workflows.ts";

const client = new Client({ connection: await Connection.connect() });

export const book = (trip: Trip): Promise<string> =>
  client.workflow.execute(bookTrip, { taskQueue: "trips", workflowId: trip.booking, args: [trip] });
export const approve = (booking: string, by: string): Promise<void> =>
  client.workflow.getHandle(booking).signal(approved, { by });
