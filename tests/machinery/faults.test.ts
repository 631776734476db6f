/** What an owner meets on a bad day: Cloudflare, GitHub or the app itself answers wrongly, late, or not at all. */
import { describe, expect, test } from "bun:test";
import { Cloudflare, Worker } from "./cloudflare.ts";
import { type Config, Refusal } from "./config.ts";
import { GitHub } from "./github.ts";
import { objection } from "./gate.ts";
import { rollback } from "./rollback.ts";
import { reportError } from "./tell.ts";
import {
  FakeCloudflare,
  type Fault,
  config,
  limit,
  never,
  refusal,
  releaseTo,
  servers,
  sha,
  targetOn,
  told,
} from "./stand_ins.ts";

const options = { dryRun: false, force: false, verify: true };

/** Prod runs a; b is released by a build of these properties. */
function prod(
  upload: Parameters<FakeCloudflare["upload"]>[1] = {},
  change: Partial<Config> = {},
) {
  const cloudflare = new FakeCloudflare();
  cloudflare.publish(sha("a"));
  const build = async () => void cloudflare.upload(sha("b"), upload);
  const target = targetOn(cloudflare, "prod", build);
  target.config = { ...config, ...change };
  return { cloudflare, target };
}

/** The commit that users meet. */
const live = (cloudflare: FakeCloudflare) => cloudflare.met[0]?.[0];

/** Does what a message says, word for word. */
async function follow(message: string, cloudflare: FakeCloudflare) {
  const commands = [
    ...message.matchAll(
      /\.\/scripts\/rollback\.sh ([a-z]+) ([0-9a-z-]+)( --force)?/g,
    ),
  ];
  expect(commands).toHaveLength(1);
  const [[, name = "", wanted = "", force] = []] = commands;
  await rollback(targetOn(cloudflare, name), wanted, {
    ...options,
    force: force !== undefined,
  });
}

describe("a health check that is broken", () => {
  test.each([
    ["<html>It works!</html>"],
    ['{"status":"ok","vers'],
    [""],
    ['{"status":"error"}'],
    ['{"status":"ok"}'],
  ])("stops the release: %s", async (says) => {
    const { cloudflare, target } = prod({ says });
    const said = await refusal(releaseTo(target, sha("b")));
    expect(said).toContain("did not pass the check before the switch");
    expect(said).toContain("prod still runs aaaaaaaaaaaa.");
    expect(new Set(cloudflare.met)).toEqual(new Set([sha("a")]));
  });

  test("as does an override that is ignored", async () => {
    const { cloudflare, target } = prod();
    cloudflare.deaf = true;
    expect(await refusal(releaseTo(target, sha("b")))).toContain(
      `version is ${sha("a")}, not ${sha("b")}`,
    );
    expect(live(cloudflare)).toBe("a");
  });

  test("is enough where alchemy.config.ts says so", async () => {
    const { cloudflare, target } = prod(
      { says: "OK" },
      { health: { reports: "status" } },
    );
    await releaseTo(target, sha("b"));
    expect(live(cloudflare)).toBe("b");
  });

  test("does not hold up a rollback to it", async () => {
    const { cloudflare, target } = prod();
    cloudflare.versions[0]!.says = "OK";
    await releaseTo(target, sha("b"));
    await rollback(target, "previous", options);
    expect(live(cloudflare)).toBe("a");
  });
});

describe("smoke paths", () => {
  test.each<
    [
      string,
      { path: string; status?: number; contains?: string },
      boolean,
      string,
    ]
  >([
    ["well", { path: "/", contains: "Hello" }, false, ""],
    [
      "another text",
      { path: "/", contains: "Goodbye" },
      false,
      '/: its answer does not contain "Goodbye"',
    ],
    [
      "another status",
      { path: "/", status: 201 },
      false,
      "/: HTTP 200, not 201",
    ],
    [
      "nothing but /health",
      { path: "/shop" },
      true,
      "/shop: HTTP 404, not 200",
    ],
  ])("%s", async (_, smoke, onlyHealth, problem) => {
    const { cloudflare, target } = prod({}, { smoke: [smoke] });
    cloudflare.onlyHealth = onlyHealth;
    expect(await refusal(releaseTo(target, sha("b")))).toContain(
      problem || "no refusal",
    );
    expect(live(cloudflare)).toBe(problem ? "a" : "b");
  });
});

