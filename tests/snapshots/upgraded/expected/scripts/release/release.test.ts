/** Everything here talks to stand-ins on the loopback interface: no account, no network. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  Cloudflare,
  type Share,
  ledger,
  majority,
  mayAdoptData,
  ownsExistingWorker,
  releaseStack,
} from "./cloudflare.ts";
import {
  type Config,
  type Environment,
  Refusal,
  UsageError,
  appId,
  bindingName,
  environmentFromArguments,
  environmentNamed,
  repositoryOf,
  validateConfig,
  variablesOf,
  workerName,
} from "./config.ts";
import { type Options, survey } from "./environments.ts";
import { GitHub, deployJob, gate } from "./github.ts";
import { type Target, release, rollback } from "./main.ts";
import { type Expectation, compareBody, judge } from "./verify.ts";

const config: Config = {
  name: "demo",
  repository: "acme/demo",
  resources: {
    api: { type: "worker", script: "./src/api.ts" },
    cache: { type: "kv" },
  },
  profiles: { staging: { account: "a1" }, prod: { account: "a2" } },
};

/** Forty hex digits that are easy to tell apart. */
const sha = (letter: string) => letter.repeat(40);

const servers: { stop: (force?: boolean) => unknown }[] = [];
afterAll(() => servers.forEach((server) => server.stop(true)));

// --- stand-ins -------------------------------------------------------------------------------------------------------

interface FakeVersion {
  id: string;
  commit: string;
  healthy: boolean;
  /** Good when it is asked for by itself, bad once users get it. */
  failsLive?: boolean;
}

/** A Cloudflare account with one Worker, and the Worker itself under /app. */
class FakeCloudflare {
  versions: FakeVersion[] = [];
  deployments: { versions: Share[]; message: string; force: boolean }[] = [];
  bindings: { type: string; name: string; text?: string }[] | undefined;
  namespaces: string[] = [];
  /** Refuse deployments without force, as after a change of a secret. */
  secretChanged = false;
  challenge = false;
  private readonly server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => this.answer(request),
  });

  constructor() {
    servers.push(this.server);
  }

  get url() {
    return `http://127.0.0.1:${this.server.port}`;
  }

  client() {
    return new Cloudflare("a1", "token", this.url, 1);
  }

  upload(
    commit: string,
    options: { healthy?: boolean; failsLive?: boolean } = {},
  ) {
    const number = String(this.versions.length).padStart(12, "0");
    const version: FakeVersion = {
      id: `00000000-0000-4000-8000-${number}`,
      commit,
      healthy: options.healthy ?? true,
      failsLive: options.failsLive ?? false,
    };
    this.versions.unshift(version);
    return version.id;
  }

  /** What a plain deploy does: the new version gets every request at once. */
  publish(commit: string, options: { healthy?: boolean } = {}) {
    const version_id = this.upload(commit, options);
    this.deployments.unshift({
      versions: [{ version_id, percentage: 100 }],
      message: "",
      force: false,
    });
    return version_id;
  }

  /** The commits that users met, newest first. */
  get met() {
    return this.deployments.map(
      (deployment) =>
        this.find(majority({ ...deployment, id: "", created_on: "" })).commit,
    );
  }

  private find(id: string): FakeVersion {
    const version = this.versions.find((v) => v.id === id);
    if (version === undefined) throw new Error(`no version ${id}`);
    return version;
  }

  private async answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/app/health") return this.health(request);
    const path = pathname.replace(/^\/accounts\/a1/, "");
    const script = /^\/workers\/scripts\/[^/]+(.*)$/.exec(path)?.[1];
    if (script === "/deployments" && request.method === "POST") {
      return this.accept(request);
    }
    if (script === "/deployments") {
      if (this.versions.length === 0) return failure(404, 10007);
      return success({
        deployments: this.deployments
          .map(({ message, ...deployment }, i) => ({
            ...deployment,
            id: `d${i}`,
            created_on: `2026-01-${String(this.deployments.length - i).padStart(2, "0")}T08:00:00Z`,
            author_email: "owner@example.com",
            annotations: { "workers/message": message },
          }))
          .slice(0, 10),
      });
    }
    if (script === "/settings") {
      return this.bindings
        ? success({ bindings: this.bindings })
        : failure(404, 10007);
    }
    if (script === "/versions") {
      return success({ items: this.versions.map(({ id }) => ({ id })) });
    }
    const id = /^\/versions\/(.+)$/.exec(script ?? "")?.[1];
    if (id !== undefined) {
      const text = this.find(id).commit;
      const binding = { type: "plain_text", name: "APP_VERSION", text };
      return success({ id, resources: { bindings: [binding] } });
    }
    if (path === "/storage/kv/namespaces") {
      return success(this.namespaces.map((title) => ({ title })));
    }
    return failure(404, 7003);
  }

  private async accept(request: Request): Promise<Response> {
    const force = new URL(request.url).searchParams.get("force") === "true";
    if (this.secretChanged && !force) return failure(400, 10220);
    const body = (await request.json()) as {
      versions: Share[];
      annotations: Record<string, string>;
    };
    this.deployments.unshift({
      versions: body.versions,
      message: body.annotations["workers/message"] ?? "",
      force,
    });
    return success({ id: "new" });
  }

  private health(request: Request): Response {
    if (this.challenge) {
      return new Response("", {
        status: 403,
        headers: { "cf-mitigated": "challenge" },
      });
    }
    const [current] = this.deployments;
    if (current === undefined) return new Response("", { status: 404 });
    const asked = /^demo-api-\w+="(.+)"$/.exec(
      request.headers.get("cloudflare-workers-version-overrides") ?? "",
    )?.[1];
    const shares = current.versions.map((v) => v.version_id);
    const id =
      asked && shares.includes(asked)
        ? asked
        : majority({ ...current, id: "", created_on: "" });
    const { commit, healthy, failsLive } = this.find(id);
    const good = healthy && !(failsLive && !asked);
    return Response.json(
      { status: "ok", version: commit, worker: id },
      { status: good ? 200 : 500 },
    );
  }
}

