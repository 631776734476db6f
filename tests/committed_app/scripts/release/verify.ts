/** The check of a release: is it the new one that answers, quickly and without errors? */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Release } from "./cloudflare.ts";
import {
  type Smoke,
  type Thresholds,
  type Variables,
  healthPath,
  refusal,
} from "./config.ts";
import { parseObject } from "./http.ts";
import { type Target } from "./target.ts";
import { messageOf, shortCommit } from "./tell.ts";
import { watchMsOf } from "./validate.ts";

/** When a release is checked: after its environment's first deploy, at 0 % of the requests, live, or gone back to. */
export type Moment = "first" | "before the switch" | "live" | "rollback";

interface Report extends Thresholds {
  passed: boolean;
  reason: string;
  requests: number;
  failed: number;
  measuredP95Ms: number;
  /** "status only" when the health check's body tells no version. */
  identity: "version" | "status only";
}

const DEFAULT_THRESHOLDS: Thresholds = {
  p95Ms: 1000,
  errorRate: 0,
  samples: 20,
  deadlineMs: 90_000,
};
/** A new custom domain waits for its certificate. */
const FIRST_DEADLINE_MS = 300_000;
/** Right answers in a row before anything is measured: during a switch old and new ones mix. */
const IN_A_ROW = 3;

/** @throws Refusal when the release is not what answers, or does not answer well */
export async function mustPass(
  target: Target,
  release: Release,
  moment: Moment,
  stop?: AbortSignal,
): Promise<void> {
  const { environment, pauses, reportFolder, tell } = target;
  const thresholds = {
    ...DEFAULT_THRESHOLDS,
    ...environment.profile.thresholds,
  };
  const expected = expectationOf(target, release, moment, stop);
  const least = moment === "first" ? FIRST_DEADLINE_MS : 0;
  const deadlineMs = Math.max(thresholds.deadlineMs, least);
  const { probes, reason } = await measure(
    expected,
    thresholds,
    deadlineMs,
    pauses.checkMs,
  );
  const found = judge(thresholds, probes, reason);
  const stage = moment === "before the switch" ? moment : "live";
  const url = expected.url + expected.healthPath;
  const { commit, versionId } = release;
  const short = shortCommit(commit);

  const report = { url, commit, versionId, stage, ...found };
  mkdirSync(reportFolder, { recursive: true });
  const file = `${environment.name}-${stage.replaceAll(" ", "-")}.json`;
  const path = join(reportFolder, file);
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
  tell(`\
| Release | Check | Requests | Failed | 95 % within | Allowed | Identity |
| --- | --- | --- | --- | --- | --- | --- |
| \`${short}\` | ${stage}: ${found.passed ? "passed" : "**failed**"} | ${found.requests} | ${found.failed} | ${found.measuredP95Ms} ms | ${found.p95Ms} ms, ${found.errorRate * 100} % | ${found.identity} |`);
  if (found.passed) return;
  const on = stage === "live" ? "on" : "before the switch on";
  throw refusal`${short} did not pass the check ${on} ${url}: ${found.reason}.`;
}

function expectationOf(
  { config, environment, url, worker, env }: Target,
  release: Release,
  moment: Moment,
  stop?: AbortSignal,
): Expectation {
  // An older release may not name itself, nor have a path that was added since: going back to it is not a failure.
  const lenient = moment === "rollback";
  return {
    ...release,
    url,
    healthPath: healthPath(config),
    reports: lenient ? "status" : (config.health?.reports ?? "version"),
    smoke: lenient ? [] : (config.smoke ?? []),
    environment: environment.name,
    headers: {
      ...accessHeaders(env),
      // Cloudflare sends a request with this header to a version of the live deployment, even one with 0 %.
      ...(moment === "before the switch" && {
        "cloudflare-workers-version-overrides": `${worker.name}="${release.versionId}"`,
      }),
    },
    stop,
  };
}