describe("the watch after a switch", () => {
  const watched = (watch: string) => {
    const { cloudflare, target } = prod();
    target.environment = {
      ...target.environment,
      profile: { watch, thresholds: { samples: 5, deadlineMs: 1500 } },
    };
    return { cloudflare, target };
  };

  test("takes a release back that fails then", async () => {
    const { cloudflare, target } = watched("60s");
    const released = refusal(releaseTo(target, sha("b")));
    while (cloudflare.deployments.length < 3) await Bun.sleep(5);
    await Bun.sleep(100);
    cloudflare.versions[0]!.healthy = false;
    const said = await released;
    expect(said).toContain(
      "bbbbbbbbbbbb failed while it was watched: HTTP 500.",
    );
    expect(said).toContain("prod runs aaaaaaaaaaaa again.");
    expect(live(cloudflare)).toBe("a");
  });

  test("lets a good one be, and tells it", async () => {
    const { cloudflare, target } = watched("1s");
    await releaseTo(target, sha("b"));
    expect(live(cloudflare)).toBe("b");
    expect(told.at(-2)).toMatch(/^Watched for 1s: \d+ rounds\.$/);
  });

  test("leaves a rollback that somebody made meanwhile", async () => {
    const { cloudflare, target } = watched("60s");
    cloudflare.publish(sha("c"));
    const released = refusal(releaseTo(target, sha("b")));
    while (cloudflare.deployments.length < 4) await Bun.sleep(5);
    await Bun.sleep(100);
    await rollback(targetOn(cloudflare, "prod"), sha("a"), options);
    expect(await released).toContain(
      "prod runs aaaaaaaaaaaa, which somebody else deployed meanwhile: nothing was undone.",
    );
    expect(live(cloudflare)).toBe("a");
  });
});

describe("a secret that changes with a release", () => {
  test.each([
    ["new", [], ["KEY"]],
    ["removed", ["KEY"], []],
  ])("%s: goes out verified", async (_, before, after) => {
    const { cloudflare, target } = prod({ secrets: after });
    cloudflare.versions[0]!.secrets = before;
    await releaseTo(target, sha("b"));
    expect(live(cloudflare)).toBe("b");
    expect(cloudflare.deployments.map(({ force }) => force)).toEqual([
      false,
      true,
      false,
    ]);
    expect(told.join("\n")).toContain(
      "A secret changes with `bbbbbbbbbbbb`: going back across it asks for --force.",
    );

    const said = await refusal(rollback(target, "previous", options));
    expect(live(cloudflare)).toBe("b");
    expect(told.at(-1)).toContain(
      after.length
        ? "it does not know KEY"
        : "it still has KEY, which was removed since",
    );
    await follow(said, cloudflare);
    expect(live(cloudflare)).toBe("a");
  });

  test("goes back by itself when it fails", async () => {
    const { cloudflare, target } = prod({ secrets: ["KEY"], failsLive: true });
    expect(await refusal(releaseTo(target, sha("b")))).toContain(
      "prod runs aaaaaaaaaaaa again.",
    );
    expect(live(cloudflare)).toBe("a");
  });
});

describe("what is advised is right for what is live", () => {
  const down = (after: number): Fault => ({
    method: "POST",
    path: "/deployments",
    after,
    kind: "500",
  });

  test("the switch fails for good: nothing needs to be done", async () => {
    const { cloudflare, target } = prod();
    cloudflare.publish(sha("c"));
    cloudflare.faults = [down(1)];
    const said = await refusal(releaseTo(target, sha("b")));
    expect(said).toContain(
      "prod still runs cccccccccccc. Nothing needs to be done",
    );
    expect(said).not.toContain("rollback.sh");
    expect(live(cloudflare)).toBe("c");
    cloudflare.faults = [];
    const { target: next } = {
      target: targetOn(
        cloudflare,
        "prod",
        async () => void cloudflare.upload(sha("d")),
      ),
    };
    await releaseTo(next, sha("d"));
    expect(live(cloudflare)).toBe("d");
  });

  test("the way back fails for good: the command leads to the release before", async () => {
    const { cloudflare, target } = prod({ failsLive: true });
    cloudflare.publish(sha("c"));
    cloudflare.faults = [down(2)];
    const said = await refusal(releaseTo(target, sha("b")));
    expect(live(cloudflare)).toBe("b");
    cloudflare.faults = [];
    await follow(said, cloudflare);
    expect(live(cloudflare)).toBe("c");
  });

  test.each([1, 2])(
    "Cloudflare is gone after %d deployments: the command is right whatever is live",
    async (after) => {
      const { cloudflare, target } = prod({ failsLive: true });
      cloudflare.publish(sha("c"));
      const stop = setInterval(() => {
        if (cloudflare.deployments.length === 2 + after) {
          cloudflare.faults = [
            { method: "POST", path: "/deployments", kind: "500" },
            { method: "GET", path: "/deployments", kind: "html" },
          ];
        }
      }, 1);
      const said = await refusal(releaseTo(target, sha("b")));
      clearInterval(stop);
      expect(said).toContain("what prod runs is not known");
      cloudflare.faults = [];
      await follow(said, cloudflare);
      expect(live(cloudflare)).toBe("c");
    },
  );

  test("a gradual deployment is ended by the command that is printed", async () => {
    const { cloudflare, target } = prod();
    const young = cloudflare.upload(sha("c"));
    const versions = [
      { version_id: cloudflare.idOf(sha("a")), percentage: 40 },
      { version_id: young, percentage: 60 },
    ];
    cloudflare.deployments.unshift({ versions, message: "", force: false });
    await follow(await refusal(releaseTo(target, sha("b"))), cloudflare);
    expect(cloudflare.deployments[0]?.versions).toEqual([
      { version_id: young, percentage: 100 },
    ]);
  });

  test("a rollback to a release that fails, too, says how to return", async () => {
    const { cloudflare } = prod();
    cloudflare.versions[0]!.healthy = false;
    cloudflare.publish(sha("c"));
    const said = await refusal(
      rollback(targetOn(cloudflare, "prod"), "previous", options),
    );
    expect(live(cloudflare)).toBe("a");
    await follow(said, cloudflare);
    expect(live(cloudflare)).toBe("c");
  });
});

