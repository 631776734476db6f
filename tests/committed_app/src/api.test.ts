import { expect, test } from "bun:test";
import api, { type Env } from "./api.ts";

const env = {
  ENVIRONMENT: "test",
  APP_VERSION: "0123abc",
  CF_VERSION_METADATA: { id: "00000000-0000-4000-8000-000000000000" },
  CACHE: memoryStore(),
} as Env;

const get = (path: string) =>
  api.fetch(new Request(`https://app.test${path}`), env);

test("/health says which release answers", async () => {
  const response = await get("/health");
  expect(response.status).toBe(200);
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(await response.json()).toEqual({
    status: "ok",
    version: "0123abc",
    environment: "test",
    worker: "00000000-0000-4000-8000-000000000000",
  });
});

test("/ greets", async () => {
  expect((await get("/")).status).toBe(200);
});

test("an unknown path is a 404", async () => {
  expect((await get("/nowhere")).status).toBe(404);
});

test("/visits counts", async () => {
  expect(await (await get("/visits")).json()).toEqual({ count: 1 });
  expect(await (await get("/visits")).json()).toEqual({ count: 2 });
});

/** The two calls that the app makes, in memory. */
function memoryStore(): Pick<Env["CACHE"], "get" | "put"> {
  const values = new Map<string, string>();
  return {
    get: async (key: string) => values.get(key) ?? null,
    put: async (key: string, value: string) => void values.set(key, value),
  } as Pick<Env["CACHE"], "get" | "put">;
}
