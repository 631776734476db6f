import { describe, expect, test } from "bun:test";
import { type Config } from "./config.ts";
import { gate } from "./gate.ts";
import { deployJob } from "./github.ts";
import {
  FakeCloudflare,
  FakeGitHub,
  config,
  refusal,
  sha,
} from "./stand_ins.ts";

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
    again = false,
    settings: Partial<Config> = {},
  ) => {
    const github = new FakeGitHub({ ...answers, ...change });
    const cloudflare = new FakeCloudflare();
    cloudflare.publish(sha("a"));
    const accounts = {
      ...config,
      profiles: { staging: {}, prod: {} },
      ...settings,
    };
    const { commit, warnings, superseded, commits } = await gate(
      accounts,
      "prod",
      { wanted, recheck, again },
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

  test("warns where the check does not see which release answers", async () => {
    const health = { reports: "status" as const };
    const { warnings } = await ask({}, {}, false, sha("b"), false, { health });
    expect(warnings).toEqual([
      expect.stringContaining('`health.reports` is "status"'),
    ]);
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

  describe("a commit that was rolled back", () => {
    /** Both were released to prod; then somebody went back, by whichever means. */
    const released = (...letters: string[]) => ({
      "/actions/runs/7/jobs": {
        jobs: [
          { name: deployJob(sha("b"), "staging"), conclusion: "success" },
          ...letters.map((letter) => ({
            name: deployJob(sha(letter), "prod"),
            conclusion: "success",
          })),
        ],
      },
    });
    const ledgerOf = (cloudflare: FakeCloudflare, message: string) => {
      cloudflare.publish(sha("b"));
      cloudflare.deployments.unshift({
        versions: [{ version_id: cloudflare.idOf(sha("a")), percentage: 100 }],
        message,
        force: false,
      });
    };

    test("is refused before the approval", async () => {
      expect(await refusal(ask(released("b"), {}, false))).toContain(
        "was rolled back in prod",
      );
    });

    test.each(["", "rollback to aaaaaaaaaaaa by owner"])(
      "is refused after it, also where only Cloudflare knows (%p)",
      async (message) => {
        const cloudflare = new FakeCloudflare();
        cloudflare.publish(sha("a"));
        ledgerOf(cloudflare, message);
        const env = { CLOUDFLARE_BASE_URL: cloudflare.url };
        expect(await refusal(ask({}, env))).toContain(
          "was rolled back in prod",
        );
        const { warnings } = await ask({}, env, true, sha("b"), true);
        expect(warnings).toEqual([
          expect.stringContaining("“again” was ticked"),
        ]);
      },
    );

    test("is another matter than one that failed and was rolled back at once", async () => {
      const cloudflare = new FakeCloudflare();
      cloudflare.publish(sha("a"));
      ledgerOf(
        cloudflare,
        "back to aaaaaaaaaaaa: bbbbbbbbbbbb failed, by owner",
      );
      const env = { CLOUDFLARE_BASE_URL: cloudflare.url };
      expect((await ask({}, env)).warnings).toEqual([]);
    });

    test("goes out again when somebody insists, and the reviewer reads it", async () => {
      const { warnings } = await ask(released("b"), {}, false, sha("b"), true);
      expect(warnings).toEqual([expect.stringContaining("goes out again")]);
    });

    test("is named where a later commit brings it along", async () => {
      const range = {
        [`/compare/${sha("a")}...${sha("b")}`]: {
          status: "ahead",
          commits: ["c", "b"].map((letter) => ({
            sha: sha(letter),
            commit: { message: letter },
          })),
        },
      };
      const { warnings } = await ask({ ...range, ...released("c") }, {}, false);
      expect(warnings).toEqual([
        expect.stringContaining("This brings cccccccccccc along"),
      ]);
    });
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
    return gate(
      config,
      "staging",
      { wanted: undefined, recheck: false, again: false },
      {
        GITHUB_TOKEN: "token",
        GITHUB_REF: "refs/heads/main",
        GITHUB_SHA: sha("b"),
        GITHUB_EVENT_NAME: event,
        GITHUB_API_URL: github.url,
        CLOUDFLARE_API_TOKEN: "token",
        CLOUDFLARE_BASE_URL: cloudflare.url,
      },
    );
  };

  test("takes the commit that was pushed", async () => {
    expect((await ask("ahead", "push")).commit).toBe(sha("b"));
  });

  test("an older push does not undo a newer one, but a person may go back", async () => {
    expect(await refusal(ask("behind", "push"))).toContain("a later push");
    expect((await ask("behind", "workflow_dispatch")).commit).toBe(sha("b"));
  });
});
