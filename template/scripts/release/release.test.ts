{%- if compiler_settings == "app" -%}
// @ts-nocheck The flags in tsconfig.json are the app's.
{% endif -%}
/** Everything here talks to stand-ins on the loopback interface: no account, no network. */
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
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
  appRoot,
  bindingName,
  environmentFromArguments,
  environmentNamed,
  firstProfile,
  repositoryOf,
  validateConfig,
  variablesOf,
  workerName,
  workflowFile,
} from "./config.ts";
import {
  type Sources,
  optionsOf,
  script,
  sharedTokens,
  table,
  valuesOf,
} from "./environments.ts";
import { GitHub, GitHubError, deployJob, gate } from "./github.ts";
import { type Target, release, rollback } from "./main.ts";
import { type Secret, type Wish, secretsOf, survey } from "./protection.ts";
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
        const refused = this.answers[`${request.method} ${path}`];
        return typeof refused === "number"
          ? Response.json({ message: "Refused" }, { status: refused })
          : Response.json({ id: 1 });
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

/** A workflow of this app; GitHub reads them at the root of the repository alone. */
async function workflowOf(own: Config, name: string) {
  const path = `.github/workflows/${workflowFile(own, name)}`;
  let folder = appRoot;
  while (!existsSync(join(folder, path)) && folder !== dirname(folder)) {
    folder = dirname(folder);
  }
  const text = await Bun.file(join(folder, path)).text();
  const { on } = Bun.YAML.parse(text) as Workflow;
  return { text, environment: on.workflow_dispatch.inputs.environment };
}

interface Workflow {
  on: {
    workflow_dispatch: {
      inputs: { environment: { default: string; options: string[] } };
    };
  };
}

// --- alchemy.config.ts -----------------------------------------------------------------------------------------------