describe("Cloudflare's answers", () => {
  test.each<[Fault["kind"], "GET" | "POST"]>([
    ["500", "GET"],
    ["429", "GET"],
    ["html", "GET"],
    ["truncated", "GET"],
    ["hang", "GET"],
    ["500", "POST"],
    ["429", "POST"],
    ["html", "POST"],
    ["truncated", "POST"],
    ["hang", "POST"],
    ["lost", "POST"],
  ])("a release and a rollback get over %s to %s", async (kind, method) => {
    const { cloudflare, target } = prod();
    const fault: Fault = { method, path: "/deployments", kind, times: 2 };
    cloudflare.faults = [{ ...fault }];
    await releaseTo(target, sha("b"));
    expect(live(cloudflare)).toBe("b");
    cloudflare.faults = [{ ...fault }];
    await rollback(target, "previous", options);
    expect(live(cloudflare)).toBe("a");
  });

  test("a write that was done and not answered is not done again", async () => {
    const { cloudflare, target } = prod();
    cloudflare.faults = [
      { method: "POST", path: "/deployments", kind: "lost" },
    ];
    await releaseTo(target, sha("b"));
    expect(cloudflare.met).toEqual([sha("b"), sha("a"), sha("a")]);
    await rollback(target, "previous", options);
    expect(cloudflare.met[0]).toBe(sha("a"));
    expect(cloudflare.deployments).toHaveLength(4);
  });

  test.each([
    ["500", "prod still runs bbbbbbbbbbbb; to try again: "],
    [
      "lost",
      "Whether prod was switched is not known; this is safe to run again: ",
    ],
  ] as const)(
    "a rollback that Cloudflare does not confirm says what is live: %s",
    async (kind, says) => {
      const { cloudflare, target } = prod();
      await releaseTo(target, sha("b"));
      cloudflare.faults = [{ method: "POST", path: "/deployments", kind }];
      if (kind === "lost")
        cloudflare.faults.push({
          method: "GET",
          path: "/deployments",
          after: 2,
          kind: "html",
        });
      const said = await refusal(rollback(target, "previous", options));
      expect(said).toContain(says);
      expect(live(cloudflare)).toBe(kind === "lost" ? "a" : "b");
      cloudflare.faults = [];
      await follow(said, cloudflare);
      expect(live(cloudflare)).toBe("a");
    },
  );

  test("what Cloudflare asks to wait is waited, up to a minute", async () => {
    const waits: number[] = [];
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () =>
        new Response("{}", {
          status: 429,
          headers: { "retry-after": waits.length ? "90" : "30" },
        }),
    });
    servers.push(server);
    const url = `http://127.0.0.1:${server.port}`;
    const worker = new Worker(new Cloudflare("a1", "token", url, 1), "w");
    const start = performance.now();
    const asked = worker.deployments().catch(String);
    await Bun.sleep(10);
    waits.push(1);
    expect(await asked).toContain("(try again in 2 minutes)");
    expect(performance.now() - start).toBeGreaterThan(29);
  });

  test("garbage is never taken for a Worker that was never deployed", async () => {
    const { cloudflare, target } = prod();
    cloudflare.faults = [{ method: "GET", path: "/deployments", kind: "html" }];
    expect(await refusal(releaseTo(target, sha("b")))).toContain(
      "the answer is cut off, or not Cloudflare's",
    );
    expect(live(cloudflare)).toBe("a");
  });
});

