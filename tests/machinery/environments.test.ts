import { describe, expect, test } from "bun:test";
import { type Config, UsageError } from "./config.ts";
import { table } from "./environments.ts";
import { GitHub } from "./github.ts";
import { ApiError } from "./http.ts";
import { optionsOf } from "./options.ts";
import { survey } from "./survey.ts";
import { type Sources, sharedTokens, valuesOf } from "./values.ts";
import { type Secret, type Wish } from "./view.ts";
import { validateConfig } from "./validate.ts";
import { FakeGitHub, config, refusal, servers } from "./stand_ins.ts";

describe("environments", () => {
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
      await changes[0]?.fix("").catch(() => {});
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
    expect(await refusal(changes[0]?.fix("") ?? Promise.resolve())).toContain(
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

  test("where Cloudflare Access stands in front, its service token is a secret, too", async () => {
    const { drift, changes } = await look(
      {},
      {},
      { staging: { account: "a1" }, prod: { account: "a2", access: true } },
    );
    expect(drift.map(({ state, name }) => `${state} ${name}`)).toEqual([
      "missing secret CF_ACCESS_CLIENT_ID",
      "missing secret CF_ACCESS_CLIENT_SECRET",
    ]);
    expect(changes.map(({ needs }) => needs?.profile)).toEqual([
      "prod",
      "prod",
    ]);
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

  test.each<[string, { account?: string }, "note" | "problem"]>([
    ["share a Cloudflare account", { account: "a1" }, "note"],
    ["names no Cloudflare `account`", {}, "problem"],
  ])("tells when the profiles %s", async (said, profile, state) => {
    const profiles = { staging: profile, prod: profile };
    const { drift, changes } = await look({}, {}, profiles);
    expect(drift[0]?.name).toContain(said);
    expect([drift[0]?.state, changes]).toEqual([state, []]);
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
    await changes.find(({ needs }) => needs?.profile === "prod")?.fix("value");
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
    expect(table("acme/demo", settings, config).split("\n")).toEqual([
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
    expect(error).toBeInstanceOf(ApiError);
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