describe("alchemy.config.ts", () => {
  test("this app's is valid", async () => {
    const { default: own } = await import("../../alchemy.config.ts");
    expect<unknown>(validateConfig(own as Config)).toBe(own);
  });

  test("its workflows offer environments that exist, and hand over their secrets", async () => {
    const { default: written } = await import("../../alchemy.config.ts");
    const own = written as Config;
    const promote = await workflowOf(own, "promote");
    const rollback = await workflowOf(own, "rollback");
    // A push goes to the default.
    expect(promote.environment.default).toBe(firstProfile(own));
    for (const name of promote.environment.options) {
      expect(rollback.environment.options).toContain(name);
      const { profile } = environmentNamed(own, name);
      for (const secret of secretsOf(profile)) {
        const line = new RegExp(`${secret}: .* secrets\\.${secret} `);
        expect(promote.text).toMatch(line);
      }
    }
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
  target.env = { GITHUB_ACTOR: "owner" };
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
    ["live", "b", "2026-01-04", "owner"],
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

  test("a promotion that ended while it was looked at hinders nobody", async () => {
    const cancel = "POST /actions/runs/3/cancel";
    const { superseded } = await ask({ [cancel]: 409 }, {}, false);
    expect(superseded).toEqual([]);
    const forbidden = ask({ [cancel]: 403 }, {}, false);
    expect(await forbidden.catch(String)).toContain("403 Refused");
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

describe("bun run {{script_prefix}}environments", () => {
  const rules = (reviewers: object[], more: object[] = []) => ({
    protection_rules: [
      ...more,
      { type: "required_reviewers", prevent_self_review: true, reviewers },
    ],
    deployment_branch_policy: {
      protected_branches: false,
      custom_branch_policies: true,
    },
  });
  const owner = { type: "User", reviewer: { id: 1, login: "owner" } };
  const secrets = {
    secrets: [
      { name: "CLOUDFLARE_API_TOKEN" },
      { name: "ALCHEMY_STATE_TOKEN" },
    ],
  };
  const complete = {
    "": { private: false, permissions: { admin: true } },
    "/environments/staging": {
      protection_rules: [],
      deployment_branch_policy: null,
    },
    "/environments/prod": rules(
      [owner],
      [{ type: "wait_timer", wait_timer: 5 }],
    ),
    "/environments/prod/deployment-branch-policies": {
      branch_policies: [{ id: 1, name: "main" }],
    },
    "/environments/staging/secrets": secrets,
    "/environments/prod/secrets": secrets,
    "/actions/variables/PROMOTION": { value: "on" },
    "/users/owner": { id: 1 },
    "/orgs/acme/teams/ops": { id: 2 },
    "/user": { id: 1, login: "owner" },
  };
  const wish: Wish = {
    rules: {},
    renew: [],
    noApproval: false,
    sharedAccount: false,
  };
  const look = async (
    change: Record<string, unknown>,
    more: Partial<Wish> = {},
    profiles: Config["profiles"] = config.profiles,
  ) => {
    const github = new FakeGitHub({ ...complete, ...change });
    const configuration = { ...config, profiles };
    const found = await survey(github.client(), configuration, {
      ...wish,
      ...more,
    });
    const drift = found.settings.filter((s) => s.state !== "ok");
    return { github, drift, ...found };
  };

  test("a complete repository needs nothing", async () => {
    expect((await look({})).drift).toEqual([]);
    const named = await look({}, { rules: { reviewers: ["owner"] } });
    expect([named.drift, named.changes]).toEqual([[], []]);
  });

  test("what the owner set on GitHub stays, unless somebody asks for something else", async () => {
    const put = async (asked: Wish["rules"]) => {
      const { github, changes } = await look({}, { rules: asked });
      // The stand-in does not remember: that GitHub kept nothing of it is noticed.
      await changes[0]?.mend("").catch(() => {});
      return github.written[0]?.body;
    };
    const both = await put({ reviewers: ["owner", "acme/ops"] });
    expect(both).toEqual({
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
    });
    expect(await put({ waitMinutes: 0 })).toMatchObject({
      reviewers: [{ type: "User", id: 1 }],
      wait_timer: 0,
    });
    expect(await put({ preventSelfReview: false })).toMatchObject({
      prevent_self_review: false,
      wait_timer: 5,
    });
  });

  test("rules that GitHub did not keep stop everything", async () => {
    const { changes } = await look({}, { rules: { reviewers: ["acme/ops"] } });
    expect(await refusal(changes[0]?.mend("") ?? Promise.resolve())).toContain(
      "did not take acme/ops as reviewer of prod",
    );
  });

  test("what the token may not see is not called missing, and nothing is changed", async () => {
    const { drift, obstacle } = await look({
      "/environments/prod/secrets": undefined,
    });
    expect(drift.map(({ state, name }) => `${state} ${name}`)).toEqual([
      "hidden secret CLOUDFLARE_API_TOKEN",
      "hidden secret ALCHEMY_STATE_TOKEN",
    ]);
    expect(obstacle?.message).toContain("This token may not change acme/demo");
  });

  test("GitHub tells the names of secrets in capitals", async () => {
    const named = ["CLOUDFLARE_API_TOKEN", "ALCHEMY_STATE_TOKEN"];
    const all = [...named, "ALCHEMY_PASSWORD", "APIKEY"];
    const { drift } = await look(
      {
        "/environments/prod/secrets": {
          secrets: all.map((name) => ({ name })),
        },
      },
      {},
      {
        staging: { account: "a1" },
        prod: { account: "a2", secrets: ["apiKey"] },
      },
    );
    expect(drift).toEqual([]);
  });

  test("a repository that the token cannot see is an error", async () => {
    expect(await refusal(look({ "": undefined }))).toContain("no repository");
  });

  test("an approval by nobody is never made", async () => {
    const bare = { "/environments/prod": rules([]), "/user": undefined };
    const { drift, obstacle } = await look(bare);
    expect(drift).toMatchObject([{ name: "reviewers", wanted: "somebody" }]);
    expect(obstacle).toBeInstanceOf(UsageError);
    const none = await look(bare, { noApproval: true });
    expect(none.changes.map(({ title }) => title)).toEqual([
      "variable PROD_APPROVAL=none",
    ]);
  });

  test.each([
    ["share a Cloudflare account", { account: "a1" }],
    ["names no Cloudflare `account`", {}],
  ])("tells when the profiles %s", async (said, profile) => {
    const profiles = { staging: profile, prod: profile };
    const { drift, changes } = await look({}, {}, profiles);
    expect(drift[0]?.name).toContain(said);
    expect([drift[0]?.state, changes]).toEqual(["problem", []]);
  });

  test("secrets are sealed for GitHub's key", async () => {
    const { default: sodium } = await import("libsodium-wrappers");
    await sodium.ready;
    const pair = sodium.crypto_box_keypair();
    const { github, changes } = await look(
      {
        "/environments/prod/secrets/public-key": {
          key_id: "k1",
          key: Buffer.from(pair.publicKey).toString("base64"),
        },
      },
      { renew: ["CLOUDFLARE_API_TOKEN"] },
    );
    await changes.find(({ needs }) => needs?.profile === "prod")?.mend("value");
    const { key_id, encrypted_value } = github.written[0]?.body as {
      key_id: string;
      encrypted_value: string;
    };
    expect(key_id).toBe("k1");
    const box = Buffer.from(encrypted_value, "base64");
    const { publicKey, privateKey } = pair;
    const opened = sodium.crypto_box_seal_open(box, publicKey, privateKey);
    expect(Buffer.from(opened).toString()).toBe("value");
  });

  const token = (profile: string): Secret => ({
    profile,
    name: "CLOUDFLARE_API_TOKEN",
  });
  const sources: Sources = {
    env: {},
    input: {},
    file: () => ({}),
    makes: () => false,
    ask: undefined,
  };

  test("a value comes from standard input, a variable, a file, or a question", async () => {
    const valueOf = async (given: Partial<Sources>) => {
      const secret = token("pre-prod");
      const { values } = await valuesOf([secret], { ...sources, ...given });
      return values.get(secret);
    };
    const input = { PRE_PROD_CLOUDFLARE_API_TOKEN: "input" };
    const env = { PRE_PROD_CLOUDFLARE_API_TOKEN: "variable" };
    const file = () => ({ CLOUDFLARE_API_TOKEN: "file" });
    const ask = async () => "answer";
    expect(await valueOf({ input, env, file, ask })).toBe("input");
    expect(await valueOf({ env, file, ask })).toBe("variable");
    expect(await valueOf({ file, ask })).toBe("file");
    expect(await valueOf({ ask })).toBe("answer");
    const state = { profile: "prod", name: "ALCHEMY_STATE_TOKEN" };
    const { values, made } = await valuesOf([state], {
      ...sources,
      makes: () => true,
    });
    expect(made).toEqual([state]);
    expect(values.get(state)).toMatch(/^[0-9a-f]{64}$/);
  });

  test("values that are missing or too long are told by name", async () => {
    const both = valuesOf([token("staging"), token("prod")], sources);
    const said = await both.catch(String);
    expect(said).toContain("STAGING_CLOUDFLARE_API_TOKEN, PROD_CLOUDFLARE");
    const long = { PROD_CLOUDFLARE_API_TOKEN: "x".repeat(50_000) };
    const error = valuesOf([token("prod")], { ...sources, env: long });
    expect(await error.catch(String)).toBe(
      "Error: PROD_CLOUDFLARE_API_TOKEN is longer than the 48 KB that GitHub takes",
    );
  });

  test("one token for two environments is noticed", () => {
    const values = (prod: string) =>
      new Map([
        [token("staging"), "one"],
        [token("prod"), prod],
      ]);
    expect(sharedTokens(values("one"))).toContain("can deploy prod");
    expect(sharedTokens(values("two"))).toBeUndefined();
  });

  test.each([
    ["", "which one"],
    ["deploy", "which one"],
    ["plan hunter2", "takes options only"],
    ["check --yes", "--yes is for apply"],
    ["check --renew CLOUDFLARE_API_TOKEN", "--renew is for plan and apply"],
    ["apply --json", "--json is for plan and check"],
    ["plan --stdin", "--stdin is for apply"],
    ["plan --keep", "--keep is for apply"],
    ["check --print", "--print is for plan and apply"],
    ["apply --renew hunter2", "--renew takes the name of a secret"],
    ["apply --wait-timer 1.5", "--wait-timer takes a number"],
    ["apply --wait-timer hunter2", "--wait-timer takes a number"],
    ["apply --wait-timer 43201", "GitHub takes 0 to 43200"],
    ["apply --reviewer a/b/c", "neither a login nor"],
    ["apply --reviewer owner --reviewer Owner", "names a reviewer twice"],
    ["apply --reviewer", "--reviewer"],
    [
      `apply ${["a", "b", "c", "d", "e", "f", "g"].map((r) => `--reviewer ${r}`).join(" ")}`,
      "up to 6",
    ],
    ["apply --token hunter2", "--token"],
  ])("environments %s is an error", (line, said) => {
    const argv = line.split(" ").filter((word) => word !== "");
    let error = "";
    try {
      optionsOf(argv, {}, config);
    } catch (thrown) {
      error = String(thrown);
    }
    expect(error).toContain(said);
    // What stands in the wrong place may be a secret.
    expect(error).not.toContain("hunter2");
  });

  test("PROD_APPROVAL means one thing only", () => {
    const asks = (value: string, ...more: string[]) =>
      optionsOf(["apply", ...more], { PROD_APPROVAL: value }, config);
    expect(asks("").noApproval).toBe(false);
    expect(asks("none").noApproval).toBe(true);
    expect(() => asks("off")).toThrow("PROD_APPROVAL is none");
    expect(() => asks("none", "--reviewer", "owner")).toThrow("are named");
  });

  test.each([
    [{ reviewers: ["a b"] }, "neither a login nor organisation/team"],
    [{ reviewers: [".."] }, "neither a login nor organisation/team"],
    [{ reviewers: [] }, "nobody in it"],
    [{ waitMinutes: -1 }, "GitHub takes 0 to"],
    [{ branches: ["trunk"] }, "`branches` without main"],
    [{ branches: ["main", "main"] }, "names a branch twice"],
    [{ secrets: ["2FA"] }, "first no digit"],
    [{ secrets: ["GitHub_key"] }, "not GITHUB_"],
    [{ secrets: ["A/B"] }, 'has a secret "A/B"'],
  ])("a profile with %j is an error", (profile, said) => {
    const profiles = { staging: {}, prod: profile };
    expect(() => validateConfig({ ...config, profiles })).toThrow(said);
  });

  test("the first profile asks nobody", () => {
    const profiles = { staging: { reviewers: ["owner"] }, prod: {} };
    expect(() => validateConfig({ ...config, profiles })).toThrow(
      "gets every push to main",
    );
  });

  test("the table says what is, and what should be", async () => {
    const { settings } = await look({
      "/environments/prod/secrets": undefined,
      "/environments/prod/deployment-branch-policies": {
        branch_policies: [{ id: 1, name: "main", type: "tag" }],
      },
      "/actions/variables/PROMOTION": undefined,
    });
    expect(table("acme/demo", config, settings).split("\n")).toEqual([
      "acme/demo",
      "",
      "staging, on workers.dev",
      "  ok       branches                     every branch",
      "  ok       secret CLOUDFLARE_API_TOKEN  set",
      "  ok       secret ALCHEMY_STATE_TOKEN   set",
      "",
      "prod, on workers.dev",
      "  ok       reviewers                    owner",
      "  ok       self-review                  prevented",
      "  ok       wait timer                   5 min",
      "  differs  branches                     tag main → main",
      "  hidden   secret CLOUDFLARE_API_TOKEN  not visible to this token",
      "  hidden   secret ALCHEMY_STATE_TOKEN   not visible to this token",
      "",
      "the repository",
      "  missing  variable PROMOTION           → on",
      "",
    ]);
  });

  test("a printed script keeps what a config could bring to it", () => {
    const odd = {
      ...config,
      profiles: { staging: {}, prod: { branches: ["main", "it's $(odd)"] } },
    };
    const text = script("acme/demo", undefined, odd, {
      ...wish,
      rules: { reviewers: ["acme/ops"] },
    });
    expect(text).toContain(`only prod branch:main 'branch:it'\\''s $(odd)'`);
    expect(text).toContain("gh api orgs/acme/teams/ops");
  });
});

describe("GitHub's limits", () => {
  /** Answers in turn, then with what was asked for. */
  const serving = (...answers: (() => Response | Promise<Response>)[]) => {
    const asked: string[] = [];
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: (request) => {
        asked.push(request.method);
        return answers.shift()?.() ?? Response.json({ id: 1 });
      },
    });
    servers.push(server);
    const url = `http://127.0.0.1:${server.port}`;
    return { asked, github: new GitHub("acme/demo", "token", url, 1, 1000) };
  };
  const says =
    (status: number, headers: Record<string, string> = {}, message = "no") =>
    () =>
      Response.json({ message }, { status, headers });
  const never = () => new Promise<Response>(() => {});

  test.each([
    ["GET", says(502), 2],
    ["PUT", says(500), 2],
    ["DELETE", never, 2],
    ["POST", says(429), 2],
    ["POST", says(403, { "retry-after": "1" }), 2],
    ["POST", says(403, {}, "You have exceeded a secondary rate limit"), 2],
    [
      "POST",
      says(403, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1" }),
      2,
    ],
  ])("%s is repeated, case %#", async (method, answer, times) => {
    const { asked, github } = serving(answer);
    await github.call(method, "/");
    expect(asked).toHaveLength(times);
  });

  test.each([
    ["POST", says(502), 1, "502 no"],
    ["POST", never, 1, "no answer"],
    ["GET", says(422), 1, "422 no"],
    ["GET", says(403), 1, "403 no"],
    ["GET", says(429, { "retry-after": "3600" }), 1, "is used up until"],
  ])("%s is not, case %#", async (method, answer, times, said) => {
    const { asked, github } = serving(answer);
    const error = await github.call(method, "/").catch((thrown) => thrown);
    expect(error).toBeInstanceOf(GitHubError);
    expect(String(error)).toContain(said);
    expect(asked).toHaveLength(times);
  });

  test("three times are enough", async () => {
    const { asked, github } = serving(says(500), says(500), says(500));
    expect(String(await github.get("/").catch(String))).toContain("500 no");
    expect(asked).toHaveLength(3);
  });

  test.each([
    [401, {}, "wrong, expired or revoked"],
    [
      404,
      { "x-oauth-scopes": "gist", "x-accepted-oauth-scopes": "repo" },
      "has no scope repo, only: gist",
    ],
    [
      403,
      { "x-accepted-github-permissions": "environments=write" },
      "needs the permission environments: write",
    ],
    [
      403,
      { "x-github-sso": "required; url=https://github.com/orgs/acme/sso" },
      "wants the token authorised: https://github.com/orgs/acme/sso",
    ],
  ])("%d with %j names what the token lacks", async (status, headers, said) => {
    const { github } = serving(says(status, headers));
    expect(await github.get("/").catch(String)).toContain(said);
  });
});
