import { describe, expect, test } from "bun:test";

import { type Expectation, compareBody, judge } from "./verify.ts";
import { sha } from "./stand_ins.ts";

describe("the check", () => {
  const expected: Expectation = {
    url: "https://app.test",
    healthPath: "/health",
    reports: "version",
    smoke: [],
    environment: "prod",
    commit: sha("a"),
    versionId: "v1",
    headers: {},
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
    const report = judge(thresholds, probes(slow, failed));
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
  ])("compares %j", (body, result) => {
    expect(compareBody(expected, JSON.stringify(body))).toEqual(result);
  });

  test.each([
    ["<html>It works!</html>", "is not a JSON object"],
    ['{"status":"ok","ver', "is not a JSON object"],
    ["", "is not a JSON object"],
    ['"ok"', "is not a JSON object"],
    ['{"status":"error"}', "status is error, not ok"],
    ['{"status":"ok"}', "names neither `version` nor `worker`"],
    ["[]", "names neither"],
  ])("a release that does not name itself is none: %s", (body, problem) => {
    expect(compareBody(expected, body).problem).toContain(problem);
  });

  test("`reports: status` makes an answer enough, but not a wrong one", () => {
    const status = { ...expected, reports: "status" as const };
    expect(compareBody(status, "OK")).toEqual({ anonymous: true });
    expect(compareBody(status, '{"up":true}')).toEqual({ anonymous: true });
    expect(compareBody(status, '{"status":"error"}').problem).toContain(
      "status is error",
    );
    expect(compareBody(status, `{"version":"${sha("b")}"}`).problem).toContain(
      "version is",
    );
  });
});
