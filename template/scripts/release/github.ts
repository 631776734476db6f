{%- if compiler_settings == "app" -%}
// @ts-nocheck The flags in tsconfig.json are the app's.
{% endif -%}
/**
 * GitHub's part of a promotion: whether a commit may go to an environment, and the deployment record that people read.
 * The record is never read back to decide anything: after a rollback from a laptop it would be wrong.
 */
import { cloudflareFor, environmentUrl, liveRelease } from "./cloudflare.ts";
import {
  type Config,
  type Environment,
  MAIN,
  type Profile,
  Refusal,
  UsageError,
  type Variables,
  environmentNamed,
  firstProfile,
  githubEnvironment,
  healthPath,
  isPromoted,
  repositoryOf,
  workerName,
  workflowFile,
} from "./config.ts";
import { commitFromHealth } from "./verify.ts";

export class GitHubError extends Error {
  constructor(
    message: string,
    readonly status: number,
    /** What the token lacks, where GitHub says it. */
    readonly lacks = "",
    /** Seconds to wait, where GitHub names them. */
    readonly waitSeconds?: number,
  ) {
    super(message + lacks);
  }
}

export interface EnvironmentRules {
  protection_rules?: {
    type: string;
    wait_timer?: number;
    prevent_self_review?: boolean;
    reviewers?: {
      type: "User" | "Team";
      reviewer: { id: number; login?: string; slug?: string };
    }[];
  }[];
  deployment_branch_policy: {
    protected_branches: boolean;
    custom_branch_policies: boolean;
  } | null;
}

export interface BranchPolicy {
  id: number;
  name: string;
  /** Tags have policies, too: one for a tag called main says nothing about the branch. */
  type?: "branch" | "tag";
}

interface WorkflowRun {
  id: number;
  event: string;
  head_branch: string | null;
  head_repository: { full_name: string } | null;
}

interface Job {
  name: string;
  conclusion: string | null;
}

/** How much of a commit stands in a job's name: enough that no second commit shares it. */
export const shortCommit = (commit: string): string => commit.slice(0, 12);

/** The name of the job that deploys a commit; .github/workflows/ spells it the same way. */
export const deployJob = (commit: string, environment: string): string =>
  `Deploy ${shortCommit(commit)} to ${environment}`;

const ATTEMPTS = 3;
/** A limit that ends later than this is reported, not waited for. */
const LONGEST_WAIT_SECONDS = 60;
/** Stands for a status where there was none. */
const NO_ANSWER = 0;
const TOO_MANY_REQUESTS = 429;
/** What GitHub says of a run that has ended and shall be cancelled. */
const CONFLICT = 409;

export class GitHub {
  constructor(
    readonly repository: string,
    private readonly token: string,
    private readonly baseUrl = "https://api.github.com",
    private readonly secondMs = 1000,
    private readonly timeoutMs = 30_000,
  ) {}

  get<T>(path: string): Promise<T> {
    return this.call<T>("GET", path);
  }

  /** Like `get`, with undefined for what does not exist or may not be seen. */
  optional<T>(path: string): Promise<T | undefined> {
    return this.get<T>(path).catch((error: unknown) => {
      if (error instanceof GitHubError && [403, 404].includes(error.status)) {
        return undefined;
      }
      throw error;
    });
  }

  /** A path under the repository. */
  inRepository(path: string): string {
    return `/repos/${this.repository}${path}`;
  }

  /** Repeats only what may be done twice: a repeated POST could write a record twice. */
  call<T>(method: string, path: string, body?: unknown): Promise<T> {
    return this.patiently(method !== "POST", () =>
      this.once<T>(method, path, body),
    );
  }

