import { describe, expect, test } from "vitest";
import { Flights } from "../../src/client/flights.ts";
import { failure } from "../../src/errors.ts";

const never = new AbortController().signal;

describe("single flight", () => {
  test("hands what the leader brings to all who wait, and then forgets it", async () => {
    const flights = new Flights<string>();
    expect(flights.join("k", never)).toBeUndefined();
    const waiting = [flights.join("k", never), flights.join("k", never)];
    flights.land("k", "answer");
    expect(await Promise.all(waiting)).toEqual([{ brought: "answer" }, { brought: "answer" }]);
    expect(flights.size).toBe(0);
    expect(flights.join("k", never)).toBeUndefined();
  });

  test("makes one follower after the other the leader when leaders fail", async () => {
    const flights = new Flights<string>();
    flights.join("k", never);
    const [second, third] = [flights.join("k", never), flights.join("k", never)];
    flights.fail("k", failure("timeout", "late"));
    expect(await second).toBeUndefined();
    flights.fail("k", failure("timeout", "late"));
    expect(await third).toBeUndefined();
    flights.fail("k", failure("timeout", "late"));
    expect(flights.size).toBe(0);
  });

  test("gives up for all at once when what failed is wrong for every record", async () => {
    const flights = new Flights<string>();
    flights.join("k", never);
    const waiting = [flights.join("k", never), flights.join("k", never)];
    flights.fail("k", failure("no_credit", "empty"));
    const ends = await Promise.allSettled(waiting);
    expect(ends.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(flights.size).toBe(0);
  });

  test("lets a follower go when it is stopped, and the leader fly on", async () => {
    const flights = new Flights<string>();
    const stop = new AbortController();
    flights.join("k", never);
    const [stopped, patient] = [flights.join("k", stop.signal), flights.join("k", never)];
    stop.abort(new Error("stop"));
    await expect(stopped).rejects.toThrow("stop");
    await expect(flights.join("k", stop.signal)).rejects.toThrow("stop");
    flights.land("k", "answer");
    expect(await patient).toEqual({ brought: "answer" });
  });
});
