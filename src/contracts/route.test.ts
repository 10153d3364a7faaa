import { describe, expect, it } from "vitest";
import { hasBody, toRoute } from "./route.ts";

describe("toRoute", () => {
  it("takes a verb, a path and the path's parameters apart", () => {
    expect(toRoute("GET /flights/{flight}/seats/{seat}")).toEqual({
      verb: "GET",
      path: "/flights/{flight}/seats/{seat}",
      params: ["flight", "seat"],
    });
    expect(toRoute("POST /trips")).toEqual({ verb: "POST", path: "/trips", params: [] });
  });

  it("finds a parameter that is only a part of its segment", () => {
    expect(toRoute("GET /airports/{iata}.csv").params).toEqual(["iata"]);
  });

  it.each([
    "/trips",
    "GET trips",
    "get /trips",
    "HEAD /trips",
    "GET /trips?x=1",
    "GET /trips#x",
    "GET  /trips",
    "GET /a b",
    "",
  ])("refuses %j and shows how a route is written", (text) =>
    expect(() => toRoute(text)).toThrow(`"${text}" is not a route. Write it like "GET /bookings/{booking}".`),
  );

  it.each(["GET /{a", "GET /a}", "GET /{{a}}", "GET /{}", "GET /{a/b}"])("refuses the braces of %s", (text) =>
    expect(() => toRoute(text)).toThrow(`The braces in the route "${text}" do not pair up.`),
  );

  it("refuses a parameter that stands twice in one path", () => {
    expect(() => toRoute("GET /{a}/{b}/{a}")).toThrow('The route "GET /{a}/{b}/{a}" names {a} twice.');
  });

  it("gives back what cannot be changed", () => {
    const route = toRoute("GET /{a}");
    expect(Object.isFrozen(route) && Object.isFrozen(route.params)).toBe(true);
  });
});

it("POST, PUT and PATCH carry their input in the body, GET and DELETE in the query string", () => {
  expect((["GET", "POST", "PUT", "PATCH", "DELETE"] as const).filter(hasBody)).toEqual(["POST", "PUT", "PATCH"]);
});
