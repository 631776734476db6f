import { expect, test } from "bun:test";
import { euro } from "@example/money";

test("prices are shown in euros", () => {
  expect(euro(1250)).toBe("12.50 EUR");
});
