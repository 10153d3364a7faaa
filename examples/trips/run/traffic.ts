import { randomUUID } from "node:crypto";
import { flightId, loadFlights } from "../data/flights.ts";
import type { Booked, Trip, TripsClient } from "./client.ts";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const oneOf = <T>(some: readonly T[]): T => some[Math.floor(Math.random() * some.length)] as T;

/** Books trips on the real flight records at a gentle rate, until it is told to stop. Every fourth trip wants the same flight, so that it sells out. */
export function startTraffic(client: TripsClient, tell: (line: string) => void): { stop(): void } {
  const flights = loadFlights().map(flightId);
  let going = true;
  let popular = oneOf(flights);
  const trips = async (): Promise<void> => {
    for (let count = 1; going; count++) {
      if (count % 24 === 0) popular = oneOf(flights);
      const flight = count % 4 === 0 ? popular : oneOf(flights);
      void bookOne(client, flight, count, tell).catch(
        (error: Error) => going && tell(`        trip ${flight} got no answer: ${error.message}`),
      );
      await pause(700 + Math.random() * 900);
    }
  };
  const pages = async (): Promise<void> => {
    while (going) {
      await client.get(`/airports/${oneOf(flights).slice(0, 3)}?meta=true`).catch(() => {}); // down for a moment: the console shows it
      await pause(1_500 + Math.random() * 2_000);
    }
  };
  void trips();
  void pages();
  return {
    stop() {
      going = false;
    },
  };
}

async function bookOne(
  client: TripsClient,
  flight: string,
  count: number,
  tell: (line: string) => void,
): Promise<void> {
  const trip: Trip = {
    flight,
    booking: randomUUID(),
    traveller: `Traveller ${count}`,
    card: `card-${1_000 + count}`,
    lastKnownFare: 199.99,
  };
  const booked = await client.book(trip);
  tell(lineOf(flight, booked));
  // Dear trips wait for somebody's approval; two of three get it, the others are undone when the time is over.
  if (booked.kind !== "under way" || count % 3 === 0) return;
  await pause(3_000 + Math.random() * 4_000);
  const status = await client.approve(booked.run, "the traffic's manager");
  tell(`        trip ${flight} ${status < 300 ? "was approved" : `could not be approved (${status})`}`);
}

function lineOf(flight: string, booked: Booked): string {
  const ms = `${Math.round(booked.ms)} ms`.padStart(7);
  if (booked.kind === "ticketed") return `${ms} trip ${flight} ticketed ${booked.ticket}`;
  if (booked.kind === "under way") return `${ms} trip ${flight} waits for an approval`;
  return `${ms} trip ${flight} undone: ${booked.code}`;
}
