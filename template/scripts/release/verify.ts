{%- if compiler_settings == "app" -%}
// @ts-nocheck The flags in tsconfig.json are the app's.
{% endif -%}
/** Asks a deployed app whether it is the release that it should be, and whether it answers quickly and without errors. */
import type { Thresholds, Variables } from "./config.ts";

/** What should answer. */
export interface Expectation {
  /** The environment's address, without a path. */
  url: string;
  healthPath: string;
  environment: string;
  worker: string;
  commit: string;
  versionId: string;
  /** Asks for the version itself, while users still get another one. */
  beforeSwitch: boolean;
}

/** One answer of the health check. */
export interface Probe {
  ms: number;
  /** Why the answer is not the expected one. */
  problem?: string;
  /** Why no answer of the app can be had: something in front of it asks for a browser or a login. */
  blocked?: string;
  /** The body told no version, so only its status was judged. */
  anonymous?: boolean;
}

export interface Report extends Thresholds {
  passed: boolean;
  reason: string;
  url: string;
  commit: string;
  versionId: string;
  stage: "before the switch" | "live";
  requests: number;
  failed: number;
  measuredP95Ms: number;
  /** "status only" when the health check's body tells no version. */
  identity: "version" | "status only";
}

/** How patient the check is. */
export interface Pace {
  deadlineMs: number;
  pauseMs: number;
  /** Right answers in a row before anything is measured: during a switch old and new ones mix. */
  inARow: number;
}

/** A new custom domain waits for its certificate. */
const FIRST_DEADLINE_MS = 300_000;
const REQUEST_TIMEOUT_MS = 10_000;

export const paceOf = ({ deadlineMs }: Thresholds, first: boolean): Pace => ({
  deadlineMs: first ? Math.max(deadlineMs, FIRST_DEADLINE_MS) : deadlineMs,
  pauseMs: 1000,
  inARow: 3,
});

/**
 * Waits until the expected release answers, then measures it.
 *
 * @param stop ends the wait early, as when the workflow is cancelled
 */
export async function verify(
  expected: Expectation,
  thresholds: Thresholds,
  pace: Pace,
  env: Variables,
  stop?: AbortSignal,
): Promise<Report> {
  const deadline = Date.now() + pace.deadlineMs;
  const headers = requestHeaders(expected, env);
  let last: Probe = { ms: 0, problem: "no answer" };
  for (let row = 0; row < pace.inARow;) {
    last = await probe(expected, headers, stop);
    row = last.problem === undefined ? row + 1 : 0;
    stop?.throwIfAborted();
    if (row > 0) continue;
    if (last.blocked !== undefined || Date.now() > deadline) {
      return judge(expected, thresholds, [last], last.blocked ?? last.problem);
    }
    await Bun.sleep(pace.pauseMs);
  }
  const probes: Probe[] = [];
  while (probes.length < thresholds.samples) {
    stop?.throwIfAborted();
    if (Date.now() > deadline) {
      const reason = `too slow: ${probes.length} of ${thresholds.samples} requests within ${pace.deadlineMs / 1000} s`;
      return judge(expected, thresholds, probes, reason);
    }
    probes.push(await probe(expected, headers, stop));
  }
  return judge(expected, thresholds, probes);
}

/** Compares what was measured with what is allowed. */
export function judge(
  expected: Expectation,
  thresholds: Thresholds,
  probes: readonly Probe[],
  knownReason?: string,
): Report {
  const failures = probes.filter((p) => p.problem !== undefined);
  const measuredP95Ms = Math.round(percentile(probes, 0.95));
  const reasons = [knownReason];
  if (failures.length > thresholds.errorRate * probes.length) {
    reasons.push(
      `${failures.length} of ${probes.length} requests failed (allowed ${thresholds.errorRate * 100} %): ${failures[0]?.problem}`,
    );
  }
  if (measuredP95Ms > thresholds.p95Ms) {
    reasons.push(
      `95 % of the requests took up to ${measuredP95Ms} ms (allowed ${thresholds.p95Ms} ms)`,
    );
  }
  const reason = reasons.find((r) => r !== undefined) ?? "";
  return {
    passed: reason === "",
    reason,
    url: expected.url + expected.healthPath,
    commit: expected.commit,
    versionId: expected.versionId,
    stage: expected.beforeSwitch ? "before the switch" : "live",
    requests: probes.length,
    failed: failures.length,
    measuredP95Ms,
    identity: probes.some((p) => p.anonymous) ? "status only" : "version",
    ...thresholds,
  };
}