  /**
   * Repeats an action a few times: after a rate limit always, since GitHub has done nothing then; after its failure or
   * silence only what is `repeatable`.
   */
  async patiently<T>(
    repeatable: boolean,
    action: () => Promise<T>,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await action();
      } catch (error) {
        if (!(error instanceof GitHubError) || attempt === ATTEMPTS)
          throw error;
        const limited = error.status === TOO_MANY_REQUESTS;
        const failed = error.status === NO_ANSWER || error.status >= 500;
        if (!limited && !(failed && repeatable)) throw error;
        const wait = error.waitSeconds ?? attempt;
        if (wait > LONGEST_WAIT_SECONDS) throw error;
        await Bun.sleep(this.secondMs * wait);
      }
    }
  }

  private async once<T>(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<T> {
    const lost = (error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      return new GitHubError(
        `${method} ${path}: no answer (${why})`,
        NO_ANSWER,
      );
    };
    const response = await fetch(`${this.baseUrl}${path}`, {
      method,
      signal: AbortSignal.timeout(this.timeoutMs),
      headers: {
        accept: "application/vnd.github+json",
        authorization: `Bearer ${this.token}`,
        "content-type": "application/json",
        "x-github-api-version": "2022-11-28",
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      throw lost(error);
    });
    const text = await response.text().catch((error: unknown) => {
      throw lost(error);
    });
    if (response.ok) return (text ? JSON.parse(text) : undefined) as T;
    throw refusalOf(`${method} ${path}`, response, messageOf(text));
  }
}

/** Reads from an answer what to wait for, or what the token lacks. */
function refusalOf(
  call: string,
  { status, headers }: Response,
  message: string,
): GitHubError {
  const wait = waitOf(status, headers, message);
  if (wait !== undefined) {
    const until = new Date(Date.now() + wait * 1000).toISOString();
    return new GitHubError(
      `${call}: GitHub's rate limit is used up until ${until.slice(11, 16)} UTC`,
      TOO_MANY_REQUESTS,
      "",
      wait,
    );
  }
  const lacks = [401, 403, 404].includes(status) ? lackOf(status, headers) : "";
  const retryAfter = Number(headers.get("retry-after") || NaN);
  return new GitHubError(
    `${call}: ${status} ${message}`,
    status,
    lacks,
    ...(retryAfter >= 0 ? [retryAfter] : []),
  );
}

/** The seconds that a rate limit lasts, or undefined where the answer is about something else. */
function waitOf(
  status: number,
  headers: Headers,
  message: string,
): number | undefined {
  const after = headers.get("retry-after");
  const used = headers.get("x-ratelimit-remaining") === "0";
  const limited =
    status === TOO_MANY_REQUESTS ||
    (status === 403 && (used || after || /rate limit/i.test(message)));
  if (!limited) return undefined;
  if (after && Number(after) >= 0) return Number(after);
  const reset = Number(headers.get("x-ratelimit-reset") || NaN);
  if (!used || Number.isNaN(reset)) return LONGEST_WAIT_SECONDS;
  return Math.max(1, Math.ceil(reset - Date.now() / 1000));
}

const listOf = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** What GitHub's headers say that the token lacks. */
function lackOf(status: number, headers: Headers): string {
  if (status === 401) return " (the token is wrong, expired or revoked)";
  const sso = /url=(\S+)/.exec(headers.get("x-github-sso") ?? "")?.[1];
  if (sso) return ` (the organisation wants the token authorised: ${sso})`;
  const granted = headers.get("x-oauth-scopes");
  const accepted = listOf(headers.get("x-accepted-oauth-scopes") ?? "");
  if (granted !== null && accepted.length > 0) {
    return listOf(granted).some((scope) => accepted.includes(scope))
      ? ""
      : ` (the token has no scope ${accepted.join(" or ")}, only: ${granted || "none"})`;
  }
  const permissions = headers.get("x-accepted-github-permissions");
  return permissions
    ? ` (a fine-grained token needs the permission ${permissions.replaceAll("=", ": ").replaceAll(";", " or")})`
    : "";
}

function messageOf(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? "";
  } catch {
    return text.slice(0, 200);
  }
}

/** A client for the app's repository, or undefined where no token says that GitHub is meant. */
export function githubFor(config: Config, env: Variables): GitHub | undefined {
  const token = env.GITHUB_TOKEN || env.GH_TOKEN;
  const repository = repositoryOf(config, env);
  if (!token || repository === undefined) return undefined;
  return new GitHub(repository, token, env.GITHUB_API_URL);
}

/** What the gate let pass. */
export interface Pass {
  commit: string;
  /** The commit that the environment runs, where that can be known. */
  live: string | undefined;
  /** What the reviewer must know all the same. */
  warnings: string[];
  /** What the environment would get, newest first; undefined where the live commit is not known. */
  commits: string[] | undefined;
  /** Workflow runs that waited for approval and were cancelled. */
  superseded: number[];
}

/**
 * Chooses the commit for an environment, or refuses. Before the approval only the first environment's Cloudflare token
 * is at hand; after it (`recheck`) the target's is, and Cloudflare says what is live.
 *
 * @param wanted the commit that was asked for; else the one that staging runs or, for staging itself, the pushed one
 * @throws Refusal with what to do
 */
