import assert from "node:assert/strict";
import { test } from "node:test";
import { isSlug, slugOf } from "../src/lib/slug";

test("a slug is lower case", () => {
  assert.equal(slugOf(" Promo "), "promo");
  assert.ok(isSlug("promo"));
  assert.ok(!isSlug("a/b"));
});