/** The nearest-rank percentile of the response times. */
function percentile(probes: readonly Probe[], share: number): number {
  const sorted = probes.map((p) => p.ms).toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

/** Cloudflare sends a request with this header to a version of the live deployment, even one with 0 %. */
function requestHeaders(
  expected: Expectation,
  env: Variables,
): Record<string, string> {
  return {
    ...accessHeaders(env),
    ...(expected.beforeSwitch && {
      "cloudflare-workers-version-overrides": `${expected.worker}="${expected.versionId}"`,
    }),
  };
}

function accessHeaders(env: Variables): Record<string, string> {
  return {
    "user-agent": "release-check/1 (scripts/release/verify.ts)",
    "cache-control": "no-cache",
    ...(env.CF_ACCESS_CLIENT_ID &&
      env.CF_ACCESS_CLIENT_SECRET && {
        "cf-access-client-id": env.CF_ACCESS_CLIENT_ID,
        "cf-access-client-secret": env.CF_ACCESS_CLIENT_SECRET,
      }),
  };
}

async function probe(
  expected: Expectation,
  headers: Record<string, string>,
  stop?: AbortSignal,
): Promise<Probe> {
  const start = performance.now();
  const elapsed = () => performance.now() - start;
  const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  try {
    const response = await fetch(expected.url + expected.healthPath, {
      headers,
      redirect: "manual",
      signal: stop ? AbortSignal.any([timeout, stop]) : timeout,
    });
    const body = await response.text();
    const ms = elapsed();
    const blocked = obstacle(response);
    if (blocked !== undefined) return { ms, blocked, problem: blocked };
    if (response.status !== 200) {
      return { ms, problem: `HTTP ${response.status}` };
    }
    return { ms, ...compareBody(expected, body) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { ms: elapsed(), problem: `no answer (${why})` };
  }
}

/** A challenge or a login in front of the app; no amount of asking gets past it. */
function obstacle(response: Response): string | undefined {
  if (response.headers.get("cf-mitigated") === "challenge") {
    return (
      "Cloudflare answers with a challenge. Add a WAF custom rule with the action Skip for the user agent " +
      '"release-check/1 (scripts/release/verify.ts)" and the path of the health check'
    );
  }
  const location = response.headers.get("location") ?? "";
  if (/^https:\/\/[^/]+\.cloudflareaccess\.com\//.test(location)) {
    return (
      "Cloudflare Access asks for a login. Add a Service Auth policy for a service token, and set CF_ACCESS_CLIENT_ID " +
      "and CF_ACCESS_CLIENT_SECRET"
    );
  }
  return undefined;
}

/** Compares what the app says of itself with what was deployed; what it does not say is not judged. */
export function compareBody(
  expected: Expectation,
  body: string,
): Pick<Probe, "problem" | "anonymous"> {
  const health = parseHealth(body);
  if (health?.version === undefined) return { anonymous: true };
  const pairs: [string, unknown, string][] = [
    // A version that was not deployed by these scripts tells Cloudflare no commit to compare with.
    ...(expected.commit === "unknown"
      ? []
      : [
          ["version", health.version, expected.commit] as [
            string,
            unknown,
            string,
          ],
        ]),
    ["worker", health.worker, expected.versionId],
    ["environment", health.environment, expected.environment],
    ["status", health.status, "ok"],
  ];
  for (const [field, is, should] of pairs) {
    if (is !== undefined && is !== should) {
      return { problem: `${field} is ${String(is)}, not ${should}` };
    }
  }
  return {};
}

function parseHealth(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** The commit that a public health check tells, where no token can ask Cloudflare. */
export async function commitFromHealth(
  url: string,
  env: Variables,
): Promise<string | undefined> {
  try {
    const response = await fetch(url, {
      headers: accessHeaders(env),
      redirect: "manual",
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    const version = parseHealth(await response.text())?.version;
    return typeof version === "string" && /^[0-9a-f]{40}$/.test(version)
      ? version
      : undefined;
  } catch {
    return undefined;
  }
}

/** What stands in front of the app, asked before a release begins: it would make every verification fail. */
export async function findObstacle(
  url: string,
  env: Variables,
): Promise<string | undefined> {
  try {
    const response = await fetch(url, {
      headers: accessHeaders(env),
      redirect: "manual",
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    return obstacle(response);
  } catch {
    return undefined; // The app may be down: releasing is how it gets up again.
  }
}