const success = (result: unknown) =>
  Response.json({ success: true, result, errors: [] });

const failure = (status: number, code: number) =>
  Response.json(
    { success: false, errors: [{ code, message: "no" }] },
    { status },
  );

/** GitHub, as a table of answers; whatever is written is recorded. */
class FakeGitHub {
  readonly written: { method: string; path: string; body: unknown }[] = [];
  private readonly server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const { pathname, search } = new URL(request.url);
      const path = pathname.replace("/repos/acme/demo", "");
      if (request.method !== "GET") {
        const text = await request.text();
        this.written.push({
          method: request.method,
          path,
          body: text && JSON.parse(text),
        });
        return Response.json({ id: 1 });
      }
      const answer = this.answers[path + search] ?? this.answers[path];
      return answer === undefined
        ? Response.json({ message: "Not Found" }, { status: 404 })
        : Response.json(answer);
    },
  });

  constructor(readonly answers: Record<string, unknown>) {
    servers.push(this.server);
  }

  get url() {
    return `http://127.0.0.1:${this.server.port}`;
  }

  client() {
    return new GitHub("acme/demo", "token", this.url, 1);
  }
}

function targetOn(
  cloudflare: FakeCloudflare,
  name: string,
  build: Target["build"] = async () => {},
): Target {
  const environment: Environment = environmentNamed(config, name);
  return {
    config,
    environment,
    env: {},
    cloudflare: cloudflare.client(),
    worker: workerName(config, environment),
    url: `${cloudflare.url}/app`,
    github: undefined,
    pace: () => ({ deadlineMs: 300, pauseMs: 5, inARow: 2 }),
    reportFolder: mkdtempSync(join(tmpdir(), "release-report-")),
    tell: (...paragraphs) => void told.push(...paragraphs),
    build,
  };
}

/** What the commands told, oldest first. */
const told: string[] = [];

const never = new AbortController().signal;

/** The message of the error that a promise ends with. */
async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Refusal || error instanceof UsageError)
      return error.message;
    throw error;
  }
  return "no refusal";
}

// --- alchemy.config.ts -----------------------------------------------------------------------------------------------

