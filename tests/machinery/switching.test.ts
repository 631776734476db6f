import { describe, expect, test } from "bun:test";
import { Cloudflare, Worker } from "./cloudflare.ts";
import { appId } from "./checkout.ts";
import { Refusal, environmentNamed } from "./config.ts";
import { ledger, releaseStack } from "./ledger.ts";
import { mayAdoptData, ownsExistingWorker } from "./ownership.ts";
import { rollback } from "./rollback.ts";
import {
  FakeCloudflare,
  config,
  limit,
  never,
  refusal,
  releaseTo,
  sha,
  targetOn,
} from "./stand_ins.ts";

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
  const entries = await ledger(target.worker);
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

describe("release to prod", () => {
  const uploads =
    (cloudflare: FakeCloudflare, options = {}) =>
    async (uploadOnly: boolean) => {
      expect(uploadOnly).toBe(true);
      cloudflare.upload(sha("b"), options);
    };

  test("switches only after the check", async () => {
    const cloudflare = new FakeCloudflare();
    cloudflare.publish(sha("a"));
    await releaseTo(
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
    expect(await refusal(releaseTo(target, sha("b"), never))).toContain(
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
    expect(await refusal(releaseTo(target, sha("b"), never))).toContain(
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
    const released = releaseTo(limit(target, 60_000), sha("b"), stop.signal);
    setTimeout(() => stop.abort(new Refusal("Stopped by SIGINT.")), 100);
    expect(await refusal(released)).toStartWith("Stopped by SIGINT. ");
    expect(cloudflare.deployments[0]?.versions).toHaveLength(1);
    expect(cloudflare.met[0]).toBe(sha("a"));
  });

  test("the first release has nothing to go back to", async () => {
    const cloudflare = new FakeCloudflare();
    const target = targetOn(cloudflare, "prod", async (uploadOnly) => {
      expect(uploadOnly).toBe(false);
      cloudflare.publish(sha("a"));
    });
    await releaseTo(target, sha("a"), never);
    expect(cloudflare.met).toEqual([sha("a")]);
  });

  test("a deploy command that changed nothing is a failure", async () => {
    const cloudflare = new FakeCloudflare();
    cloudflare.publish(sha("a"));
    expect(
      await refusal(releaseTo(targetOn(cloudflare, "prod"), sha("b"), never)),
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
      await refusal(releaseTo(targetOn(cloudflare, "prod"), sha("c"), never)),
    ).toContain("gradual deployment");
  });

  test("does not begin behind a challenge", async () => {
    const cloudflare = new FakeCloudflare();
    cloudflare.publish(sha("a"));
    cloudflare.challenge = true;
    expect(
      await refusal(releaseTo(targetOn(cloudflare, "prod"), sha("b"), never)),
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
    await releaseTo(target, sha("b"), never);
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
    expect(await refusal(releaseTo(target, sha("b"), never))).toContain(
      "HTTP 500",
    );
    expect(cloudflare.met).toEqual([sha("a"), sha("b"), sha("a")]);
  });
});

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
    ["$(id)", "not one of: previous"],
  ])("refuses %s", async (wanted, message) => {
    const cloudflare = three();
    expect(await refusal(back(cloudflare, wanted))).toContain(message);
    expect(cloudflare.deployments).toHaveLength(3);
  });

  test("says so when Cloudflare does not list enough", async () => {
    const cloudflare = three();
    for (let i = 0; i < 8; i++) cloudflare.publish(sha("c"));
    expect(await refusal(back(cloudflare, "latest-2"))).toContain(
      "one earlier release among the deployments that Cloudflare still lists. Name an older one:\n" +
        "  ./scripts/rollback.sh prod 00000000-0000-4000-8000-000000000001  # bbbbbbbbbbbb\n" +
        "  ./scripts/rollback.sh prod 00000000-0000-4000-8000-000000000000  # aaaaaaaaaaaa",
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
    cloudflare.upload(sha("d"), { secrets: ["NEW"] });
    const said = await refusal(back(cloudflare, "previous"));
    expect(said).toEndWith(
      `./scripts/rollback.sh prod ${cloudflare.idOf(sha("b"))} --force`,
    );
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

test("a Cloudflare that cannot be reached is told in one line", async () => {
  const nobody = new Cloudflare("a1", "token", "http://127.0.0.1:1", 1);
  await expect(
    new Worker(nobody, "demo-api-prod").deployments(),
  ).rejects.toThrow("no answer");
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
