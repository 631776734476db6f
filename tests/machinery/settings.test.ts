import { describe, expect, test } from "bun:test";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repositoryOf } from "./checkout.ts";
import {
  type Config,
  bindingName,
  environmentFromArguments,
  environmentNamed,
  migrationsOf,
  variablesOf,
  workerName,
} from "./config.ts";
import { validateConfig } from "./validate.ts";
import { config } from "./stand_ins.ts";

describe("alchemy.config.ts", () => {
  test.each<[string, Partial<Config>]>([
    [
      'type "queue"',
      { resources: { ...config.resources, q: { type: "queue" as "kv" } } },
    ],
    [
      "one resource must be a worker, not 2",
      {
        resources: { ...config.resources, b: { type: "worker", script: "b" } },
      },
    ],
    [
      "share the domain",
      { profiles: { staging: { domain: "a.b" }, prod: { domain: "a.b" } } },
    ],
    [
      'health.reports is "nothing"; known: version, status',
      { health: { reports: "nothing" as "status" } },
    ],
    ['"health" is not a path', { health: { path: "health" } }],
    ['"shop" is not a path', { smoke: [{ path: "shop" }] }],
    ['smoke "/" expects status 20', { smoke: [{ path: "/", status: 20 }] }],
    [
      'has watch "soon"; it is a time of up to 30 minutes',
      { profiles: { staging: {}, prod: { watch: "soon" } } },
    ],
    ['has watch "31m"', { profiles: { staging: {}, prod: { watch: "31m" } } }],
    ["longer than 63", { name: "x".repeat(60) }],
    ["not a name for a profile", { profiles: { "dev-me": {} } }],
    ['names "db"', { profiles: { staging: { names: { db: "old" } } } }],
  ])("refuses: %s", (message, change) => {
    expect(() => validateConfig({ ...config, ...change })).toThrow(message);
  });

  test.each([
    ["--profile staging", "staging"],
    ["--stage prod", "prod"],
    ["--profile=staging --stage staging", "staging"],
    ["", "dev-me"],
    ["--stage dev-me", "dev-me"],
    ["--dev --stage prod", "dev-me"],
  ])("alchemy deploy %s means %s", (line, name) => {
    const argv = line.split(" ").filter(Boolean);
    expect(environmentFromArguments(config, argv, { USER: "Me" }).name).toBe(
      name,
    );
  });

  test.each([
    ["--profile production", {}, "defines: staging, prod"],
    ["--profile staging --stage prod", {}, "two different environments"],
    ["--stage x;id", {}, "unknown environment"],
    ["--stage __proto__", {}, "unknown environment"],
    ["--stage dev-me", { CI: "true" }, "unknown environment"],
    ["--profile", {}, "needs the name"],
    ["", { CI: "true" }, "--profile staging or --profile prod"],
  ])("alchemy deploy %s is refused", (line, env, message) => {
    const argv = line.split(" ").filter(Boolean);
    expect(() =>
      environmentFromArguments(config, argv, { USER: "me", ...env }),
    ).toThrow(message);
  });

  test("a personal environment has no domain and no existing resources", () => {
    const profiles = {
      staging: { domain: "a.b", vars: { A: "1" }, names: { api: "old" } },
    };
    const own = environmentFromArguments({ ...config, profiles }, [], {
      USER: "me",
    });
    expect(own).toEqual({
      name: "dev-me",
      profile: { vars: { A: "1" } },
      personal: true,
    });
  });

  test("a database has migrations where its folder is", () => {
    const ask = (migrations?: string) => {
      const db = { type: "d1" as const, ...(migrations && { migrations }) };
      return migrationsOf({ ...config, resources: { db } }, "db");
    };
    expect(ask()).toEqual({});
    expect(ask("./scripts")).toEqual({ migrationsDir: "./scripts" });
    expect(() => ask("./nowhere")).toThrow(
      '"db" has migrations in ./nowhere, where there is no folder',
    );
  });

  test("an environment's variables: set ones, then its file, never .env", () => {
    const folder = mkdtempSync(join(tmpdir(), "variables-"));
    writeFileSync(join(folder, ".env"), "TOKEN=mine\nACCOUNT=mine\n");
    writeFileSync(join(folder, ".env.prod"), "TOKEN=prod\nSTATE=prod\n");
    const loaded = { TOKEN: "mine", ACCOUNT: "mine" };
    expect(variablesOf("prod", loaded, folder)).toEqual({
      TOKEN: "prod",
      STATE: "prod",
      ACCOUNT: "mine",
    });
    expect(variablesOf("prod", { TOKEN: "shell" }, folder).TOKEN).toBe("shell");
    expect(variablesOf("staging", loaded, folder)).toEqual(loaded);
  });

  test("names", () => {
    expect(workerName(config, environmentNamed(config, "prod"))).toBe(
      "demo-api-prod",
    );
    expect(bindingName("cacheStore")).toBe("CACHE_STORE");
    expect(bindingName("my-db")).toBe("MY_DB");
    expect(repositoryOf(config, {})).toBe("acme/demo");
  });
});