export async function gate(
  config: Config,
  name: string,
  wanted: string | undefined,
  recheck: boolean,
  env: Variables,
): Promise<Pass> {
  const environment = environmentNamed(config, name);
  const github = githubFor(config, env);
  if (github === undefined) {
    throw new UsageError("the gate needs GITHUB_TOKEN and GITHUB_REPOSITORY");
  }
  if (env.GITHUB_REF !== `refs/heads/${MAIN}`) {
    throw new Refusal(
      `Start this workflow on ${MAIN}, not on ${env.GITHUB_REF ?? "nothing"}.`,
    );
  }
  const commit = wanted
    ? await resolveCommit(github, wanted)
    : await defaultCommit(config, name, env);
  await checkOnMain(github, commit);

  const promoted = isPromoted(config, name);
  const live =
    promoted && !recheck
      ? await publicCommit(config, environment, env)
      : await liveCommit(config, environment, env);
  const ahead =
    live === undefined ? undefined : await compare(github, live, commit);
  const pass: Pass = {
    commit,
    live,
    warnings: [],
    commits: ahead && titles(ahead),
    superseded: [],
  };
  const older = ahead?.status === "behind";
  if (!promoted) {
    // Two pushes close together may get here in the other order; going back on purpose is started by hand.
    if (older && env.GITHUB_EVENT_NAME === "push") {
      throw new Refusal(
        `${name} already runs ${shortCommit(live ?? "")}, which a later push brought.`,
      );
    }
    return pass;
  }
  if (older) {
    throw new Refusal(
      `${name} already runs ${shortCommit(live ?? "")}, which is newer than ${shortCommit(commit)}. To go back use the Rollback workflow.`,
    );
  }
  pass.warnings.push(
    ...(await checkProtection(github, config, name, env)),
    ...(await checkProof(github, config, name, commit)),
  );
  if (!recheck) {
    const run = Number(env.GITHUB_RUN_ID ?? "0");
    pass.superseded = await cancelWaiting(github, config, name, run);
  }
  return pass;
}

async function defaultCommit(
  config: Config,
  name: string,
  env: Variables,
): Promise<string> {
  if (!isPromoted(config, name)) {
    if (env.GITHUB_SHA) return env.GITHUB_SHA;
    throw new UsageError("GITHUB_SHA is not set");
  }
  const first = environmentNamed(config, firstProfile(config));
  const commit = await liveCommit(config, first, env);
  if (commit !== undefined) return commit;
  throw new Refusal(
    `Nothing to promote: ${first.name} runs no commit. Let the Promote workflow deploy it there first.`,
  );
}

/** A commit on main, given in full, by its beginning, or as a branch or tag. */
async function resolveCommit(github: GitHub, wanted: string): Promise<string> {
  if (!/^[0-9a-zA-Z._/-]{1,200}$/.test(wanted) || wanted.includes("..")) {
    throw new UsageError("the commit is not written like one");
  }
  const found = await github.optional<{ sha: string }>(
    github.inRepository(`/commits/${encodeURIComponent(wanted)}`),
  );
  if (found !== undefined) return found.sha;
  throw new Refusal(`"${wanted}" is no commit of ${github.repository}.`);
}

async function liveCommit(
  config: Config,
  environment: Environment,
  env: Variables,
): Promise<string | undefined> {
  const live = await liveRelease(
    cloudflareFor(environment, env),
    workerName(config, environment),
  );
  return live && /^[0-9a-f]{40}$/.test(live.commit) ? live.commit : undefined;
}

/** What the environment says of itself to everybody; undefined where that is not to be had. */
async function publicCommit(
  config: Config,
  environment: Environment,
  env: Variables,
): Promise<string | undefined> {
  const url = await environmentUrl(config, environment, env).catch(
    () => undefined,
  );
  return url && commitFromHealth(url + healthPath(config), env);
}

/** Refuses a commit that main does not contain: nobody reviewed it. */
async function checkOnMain(github: GitHub, commit: string): Promise<void> {
  const { status } = await compare(github, commit, MAIN);
  if (status !== "identical" && status !== "ahead") {
    throw new Refusal(
      `${shortCommit(commit)} is not on ${MAIN}. Merge it first; to leave a bad release use the Rollback workflow.`,
    );
  }
}