describe("alchemy.config.ts", () => {
  test("this app's is valid", async () => {
    const { default: own } = await import("../../alchemy.config.ts");
    expect<unknown>(validateConfig(own as Config)).toBe(own);
  });

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
    ["longer than 63", { name: "x".repeat(60) }],
    ["no name for a profile", { profiles: { "dev-me": {} } }],
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

// --- the ledger ------------------------------------------------------------------------------------------------------

test.each([
  ["a b c", "a b c"],
  ["a b b c", "a b c"],
  ["a b a", "a"],
  ["a b c b a", "a"],
  ["a b a c", "a c"],
  ["a b a b", "a b"],
])("releases %s leave the stack %s", (history, stack) => {
  const oldestFirst = history
    .split(" ")
    .map((letter, i) => ({ versionId: `v${i}`, commit: sha(letter) }));
  expect(
    releaseStack(oldestFirst)
      .map(({ commit }) => commit[0])
      .join(" "),
  ).toBe(stack);
});

test("releases without a clean commit are told apart by their version", () => {
  const dirty = (versionId: string) => ({
    versionId,
    commit: `${sha("a")}-dirty`,
  });
  expect(releaseStack([dirty("v1"), dirty("v2")])).toHaveLength(2);
});

test("the ledger has each release once, with who made it live and when", async () => {
  const cloudflare = new FakeCloudflare();
  for (const letter of ["a", "b", "c"]) cloudflare.publish(sha(letter));
  const target = targetOn(cloudflare, "prod");
  target.env = { GITHUB_ACTOR: "kim" };
  await rollback(target, "previous", {
    dryRun: false,
    force: false,
    verify: false,
  });
  const entries = await ledger(cloudflare.client(), "demo-api-prod");
  expect(
    entries.map(({ state, commit, when, who }) => [
      state,
      commit[0],
      when.slice(0, 10),
      who,
    ]),
  ).toEqual([
    ["live", "b", "2026-01-04", "kim"],
    ["rolled back", "c", "2026-01-03", "owner@example.com"],
    ["previous", "a", "2026-01-01", "owner@example.com"],
  ]);
});

// --- release ---------------------------------------------------------------------------------------------------------

describe("release to prod", () => {
  const uploads =
    (cloudflare: FakeCloudflare, options = {}): Target["build"] =>
    async (uploadOnly) => {
      expect(uploadOnly).toBe(true);
      cloudflare.upload(sha("b"), options);
    };

  test("switches only after the check", async () => {
    const cloudflare = new FakeCloudflare();
    cloudflare.publish(sha("a"));
    await release(
      targetOn(cloudflare, "prod", uploads(cloudflare)),
      sha("b"),
      never,
    );
    expect(cloudflare.met).toEqual([sha("b"), sha("a"), sha("a")]);
    expect(
      cloudflare.deployments[1]?.versions.map((v) => v.percentage),
    ).toEqual([100, 0]);
  });

  test("users never meet a version that fails the check", async () => {
    const cloudflare = new FakeCloudflare();
    cloudflare.publish(sha("a"));
    const target = targetOn(
      cloudflare,
      "prod",
      uploads(cloudflare, { healthy: false }),
    );
    expect(await refusal(release(target, sha("b"), never))).toContain(
      "HTTP 500",
    );
    expect(new Set(cloudflare.met)).toEqual(new Set([sha("a")]));
    expect(cloudflare.deployments[0]?.versions).toHaveLength(1);
  });

  test("goes back when the version fails only with users", async () => {
    const cloudflare = new FakeCloudflare();
    cloudflare.publish(sha("a"));
    const target = targetOn(
      cloudflare,
      "prod",
      uploads(cloudflare, { failsLive: true }),
    );
    expect(await refusal(release(target, sha("b"), never))).toContain(
      "HTTP 500",
    );
    expect(cloudflare.met[0]).toBe(sha("a"));
    expect(cloudflare.met).toContain(sha("b"));
  });

  test("goes back when it is cancelled", async () => {
    const cloudflare = new FakeCloudflare();
    cloudflare.publish(sha("a"));
    const stop = new AbortController();
    const target = targetOn(
      cloudflare,
      "prod",
      uploads(cloudflare, { healthy: false }),
    );
    target.pace = () => ({ deadlineMs: 60_000, pauseMs: 5, inARow: 2 });
    const released = release(target, sha("b"), stop.signal);
    setTimeout(() => stop.abort(new Refusal("Stopped by SIGINT.")), 100);
    expect(await refusal(released)).toBe("Stopped by SIGINT.");
    expect(cloudflare.deployments[0]?.versions).toHaveLength(1);
    expect(cloudflare.met[0]).toBe(sha("a"));
  });

  test("the first release has nothing to go back to", async () => {
    const cloudflare = new FakeCloudflare();
    const target = targetOn(cloudflare, "prod", async (uploadOnly) => {
      expect(uploadOnly).toBe(false);
      cloudflare.publish(sha("a"));
    });
    await release(target, sha("a"), never);
    expect(cloudflare.met).toEqual([sha("a")]);
  });

  test("a deploy command that changed nothing is a failure", async () => {
    const cloudflare = new FakeCloudflare();
    cloudflare.publish(sha("a"));
    expect(
      await refusal(release(targetOn(cloudflare, "prod"), sha("b"), never)),
    ).toContain("no new version");
  });

  test("leaves somebody's gradual deployment alone", async () => {
    const cloudflare = new FakeCloudflare();
    const [old, young] = [
      cloudflare.upload(sha("a")),
      cloudflare.upload(sha("b")),
    ];
    const versions = [
      { version_id: old, percentage: 60 },
      { version_id: young, percentage: 40 },
    ];
    cloudflare.deployments.unshift({ versions, message: "", force: false });
    expect(
      await refusal(release(targetOn(cloudflare, "prod"), sha("c"), never)),
    ).toContain("gradual deployment");
  });

  test("does not begin behind a challenge", async () => {
    const cloudflare = new FakeCloudflare();
    cloudflare.publish(sha("a"));
    cloudflare.challenge = true;
    expect(
      await refusal(release(targetOn(cloudflare, "prod"), sha("b"), never)),
    ).toContain("action Skip");
    expect(cloudflare.deployments).toHaveLength(1);
  });
});

describe("release to staging", () => {
  test("deploys at once", async () => {
    const cloudflare = new FakeCloudflare();
    cloudflare.publish(sha("a"));
    const target = targetOn(
      cloudflare,
      "staging",
      async () => void cloudflare.publish(sha("b")),
    );
    await release(target, sha("b"), never);
    expect(cloudflare.met).toEqual([sha("b"), sha("a")]);
  });

  test("goes back when the check fails", async () => {
    const cloudflare = new FakeCloudflare();
    cloudflare.publish(sha("a"));
    const target = targetOn(
      cloudflare,
      "staging",
      async () => void cloudflare.publish(sha("b"), { healthy: false }),
    );
    expect(await refusal(release(target, sha("b"), never))).toContain(
      "HTTP 500",
    );
    expect(cloudflare.met).toEqual([sha("a"), sha("b"), sha("a")]);
  });
});

// --- rollback --------------------------------------------------------------------------------------------------------

describe("rollback", () => {
  const options = { dryRun: false, force: false, verify: true };
  const three = () => {
    const cloudflare = new FakeCloudflare();
    for (const letter of ["a", "b", "c"]) cloudflare.publish(sha(letter));
    return cloudflare;
  };
  const back = (cloudflare: FakeCloudflare, wanted: string, change = {}) =>
    rollback(targetOn(cloudflare, "prod"), wanted, { ...options, ...change });

  test("goes one back, then another one, never forward to the bad one", async () => {
    const cloudflare = three();
    await back(cloudflare, "previous");
    expect(cloudflare.met[0]).toBe(sha("b"));
    await back(cloudflare, "previous");
    expect(cloudflare.met[0]).toBe(sha("a"));
    expect(await refusal(back(cloudflare, "previous"))).toContain(
      "no earlier release",
    );
  });

  test.each([
    ["latest-2", "a"],
    ["latest-1", "b"],
    [sha("a").slice(0, 7), "a"],
    ["00000000-0000-4000-8000-000000000001", "b"],
    ["latest", "c"],
  ])("to %s", async (wanted, letter) => {
    const cloudflare = three();
    await back(cloudflare, wanted);
    expect(cloudflare.met[0]).toBe(sha(letter));
  });

  test.each([
    ["latest-9", "2 earlier releases."],
    ["abcdef0", "No version"],
    ["$(id)", "none of: previous"],
  ])("refuses %s", async (wanted, message) => {
    const cloudflare = three();
    expect(await refusal(back(cloudflare, wanted))).toContain(message);
    expect(cloudflare.deployments).toHaveLength(3);
  });

  test("says so when Cloudflare does not list enough", async () => {
    const cloudflare = three();
    for (let i = 0; i < 8; i++) cloudflare.publish(sha("c"));
    expect(await refusal(back(cloudflare, "latest-2"))).toContain(
      "one earlier release among the deployments that Cloudflare still lists. Name an older one by its commit",
    );
    cloudflare.publish(sha("c"));
    expect(await refusal(back(cloudflare, "previous"))).toContain(
      "no earlier release among the deployments",
    );
    await back(cloudflare, sha("a"));
    expect(cloudflare.met[0]).toBe(sha("a"));
  });

  test("a Worker that was never deployed", async () => {
    expect(await refusal(back(new FakeCloudflare(), "previous"))).toContain(
      "never deployed",
    );
  });

  test("ends a gradual deployment", async () => {
    const cloudflare = three();
    const [c, b] = cloudflare.versions.map(({ id }) => id);
    cloudflare.deployments.unshift({
      versions: [
        { version_id: b!, percentage: 70 },
        { version_id: c!, percentage: 30 },
      ],
      message: "",
      force: false,
    });
    await back(cloudflare, "latest");
    expect(cloudflare.deployments[0]?.versions).toEqual([
      { version_id: b!, percentage: 100 },
    ]);
  });

  test("--dry-run changes nothing", async () => {
    const cloudflare = three();
    await back(cloudflare, "previous", { dryRun: true });
    expect(cloudflare.deployments).toHaveLength(3);
  });

  test("a changed secret needs --force", async () => {
    const cloudflare = three();
    cloudflare.secretChanged = true;
    expect(await refusal(back(cloudflare, "previous"))).toContain("--force");
    await back(cloudflare, "previous", { force: true });
    expect(cloudflare.met[0]).toBe(sha("b"));
  });

  test("says so when the earlier release is broken, too", async () => {
    const cloudflare = new FakeCloudflare();
    cloudflare.publish(sha("a"), { healthy: false });
    cloudflare.publish(sha("b"));
    expect(await refusal(back(cloudflare, "previous"))).toContain(
      "does not pass",
    );
  });
});

// --- ownership -------------------------------------------------------------------------------------------------------

test("a Cloudflare that cannot be reached is told in one line", async () => {
  const nobody = new Cloudflare("a1", "token", "http://127.0.0.1:1", 1);
  await expect(nobody.deployments("demo-api-prod")).rejects.toThrow(
    "no answer",
  );
});

describe("an existing Worker", () => {
  const ask = (owner: string | undefined, names?: Record<string, string>) => {
    const cloudflare = new FakeCloudflare();
    cloudflare.bindings =
      owner === undefined
        ? []
        : [{ type: "plain_text", name: "APP_ID", text: owner }];
    const environment = {
      name: "prod",
      profile: names ? { names } : {},
      personal: false,
    };
    return ownsExistingWorker(config, environment, cloudflare.client(), {});
  };

  test("of this app is taken over", async () => {
    expect(await ask(appId(config, {}))).toBe(true);
    expect(await ask("unpublished:.")).toBe(true);
  });

  test("of another one is not, unless `names` says so", async () => {
    expect(await refusal(ask("other/app:."))).toContain(
      'belongs to "other/app:."',
    );
    expect(await refusal(ask(undefined))).toContain(
      'names: { api: "demo-api-prod" }',
    );
    expect(await ask(undefined, { api: "old" })).toBe(true);
  });

  test("that does not exist", async () => {
    const environment = environmentNamed(config, "prod");
    expect(
      await ownsExistingWorker(
        config,
        environment,
        new FakeCloudflare().client(),
        {},
      ),
    ).toBe(false);
  });
});

describe("an existing KV namespace", () => {
  const ask = (namespaces: string[], names?: Record<string, string>) => {
    const cloudflare = new FakeCloudflare();
    cloudflare.namespaces = namespaces;
    const environment = {
      name: "prod",
      profile: names ? { names } : {},
      personal: false,
    };
    return mayAdoptData(config, "cache", environment, cloudflare.client());
  };

  test("is used when, and only when, `names` says so", async () => {
    expect(await ask([])).toBe(false);
    expect(await ask(["old"], { cache: "old" })).toBe(true);
    expect(await refusal(ask(["demo-cache-prod"]))).toContain(
      "not known to be this app's",
    );
    expect(await refusal(ask([], { cache: "old" }))).toContain(
      "does not exist",
    );
  });
});

// --- verification ----------------------------------------------------------------------------------------------------

describe("the check", () => {
  const expected: Expectation = {
    url: "https://app.test",
    healthPath: "/health",
    environment: "prod",
    worker: "demo-api-prod",
    commit: sha("a"),
    versionId: "v1",
    beforeSwitch: false,
  };
  const thresholds = {
    p95Ms: 100,
    errorRate: 0.1,
    samples: 20,
    deadlineMs: 1000,
  };
  const probes = (slow: number, failed: number) =>
    Array.from({ length: 20 }, (_, i) => ({
      ms: i < slow ? 500 : 10,
      ...(i < failed && { problem: "HTTP 500" }),
    }));

  test.each([
    [0, 0, ""],
    [1, 2, ""],
    [2, 0, "up to 500 ms"],
    [0, 3, "3 of 20 requests failed"],
  ])("%d slow and %d failed requests of 20", (slow, failed, reason) => {
    const report = judge(expected, thresholds, probes(slow, failed));
    expect(report.reason).toContain(reason);
    expect(report.passed).toBe(reason === "");
  });

  test.each([
    [
      { status: "ok", version: sha("a"), worker: "v1", environment: "prod" },
      {},
    ],
    [
      { version: sha("b") },
      { problem: `version is ${sha("b")}, not ${sha("a")}` },
    ],
    [{ version: sha("a"), worker: "v0" }, { problem: "worker is v0, not v1" }],
    [
      { version: sha("a"), environment: "staging" },
      { problem: "environment is staging, not prod" },
    ],
    [{ up: true }, { anonymous: true }],
  ])("compares %j", (body, result) => {
    expect(compareBody(expected, JSON.stringify(body))).toEqual(result);
  });

  test("a body that is no JSON is judged by its status alone", () => {
    expect(compareBody(expected, "OK")).toEqual({ anonymous: true });
  });
});

// --- gate ------------------------------------------------------------------------------------------------------------

describe("the gate of prod", () => {
  const run = {
    id: 7,
    event: "push",
    head_branch: "main",
    head_repository: { full_name: "acme/demo" },
  };
  const jobs = (name: string, conclusion: string) => ({
    jobs: [{ name, conclusion }],
  });
  const rules = (reviewers: unknown[]) => ({
    protection_rules: [{ type: "required_reviewers", reviewers }],
    deployment_branch_policy: {
      protected_branches: false,
      custom_branch_policies: true,
    },
  });
  const answers = {
    [`/commits/${sha("b")}`]: { sha: sha("b") },
    [`/compare/${sha("b")}...main`]: { status: "ahead", commits: [] },
    [`/compare/${sha("a")}...${sha("b")}`]: {
      status: "ahead",
      commits: [{ sha: sha("b"), commit: { message: "feat: b\n\nbody" } }],
    },
    "/environments/prod": rules([{}]),
    "/environments/prod/deployment-branch-policies": {
      branch_policies: [{ id: 1, name: "main" }],
    },
    "/actions/workflows/promote.yml/runs": { workflow_runs: [run] },
    "/actions/workflows/promote.yml/runs?status=waiting&per_page=100": {
      workflow_runs: [{ id: 3 }, { id: 4 }, { id: 9 }],
    },
    "/actions/runs/3/pending_deployments": [{ environment: { name: "prod" } }],
    "/actions/runs/4/pending_deployments": [{ environment: { name: "other" } }],
    "/actions/runs/7/jobs": jobs(deployJob(sha("b"), "staging"), "success"),
  };
  const ask = async (
    change: Record<string, unknown> = {},
    env: Record<string, string> = {},
    recheck = true,
    wanted: string | undefined = sha("b"),
  ) => {
    const github = new FakeGitHub({ ...answers, ...change });
    const cloudflare = new FakeCloudflare();
    cloudflare.publish(sha("a"));
    const accounts = { ...config, profiles: { staging: {}, prod: {} } };
    const { commit, warnings, superseded, commits } = await gate(
      accounts,
      "prod",
      wanted,
      recheck,
      {
        GITHUB_TOKEN: "token",
        GITHUB_REF: "refs/heads/main",
        GITHUB_API_URL: github.url,
        GITHUB_RUN_ID: "8",
        CLOUDFLARE_API_TOKEN: "token",
        CLOUDFLARE_ACCOUNT_ID: "a1",
        CLOUDFLARE_BASE_URL: cloudflare.url,
        APP_URL: `${cloudflare.url}/app`,
        ...env,
      },
    );
    return { commit, warnings, superseded, commits, github };
  };

  test("lets a proved commit pass", async () => {
    expect((await ask()).commit).toBe(sha("b"));
  });

  test("tells the reviewer what it adds", async () => {
    const { commits, warnings } = await ask();
    expect(commits).toEqual([`${sha("b").slice(0, 12)} feat: b`]);
    expect(warnings).toEqual([]);
  });

  test("warns of a commit that failed in prod before", async () => {
    const both = {
      jobs: [
        { name: deployJob(sha("b"), "staging"), conclusion: "success" },
        { name: deployJob(sha("b"), "prod"), conclusion: "failure" },
      ],
    };
    const { warnings } = await ask({ "/actions/runs/7/jobs": both });
    expect(warnings).toEqual([
      expect.stringContaining("failed in prod before"),
    ]);
  });

  test("takes what staging runs when no commit is named", async () => {
    const same = {
      [`/compare/${sha("a")}...main`]: { status: "identical", commits: [] },
    };
    const proved = {
      "/actions/runs/7/jobs": jobs(deployJob(sha("a"), "staging"), "success"),
    };
    expect((await ask({ ...same, ...proved }, {}, false, "")).commit).toBe(
      sha("a"),
    );
  });

  test("cancels older promotions that wait for approval, once", async () => {
    const paths = ({ written }: FakeGitHub) => written.map((w) => w.path);
    expect(paths((await ask({}, {}, false)).github)).toEqual([
      "/actions/runs/3/cancel",
    ]);
    expect(paths((await ask({}, {}, true)).github)).toEqual([]);
  });

  test.each<[string, Record<string, unknown>, Record<string, string>]>([
    ["on main, not on refs/heads/x", {}, { GITHUB_REF: "refs/heads/x" }],
    ["no environment prod", { "/environments/prod": undefined }, {}],
    ["no required reviewer", { "/environments/prod": rules([]) }, {}],
    [
      "Other branches",
      {
        "/environments/prod": {
          ...rules([{}]),
          deployment_branch_policy: null,
        },
      },
      {},
    ],
    [
      "Other branches",
      {
        "/environments/prod/deployment-branch-policies": {
          branch_policies: [{ name: "main" }, { name: "*" }],
        },
      },
      {},
    ],
    [
      "not on main",
      { [`/compare/${sha("b")}...main`]: { status: "diverged", commits: [] } },
      {},
    ],
    [
      "was not verified",
      {
        "/actions/runs/7/jobs": jobs(deployJob(sha("b"), "staging"), "failure"),
      },
      {},
    ],
    [
      "was not verified",
      {
        "/actions/runs/7/jobs": jobs(deployJob(sha("b"), "staging"), "skipped"),
      },
      {},
    ],
    [
      "was not verified",
      {
        "/actions/workflows/promote.yml/runs": {
          workflow_runs: [{ ...run, event: "pull_request" }],
        },
      },
      {},
    ],
    [
      "was not verified",
      {
        "/actions/workflows/promote.yml/runs": {
          workflow_runs: [
            { ...run, head_repository: { full_name: "fork/demo" } },
          ],
        },
      },
      {},
    ],
    [
      "which is newer",
      {
        [`/compare/${sha("a")}...${sha("b")}`]: {
          status: "behind",
          commits: [],
        },
      },
      {},
    ],
  ])("refuses: %s", async (message, change, env) => {
    expect(await refusal(ask(change, env))).toContain(message);
  });

  test("PROD_APPROVAL=none does without a reviewer, and nothing else", async () => {
    const none = { PROD_APPROVAL: "none" };
    expect((await ask({ "/environments/prod": rules([]) }, none)).commit).toBe(
      sha("b"),
    );
    expect(
      await refusal(ask({ "/environments/prod": undefined }, none)),
    ).toContain("no environment prod");
  });

  test("an input is never more than a name of a commit", async () => {
    expect(await refusal(ask({}, {}, true, "../../issues"))).toContain(
      "not written like one",
    );
    expect(await refusal(ask({}, {}, true, "x y"))).toContain(
      "not written like one",
    );
  });
});

describe("the gate of staging", () => {
  const ask = async (status: string, event: string) => {
    const github = new FakeGitHub({
      [`/compare/${sha("b")}...main`]: { status: "ahead", commits: [] },
      [`/compare/${sha("a")}...${sha("b")}`]: { status, commits: [] },
    });
    const cloudflare = new FakeCloudflare();
    cloudflare.publish(sha("a"));
    return gate(config, "staging", undefined, false, {
      GITHUB_TOKEN: "token",
      GITHUB_REF: "refs/heads/main",
      GITHUB_SHA: sha("b"),
      GITHUB_EVENT_NAME: event,
      GITHUB_API_URL: github.url,
      CLOUDFLARE_API_TOKEN: "token",
      CLOUDFLARE_BASE_URL: cloudflare.url,
    });
  };

  test("takes the commit that was pushed", async () => {
    expect((await ask("ahead", "push")).commit).toBe(sha("b"));
  });

  test("an older push does not undo a newer one, but a person may go back", async () => {
    expect(await refusal(ask("behind", "push"))).toContain("a later push");
    expect((await ask("behind", "workflow_dispatch")).commit).toBe(sha("b"));
  });
});

// --- environments ----------------------------------------------------------------------------------------------------

describe("bun run environments", () => {
  const complete = {
    "": { private: false },
    "/environments/staging": {
      protection_rules: [],
      deployment_branch_policy: null,
    },
    "/environments/prod": {
      protection_rules: [
        { type: "wait_timer", wait_timer: 5 },
        {
          type: "required_reviewers",
          prevent_self_review: true,
          reviewers: [{ type: "User", reviewer: { id: 1 } }],
        },
      ],
      deployment_branch_policy: {
        protected_branches: false,
        custom_branch_policies: true,
      },
    },
    "/environments/prod/deployment-branch-policies": {
      branch_policies: [{ id: 1, name: "main" }],
    },
    "/environments/staging/secrets": {
      secrets: [
        { name: "CLOUDFLARE_API_TOKEN" },
        { name: "ALCHEMY_STATE_TOKEN" },
      ],
    },
    "/environments/prod/secrets": {
      secrets: [
        { name: "CLOUDFLARE_API_TOKEN" },
        { name: "ALCHEMY_STATE_TOKEN" },
      ],
    },
    "/actions/variables/PROMOTION": { value: "on" },
    "/users/reviewer": { id: 1 },
    "/orgs/acme/teams/ops": { id: 2 },
    "/user": { id: 3 },
  };
  const options: Options = {
    reviewers: [],
    renew: [],
    ask: async () => "value",
    env: {},
  };
  const look = async (
    change: Record<string, unknown>,
    more: Partial<Options> = {},
  ) => {
    const github = new FakeGitHub({ ...complete, ...change });
    const steps = await survey(github.client(), config, {
      ...options,
      ...more,
    });
    return { github, steps, open: steps.filter((s) => s.state === "change") };
  };

  test("a complete repository needs nothing", async () => {
    expect((await look({})).open).toEqual([]);
    expect((await look({}, { reviewers: ["reviewer"] })).open).toEqual([]);
  });

  test("an empty one needs everything, promotion last", async () => {
    const missing = Object.fromEntries(
      Object.keys(complete)
        .filter((path) => /environments|variables/.test(path))
        .map((path) => [path, undefined]),
    );
    const { open } = await look(missing);
    expect(open).toHaveLength(8);
    expect(open.at(-1)?.title).toContain("PROMOTION=on");
  });

  test("a new reviewer is added, and what the owner set stays", async () => {
    const { github, open } = await look(
      {},
      { reviewers: ["reviewer", "acme/ops"] },
    );
    for (const step of open) await step.apply?.();
    expect(github.written).toEqual([
      {
        method: "PUT",
        path: "/environments/prod",
        body: {
          reviewers: [
            { type: "User", id: 1 },
            { type: "Team", id: 2 },
          ],
          prevent_self_review: true,
          wait_timer: 5,
          deployment_branch_policy: {
            protected_branches: false,
            custom_branch_policies: true,
          },
        },
      },
    ]);
  });

  test("branches other than main are removed", async () => {
    const { github, open } = await look({
      "/environments/prod/deployment-branch-policies": {
        branch_policies: [{ id: 4, name: "release/*" }],
      },
    });
    for (const step of open) await step.apply?.();
    expect(github.written.map((w) => `${w.method} ${w.path}`)).toEqual([
      "POST /environments/prod/deployment-branch-policies",
      "DELETE /environments/prod/deployment-branch-policies/4",
    ]);
  });

  test("secrets that the token may not see are not called missing", async () => {
    const { steps, open } = await look({
      "/environments/prod/secrets": undefined,
    });
    expect(open).toEqual([]);
    expect(steps.filter((s) => s.state === "hidden")).toHaveLength(2);
  });

  test("a repository that the token cannot see is an error", async () => {
    expect(await refusal(look({ "": undefined }))).toContain("no repository");
  });

  test("a private repository is warned about, and can do without a reviewer", async () => {
    const bare = {
      "": { private: true },
      "/environments/prod": {
        deployment_branch_policy: {
          protected_branches: false,
          custom_branch_policies: true,
        },
      },
    };
    const { steps, open } = await look(bare);
    expect(steps[0]).toMatchObject({ state: "warning" });
    expect(open).toHaveLength(1);
    const none = await look(bare, { env: { PROD_APPROVAL: "none" } });
    expect(none.open.map((step) => step.title)).toEqual([
      "variable PROD_APPROVAL=none",
    ]);
  });

  test("secrets are sealed for GitHub's key", async () => {
    const { default: sodium } = await import("libsodium-wrappers");
    await sodium.ready;
    const pair = sodium.crypto_box_keypair();
    const { github, open } = await look(
      {
        "/environments/prod/secrets/public-key": {
          key_id: "k1",
          key: Buffer.from(pair.publicKey).toString("base64"),
        },
      },
      {
        renew: ["CLOUDFLARE_API_TOKEN"],
        env: { STAGING_CLOUDFLARE_API_TOKEN: "no" },
      },
    );
    const step = open.find((s) => s.title.endsWith("of prod"));
    await step?.apply?.();
    const [written] = github.written;
    const { key_id, encrypted_value } = written?.body as {
      key_id: string;
      encrypted_value: string;
    };
    expect(key_id).toBe("k1");
    expect(
      Buffer.from(
        sodium.crypto_box_seal_open(
          Buffer.from(encrypted_value, "base64"),
          pair.publicKey,
          pair.privateKey,
        ),
      ).toString(),
    ).toBe("value");
  });

  test.each([
    ["share a Cloudflare account", { account: "a1" }],
    ["names no Cloudflare `account`", {}],
  ])("warns when the profiles %s", async (title, profile) => {
    const shared = { ...config, profiles: { staging: profile, prod: profile } };
    const github = new FakeGitHub(complete).client();
    const [first] = await survey(github, shared, options);
    expect(first).toMatchObject({
      state: "warning",
      title: expect.stringContaining(title),
    });
  });
});