describe("a rollback waits for nobody", () => {
  test.each(["500", "429", "html", "hang"])(
    "GitHub: %s",
    async (kind) => {
      const { cloudflare, target } = prod();
      cloudflare.publish(sha("c"));
      const server = Bun.serve({
        port: 0,
        hostname: "127.0.0.1",
        fetch: () =>
          kind === "hang"
            ? new Promise<Response>(() => {})
            : kind === "html"
              ? new Response("<html>Unicorn!</html>")
              : new Response("{}", {
                  status: Number(kind),
                  headers: { "retry-after": "60" },
                }),
      });
      servers.push(server);
      target.github = new GitHub(
        "acme/demo",
        "token",
        `http://127.0.0.1:${server.port}`,
      );
      const start = Date.now();
      const done = rollback(target, "previous", options);
      while (live(cloudflare) !== "a" && Date.now() - start < 2000)
        await Bun.sleep(5);
      expect(live(cloudflare)).toBe("a");
      await done;
      expect(Date.now() - start).toBeLessThan(15_000);
    },
    20_000,
  );
});

describe("two releases at once", () => {
  test("the one that comes late gives way, and says so", async () => {
    const { cloudflare, target } = prod();
    const other = targetOn(
      cloudflare,
      "prod",
      async () => void cloudflare.upload(sha("c")),
    );
    target.build = async () => {
      cloudflare.upload(sha("b"));
      await releaseTo(other, sha("c"));
    };
    const said = await refusal(releaseTo(target, sha("b")));
    expect(said).toContain(
      "deployed to prod at the same time: the release of bbbbbbbbbbbb gave way.",
    );
    expect(said).toContain(
      "prod runs cccccccccccc, which somebody else deployed meanwhile: nothing was undone.",
    );
    expect(live(cloudflare)).toBe("c");
  });

  test("one that is overtaken during its check does not take the other one's place", async () => {
    // Its check goes on as long as it may.
    const { cloudflare, target } = prod({ healthy: false });
    const other = targetOn(
      cloudflare,
      "prod",
      async () => void cloudflare.upload(sha("c")),
    );
    const one = refusal(releaseTo(limit(target, 4000), sha("b")));
    while (cloudflare.deployments.length < 2) await Bun.sleep(1);
    const two = refusal(releaseTo(other, sha("c")));
    const [first, second] = await Promise.all([one, two]);
    expect(second).toBe("no refusal");
    expect(first).toContain("gave way");
    expect(live(cloudflare)).toBe("c");
  });
});

test("five failed promotions do not hide the way back", async () => {
  const { cloudflare } = prod();
  cloudflare.publish(sha("c"));
  for (const letter of ["1", "2", "3", "4", "5"]) {
    const target = targetOn(
      cloudflare,
      "prod",
      async () => void cloudflare.upload(sha(letter), { healthy: false }),
    );
    await refusal(releaseTo(limit(target, 100), sha(letter)));
  }
  expect(cloudflare.deployments).toHaveLength(12);
  // Where Cloudflare lists but ten, the releases are named that can be returned to, and none that failed.
  const said = await refusal(
    rollback(targetOn(cloudflare, "prod"), "previous", options),
  );
  await follow(said, cloudflare);
  expect(live(cloudflare)).toBe("a");
});

test("a commit means its clean version, also where one with changes is newer", async () => {
  const { cloudflare } = prod();
  cloudflare.upload(`${sha("a")}-dirty`);
  cloudflare.publish(sha("c"));
  await rollback(targetOn(cloudflare, "prod"), sha("a").slice(0, 7), options);
  expect(cloudflare.met[0]).toBe(sha("a"));
});

test("where Cloudflare lists more, the way back is as short as ever", async () => {
  const { cloudflare, target } = prod();
  cloudflare.listed = 50;
  for (let i = 0; i < 12; i++) cloudflare.publish(sha("c"));
  await rollback(target, "previous", options);
  expect(live(cloudflare)).toBe("a");
});

test("whatever goes wrong is told in one sentence, without a stack", () => {
  const said: string[] = [];
  const { error } = console;
  console.error = (...words: unknown[]) => void said.push(words.join(" "));
  const codes = [
    new TypeError("x is not a function"),
    new Refusal("No."),
    "text",
    null,
  ].map(reportError);
  console.error = error;
  expect(codes).toEqual([1, 1, 1, 1]);
  expect(said[0]).toContain(
    "Something unforeseen: x is not a function (DEBUG=1 shows where).",
  );
  expect(said.join("\n")).not.toContain("    at ");
});

test("a working tree with changes is no release", async () => {
  const { target } = prod();
  expect(await objection(target, `${sha("b")}-dirty`, {})).toContain(
    "uncommitted changes",
  );
  expect(await objection(target, sha("b"), {})).toContain("is not on main");
  expect(never.aborted).toBe(false);
});