/** Refuses a commit that the first environment did not verify, and warns of one that failed in this one before. */
async function checkProof(
  github: GitHub,
  config: Config,
  name: string,
  commit: string,
): Promise<string[]> {
  const first = firstProfile(config);
  const jobs = await promotionJobs(github, config, commit);
  const ended = (environment: string, conclusion: string) =>
    jobs.some(
      (job) =>
        job.name === deployJob(commit, environment) &&
        job.conclusion === conclusion,
    );
  if (!ended(first, "success")) {
    throw new Refusal(
      `${shortCommit(commit)} was not verified in ${first}: no job "${deployJob(commit, first)}" succeeded on ${MAIN}. ` +
        `Run the Promote workflow with environment ${first} and this commit first.`,
    );
  }
  return ended(name, "failure")
    ? [
        `${shortCommit(commit)} failed in ${name} before. Approve it only if you know what changed since.`,
      ]
    : [];
}

interface Comparison {
  status: "ahead" | "behind" | "identical" | "diverged";
  commits: { sha: string; commit: { message: string } }[];
}

/** How `head` stands to `base`: "ahead" when it has commits that `base` has not. */
async function compare(
  github: GitHub,
  base: string,
  head: string,
): Promise<Comparison> {
  const comparison = await github.optional<Comparison>(
    github.inRepository(`/compare/${base}...${head}`),
  );
  // A commit that GitHub never saw, as after a deploy from a laptop, stands in no order to the others.
  return comparison ?? { status: "diverged", commits: [] };
}

const titles = ({ commits }: Comparison): string[] =>
  commits
    .map(
      ({ sha, commit }) =>
        `${shortCommit(sha)} ${commit.message.split("\n")[0] ?? ""}`,
    )
    .reverse();

/**
 * GitHub makes an environment that a workflow names and that does not exist, without any rule: unless somebody looks,
 * a missing approval is never noticed.
 */
async function checkProtection(
  github: GitHub,
  config: Config,
  environment: string,
  env: Variables,
): Promise<string[]> {
  const name = githubEnvironment(config, environment);
  const path = github.inRepository(`/environments/${name}`);
  const remedy = "Run `bun run {{script_prefix}}environments apply`.";
  const rules = await github.optional<EnvironmentRules>(path);
  if (rules === undefined) {
    throw new Refusal(`GitHub has no environment ${name}. ${remedy}`);
  }
  const policies =
    rules.deployment_branch_policy?.custom_branch_policies === true
      ? await branchPolicies(github, name)
      : [];
  const branches = branchesOf(environmentNamed(config, environment).profile);
  if (!samePolicies(policies, branches)) {
    throw new Refusal(
      `Other branches than ${branches.join(", ")} may deploy to ${name}. ${remedy}`,
    );
  }
  if (hasReviewer(rules)) return [];
  // The plan of the repository offers no required reviewers, and its owner says that they know.
  if (env.PROD_APPROVAL === "none") {
    return [
      `Nobody has to approve ${name}: PROD_APPROVAL=none is set. Whoever may run the workflow may deploy.`,
    ];
  }
  throw new Refusal(
    `The environment ${name} has no required reviewer. ${remedy} ` +
      "A private repository needs GitHub Enterprise for that: docs/PROMOTION.md says what the other plans can do.",
  );
}

/** The branches that may deploy to a promoted environment. */
export const branchesOf = ({ branches }: Profile): string[] =>
  branches ?? [MAIN];

export const hasReviewer = (rules: EnvironmentRules): boolean =>
  (rules.protection_rules ?? []).some(
    (rule) =>
      rule.type === "required_reviewers" && (rule.reviewers ?? []).length > 0,
  );

/** Whether these branches may deploy, no other branch, and no tag. */
export const samePolicies = (
  policies: readonly BranchPolicy[],
  branches: readonly string[],
): boolean =>
  policies.length === branches.length &&
  policies.every(({ name, type }) => type !== "tag" && branches.includes(name));

export async function branchPolicies(
  github: GitHub,
  environment: string,
): Promise<BranchPolicy[]> {
  const { branch_policies } = await github.get<{
    branch_policies: BranchPolicy[];
  }>(
    github.inRepository(
      `/environments/${environment}/deployment-branch-policies?per_page=100`,
    ),
  );
  return branch_policies;
}

/**
 * The jobs of this repository's own promotion workflow on main that may have deployed a commit: of the runs that its
 * push started, and of the latest ones, since a run started by hand names the commit only in its job.
 * A pull request from a fork can bring a changed workflow and a branch called main: its runs have another event.
 */
