import { expect, test } from "bun:test";
import { greeting } from "../src/greeting";

test("a guest is welcome", () => {
  expect(greeting("Ada").message).toBe("Welcome, Ada");
});