/** Waits until the expected release answers, then measures it and asks the other paths. */
async function measure(
  expected: Expectation,
  { samples }: Thresholds,
  deadlineMs: number,
  pauseMs: number,
): Promise<{ probes: Probe[]; reason?: string | undefined }> {
  const deadline = Date.now() + deadlineMs;
  const next = async () => {
    const found = await probe(expected);
    expected.stop?.throwIfAborted();
    return found;
  };
  for (let row = 0; row < IN_A_ROW; row++) {
    const last = await next();
    if (last.problem === undefined) continue;
    if (last.blocked || Date.now() > deadline)
      return { probes: [last], reason: last.problem };
    row = -1;
    await Bun.sleep(pauseMs);
  }
  const probes: Probe[] = [];
  while (probes.length < samples) {
    if (Date.now() > deadline) {
      const reason = `too slow: ${probes.length} of ${samples} requests within ${deadlineMs / 1000} s`;
      return { probes, reason };
    }
    probes.push(await next());
  }
  return { probes, reason: await smokeProblem(expected) };
}

/** Compares what was measured with what is allowed. */
export function judge(
  thresholds: Thresholds,
  probes: readonly Probe[],
  knownReason?: string,
): Report {
  const { p95Ms, errorRate } = thresholds;
  const problems = probes.flatMap(({ problem }) => problem ?? []);
  const measuredP95Ms = Math.round(percentile(probes, 0.95));
  const reasons = [
    knownReason,
    problems.length > errorRate * probes.length &&
      `${problems.length} of ${probes.length} requests failed (allowed ${errorRate * 100} %): ${problems[0]}`,
    measuredP95Ms > p95Ms &&
      `95 % of the requests took up to ${measuredP95Ms} ms (allowed ${p95Ms} ms)`,
  ];
  const reason = reasons.find(Boolean) || "";
  return {
    passed: reason === "",
    reason,
    requests: probes.length,
    failed: problems.length,
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

/** A watched release fails when so many of the latest rounds did. */
const FAILED_ROUNDS = 3;
const LATEST_ROUNDS = 10;

/** Watches a release that serves users, for as long as its environment asks. @throws Refusal when it fails */
export async function mustLast(
  target: Target,
  release: Release,
  stop: AbortSignal,
): Promise<void> {
  const { profile } = target.environment;
  const end = Date.now() + (watchMsOf(profile) ?? 0);
  const expected = expectationOf(target, release, "live", stop);
  const rounds: (string | undefined)[] = [];
  while (Date.now() < end) {
    const { problem } = await probe(expected);
    rounds.push(problem ?? (await smokeProblem(expected)));
    stop.throwIfAborted();
    const failed = rounds.slice(-LATEST_ROUNDS).filter((p) => p !== undefined);
    if (failed.length >= FAILED_ROUNDS)
      throw refusal`${shortCommit(release.commit)} failed while it was watched: ${failed.at(-1)}.`;
    await Bun.sleep(target.pauses.watchMs);
    stop.throwIfAborted();
  }
  if (rounds.length > 0)
    target.tell(`Watched for ${profile.watch}: ${rounds.length} rounds.`);
}

/** What should answer, and how it is asked. */
export interface Expectation extends Release {
  /** The environment's address, without a path. */
  url: string;
  healthPath: string;
  /** Whether the answer has to name the release. */
  reports: "version" | "status";
  smoke: readonly Smoke[];
  environment: string;
  headers: Record<string, string>;
  /** Ends a request early, as when the workflow is cancelled. */
  stop?: AbortSignal | undefined;
}

/** One answer of the health check. */
export interface Probe {
  ms: number;
  /** Why the answer is not the expected one. */
  problem?: string | undefined;
  /** No answer of the app can be had: something in front of it asks for a browser or a login. */
  blocked?: boolean;
  /** The body told no version, so only its status was judged. */
  anonymous?: boolean;
}

const REQUEST_TIMEOUT_MS = 10_000;
const USER_AGENT = "release-check/1 (scripts/release/verify.ts)";

const accessHeaders = (env: Variables): Record<string, string> => ({
  "user-agent": USER_AGENT,
  "cache-control": "no-cache",
  ...(env.CF_ACCESS_CLIENT_ID &&
    env.CF_ACCESS_CLIENT_SECRET && {
      "cf-access-client-id": env.CF_ACCESS_CLIENT_ID,
      "cf-access-client-secret": env.CF_ACCESS_CLIENT_SECRET,
    }),
});

/** Asks the health check. */
async function probe(expected: Expectation): Promise<Probe> {
  const answer = await ask(expected, expected.healthPath);
  const { response, body, ms, problem } = answer;
  if (response === undefined) return { ms, problem };
  const obstacle = obstacleIn(response);
  if (obstacle !== undefined) return { ms, problem: obstacle, blocked: true };
  return response.status === 200
    ? { ms, ...compareBody(expected, body) }
    : { ms, problem: `HTTP ${response.status}` };
}

/** The first of the other paths that does not answer as it should. */
async function smokeProblem(expected: Expectation) {
  for (const { path, status = 200, contains = "" } of expected.smoke) {
    const { response, body, problem } = await ask(expected, path);
    if (response === undefined) return `${path}: ${problem}`;
    if (response.status !== status)
      return `${path}: HTTP ${response.status}, not ${status}`;
    if (body.includes(contains)) continue;
    return `${path}: its answer does not contain ${JSON.stringify(contains)}`;
  }
  return undefined;
}

/** What came back: a response, or why there is none. */
interface Heard {
  ms: number;
  body: string;
  response?: Response;
  problem?: string;
}

async function ask(
  { url, headers, stop }: Pick<Expectation, "url" | "headers" | "stop">,
  path = "",
): Promise<Heard> {
  const start = performance.now();
  const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  try {
    const response = await fetch(url + path, {
      headers,
      redirect: "manual",
      signal: stop ? AbortSignal.any([timeout, stop]) : timeout,
    });
    const body = await response.text();
    return { ms: performance.now() - start, body, response };
  } catch (error) {
    const problem = `no answer (${messageOf(error)})`;
    return { ms: performance.now() - start, body: "", problem };
  }
}

/** A challenge or a login in front of the app; no amount of asking gets past it. */
function obstacleIn({ headers }: Response): string | undefined {
  if (headers.get("cf-mitigated") === "challenge") {
    return `Cloudflare answers with a challenge. Add a WAF custom rule with the action Skip for the user agent "${USER_AGENT}" and the path of the health check`;
  }
  const location = headers.get("location") ?? "";
  return /^https:\/\/[^/]+\.cloudflareaccess\.com\//.test(location)
    ? "Cloudflare Access asks for a login. Add a Service Auth policy for a service token, and set CF_ACCESS_CLIENT_ID and CF_ACCESS_CLIENT_SECRET"
    : undefined;
}

/** Compares what the app says of itself with what was deployed. Nothing but `reports` lets it say nothing. */
export function compareBody(
  { commit, versionId, environment, reports }: Expectation,
  body: string,
): Omit<Probe, "ms"> {
  const health = parseObject(body);
  // A version that was not deployed by these scripts tells Cloudflare no commit to compare with.
  const version = commit === "unknown" ? undefined : commit;
  const wanted = { version, worker: versionId, environment, status: "ok" };
  for (const [field, should] of Object.entries(wanted)) {
    const is = health?.[field];
    if (is === undefined || is === should || should === undefined) continue;
    return { problem: `${field} is ${String(is)}, not ${should}` };
  }
  const named = health?.worker ?? (version && health?.version);
  if (named !== undefined) return {};
  if (reports === "status") return { anonymous: true };
  return {
    problem: health
      ? 'its answer names neither `version` nor `worker`, so nothing says which release it is: add `version: env.APP_VERSION` to it, or set `health: { reports: "status" }` in alchemy.config.ts'
      : "its answer is not a JSON object, so nothing says which release it is",
  };
}

/** The commit that a public health check tells, where no token can ask Cloudflare. */
export async function commitFromHealth(url: string, env: Variables) {
  const { body } = await ask({ url, headers: accessHeaders(env) });
  const version = parseObject(body)?.version;
  return typeof version === "string" && /^[0-9a-f]{40}$/.test(version)
    ? version
    : undefined;
}

/** The access rule in front of the app, asked before a release begins: it would make every verification fail. */
export async function findObstacle(url: string, env: Variables) {
  // The app may be down: releasing is how it gets up again.
  const { response } = await ask({ url, headers: accessHeaders(env) });
  return response && obstacleIn(response);
}