async function promotionJobs(
  github: GitHub,
  config: Config,
  commit: string,
): Promise<Job[]> {
  const path = github.inRepository(
    `/actions/workflows/${workflowFile(config, "promote")}/runs?branch=${MAIN}`,
  );
  const lists = await Promise.all(
    [`&head_sha=${commit}&per_page=20`, "&per_page=30"].map((query) =>
      github.get<{ workflow_runs: WorkflowRun[] }>(path + query),
    ),
  );
  const runs = lists
    .flatMap((list) => list.workflow_runs)
    .filter(
      (run) =>
        run.head_branch === MAIN &&
        ["push", "workflow_dispatch"].includes(run.event) &&
        run.head_repository?.full_name.toLowerCase() ===
          github.repository.toLowerCase(),
    );
  const ids = [...new Set(runs.map((run) => run.id))];
  const jobs = await Promise.all(
    ids.map((id) =>
      github.get<{ jobs: Job[] }>(
        github.inRepository(`/actions/runs/${id}/jobs?filter=all&per_page=100`),
      ),
    ),
  );
  return jobs.flatMap((list) => list.jobs);
}

/**
 * Cancels promotions that wait for approval: a waiting job holds the place that the next one needs, and the reviewer
 * shall find one question, not five.
 *
 * @param except the run that supersedes them
 * @returns the runs that were cancelled
 */
export async function cancelWaiting(
  github: GitHub,
  config: Config,
  environment: string,
  except?: number,
): Promise<number[]> {
  const name = githubEnvironment(config, environment);
  const { workflow_runs } = await github.get<{ workflow_runs: WorkflowRun[] }>(
    github.inRepository(
      `/actions/workflows/${workflowFile(config, "promote")}/runs?status=waiting&per_page=100`,
    ),
  );
  const cancelled: number[] = [];
  for (const { id } of workflow_runs) {
    if (except !== undefined && id >= except) continue;
    const pending = await github.get<{ environment: { name?: string } }[]>(
      github.inRepository(`/actions/runs/${id}/pending_deployments`),
    );
    if (!pending.some((p) => p.environment.name === name)) continue;
    if (await cancel(github, id)) cancelled.push(id);
  }
  return cancelled;
}

/** Whether there was something to cancel: somebody else may have been quicker. */
async function cancel(github: GitHub, run: number): Promise<boolean> {
  try {
    await github.call(
      "POST",
      github.inRepository(`/actions/runs/${run}/cancel`),
    );
    return true;
  } catch (error) {
    if (error instanceof GitHubError && error.status === CONFLICT) return false;
    throw error;
  }
}

/** Who approved the run, for the summary. */
export async function approvers(
  github: GitHub,
  run: string,
): Promise<string[]> {
  const reviews = await github.optional<
    { state: string; user: { login: string } | null }[]
  >(github.inRepository(`/actions/runs/${run}/approvals`));
  return [
    ...new Set(
      (reviews ?? []).flatMap(({ state, user }) =>
        state === "approved" && user ? [user.login] : [],
      ),
    ),
  ];
}

/** The line on GitHub's deployments page. A record that cannot be written stops nothing. */
export class DeploymentRecord {
  private constructor(
    private readonly github: GitHub,
    private readonly id: number,
    private readonly url: string,
    private readonly log: string | undefined,
  ) {}

  static async open(
    github: GitHub | undefined,
    record: {
      commit: string;
      environment: string;
      task: "deploy" | "rollback";
      url: string;
      production: boolean;
      log: string | undefined;
    },
  ): Promise<DeploymentRecord | undefined> {
    if (github === undefined) return undefined;
    return attempt("open the deployment record", async () => {
      const { id } = await github.call<{ id: number }>(
        "POST",
        github.inRepository("/deployments"),
        {
          ref: record.commit,
          task: record.task,
          environment: record.environment,
          description: `${record.task} ${shortCommit(record.commit)}`,
          // Or GitHub merges main into the commit, or waits for checks that belong to another event.
          auto_merge: false,
          required_contexts: [],
          production_environment: record.production,
        },
      );
      const opened = new DeploymentRecord(github, id, record.url, record.log);
      await opened.mark("in_progress", "started");
      return opened;
    });
  }

  async close(state: "success" | "failure", text: string): Promise<void> {
    await attempt("close the deployment record", () => this.mark(state, text));
  }

  private async mark(state: string, text: string): Promise<void> {
    await this.github.call(
      "POST",
      this.github.inRepository(`/deployments/${this.id}/statuses`),
      {
        state,
        description: text.slice(0, 140),
        environment_url: this.url,
        ...(this.log !== undefined && { log_url: this.log }),
        auto_inactive: true,
      },
    );
  }
}

async function attempt<T>(
  what: string,
  action: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    console.warn(
      `Could not ${what}: ${error instanceof Error ? error.message : String(error)}. Going on.`,
    );
    return undefined;
  }
}
