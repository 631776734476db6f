/** GitHub: a client that says what a token lacks, the runs of the promotion workflow, and what protects an environment. */
import { repositoryOf } from "./checkout.ts";
import {
  type Config,
  MAIN,
  type Variables,
  githubEnvironment,
  workflowFile,
} from "./config.ts";
import {
  Api,
  ApiError,
  LONGEST_WAIT_SECONDS,
  TOO_MANY_REQUESTS,
  retryAfter,
} from "./http.ts";
import { shortCommit } from "./tell.ts";

/** A path without a slash at its beginning is one below the repository. */
export class GitHub extends Api {
  constructor(
    readonly repository: string,
    private readonly token: string,
    private readonly address = "https://api.github.com",
    private readonly secondMs = 1000,
    private readonly timeoutMs = 30_000,
    deadline = Infinity,
  ) {
    super(
      "GitHub",
      address,
      {
        accept: "application/vnd.github+json",
        authorization: `Bearer ${token}`,
        "x-github-api-version": "2022-11-28",
      },
      { attempts: 3, secondMs, timeoutMs, deadline },
    );
  }

  /** The same, for as long as that and no longer, whatever GitHub does. */
  within(ms: number): GitHub {
    const { repository, token, address, secondMs, timeoutMs } = this;
    return new GitHub(
      repository,
      token,
      address,
      secondMs,
      timeoutMs,
      Date.now() + ms,
    );
  }

  get<T>(path: string): Promise<T> {
    return this.call<T>("GET", path);
  }

  /** Like `get`, with undefined for what does not exist or may not be seen. */
  optional<T>(path: string): Promise<T | undefined> {
    return this.get<T>(path).catch((error: unknown) => {
      if (error instanceof ApiError && [403, 404].includes(error.status))
        return undefined;
      throw error;
    });
  }

  /** Repeats only what may be done twice: a repeated POST could write a record twice. */
  call<T>(method: string, path: string, body?: unknown): Promise<T> {
    return this.patiently(
      () => this.once<T>(method, path, body),
      method !== "POST",
    );
  }

  private async once<T>(method: string, path: string, body?: unknown) {
    const below = path && `/${path}`;
    const whole = path.startsWith("/")
      ? path
      : `/repos/${this.repository}${below}`;
    const call = `${method} ${whole}`;
    const { response, text, json } = await this.send(method, whole, body);
    if (!response.ok) {
      const message = String(json?.message ?? text.slice(0, 200));
      throw refusalOf(call, response, message);
    }
    if (text === "") return undefined as T;
    return (json ?? this.unheard(`${call}: no answer (it is not JSON)`)) as T;
  }
}

/** Reads from an answer what to wait for, or what the token lacks. */
function refusalOf(
  call: string,
  { status, headers }: Response,
  message: string,
): ApiError {
  const wait = waitOf(status, headers, message);
  if (wait === undefined) {
    const lacks = [401, 403, 404].includes(status)
      ? lackOf(status, headers)
      : "";
    const said = `GitHub: ${call}: ${status} ${message}`;
    return new ApiError(said, status, retryAfter(headers), [], lacks);
  }
  const until = new Date(Date.now() + wait * 1000).toISOString().slice(11, 16);
  const said = `GitHub: ${call}: GitHub's rate limit is used up until ${until} UTC`;
  return new ApiError(said, TOO_MANY_REQUESTS, wait);
}

/** The seconds that a rate limit lasts, or undefined where the answer is about something else. */
function waitOf(status: number, headers: Headers, message: string) {
  const after = headers.get("retry-after");
  const used = headers.get("x-ratelimit-remaining") === "0";
  const limited =
    status === TOO_MANY_REQUESTS ||
    (status === 403 && (used || after || /rate limit/i.test(message)));
  if (!limited) return undefined;
  const reset = Number((used && headers.get("x-ratelimit-reset")) || NaN);
  const left = Math.max(1, Math.ceil(reset - Date.now() / 1000));
  return retryAfter(headers) ?? (left || LONGEST_WAIT_SECONDS);
}

/** What GitHub's headers say that the token lacks. */
function lackOf(status: number, headers: Headers): string {
  if (status === 401) return " (the token is wrong, expired or revoked)";
  const sso = /url=(\S+)/.exec(headers.get("x-github-sso") ?? "")?.[1];
  if (sso) return ` (the organisation wants the token authorised: ${sso})`;
  const granted = headers.get("x-oauth-scopes");
  const scopes = (text: string | null): string[] =>
    text?.match(/[^\s,]+/g) ?? [];
  const accepted = scopes(headers.get("x-accepted-oauth-scopes"));
  if (granted !== null && accepted.length > 0) {
    return scopes(granted).some((scope) => accepted.includes(scope))
      ? ""
      : ` (the token has no scope ${accepted.join(" or ")}, only: ${granted || "none"})`;
  }
  const permissions = headers.get("x-accepted-github-permissions");
  return permissions
    ? ` (a fine-grained token needs the permission ${permissions.replaceAll("=", ": ").replaceAll(";", " or")})`
    : "";
}

/** A client for the app's repository, or undefined where no token says that GitHub is meant. */
export function githubFor(config: Config, env: Variables): GitHub | undefined {
  const token = env.GITHUB_TOKEN || env.GH_TOKEN;
  const repository = repositoryOf(config, env);
  return token && repository !== undefined
    ? new GitHub(repository, token, env.GITHUB_API_URL)
    : undefined;
}

interface WorkflowRun {
  id: number;
  event: string;
  head_branch: string | null;
  head_repository: { full_name: string } | null;
}

export interface Job {
  name: string;
  conclusion: string | null;
}

/** The name of the job that deploys a commit; .github/workflows/ spells it the same way. */
export const deployJob = (commit: string, environment: string): string =>
  `Deploy ${shortCommit(commit)} to ${environment}`;

/** Whether a commit's deployment to an environment ever ended that way. */
export const ended = (
  jobs: readonly Job[],
  commit: string,
  environment: string,
  conclusion: "success" | "failure",
): boolean => {
  const name = deployJob(commit, environment);
  return jobs.some((job) => job.name === name && job.conclusion === conclusion);
};

/** What GitHub says of a run that has ended and shall be cancelled. */
const CONFLICT = 409;

async function runsOf(github: GitHub, config: Config, query: string) {
  const path = `actions/workflows/${workflowFile(config, "promote")}/runs?${query}`;
  const list = await github.get<{ workflow_runs: WorkflowRun[] }>(path);
  return list.workflow_runs;
}

/**
 * The jobs of this repository's own promotion workflow on main that may have deployed a commit: of the runs that its
 * push started, and of the latest ones, since a run started by hand names the commit only in its job.
 * A pull request from a fork can bring a changed workflow and a branch called main: its runs have another event.
 */
export async function promotionJobs(
  github: GitHub,
  config: Config,
  commit: string,
): Promise<Job[]> {
  const lists = await Promise.all([
    runsOf(github, config, `branch=${MAIN}&head_sha=${commit}&per_page=20`),
    runsOf(github, config, `branch=${MAIN}&per_page=30`),
  ]);
  const repository = github.repository.toLowerCase();
  const runs = lists
    .flat()
    .filter(
      (run) =>
        run.head_branch === MAIN &&
        ["push", "workflow_dispatch"].includes(run.event) &&
        run.head_repository?.full_name.toLowerCase() === repository,
    );
  const ids = [...new Set(runs.map((run) => run.id))];
  const jobs = await Promise.all(
    ids.map((id) =>
      github.get<{ jobs: Job[] }>(
        `actions/runs/${id}/jobs?filter=all&per_page=100`,
      ),
    ),
  );
  return jobs.flatMap((list) => list.jobs);
}

/**
 * Cancels promotions that wait for approval: a waiting job holds the place that the next one needs, and the reviewer
 * shall find one question, not five.
 *
 * @param before the run that supersedes those that are older
 * @returns the runs that were cancelled
 */
export async function cancelWaiting(
  github: GitHub,
  config: Config,
  environment: string,
  before = Infinity,
): Promise<number[]> {
  const name = githubEnvironment(config, environment);
  const cancelled: number[] = [];
  for (const { id } of await runsOf(
    github,
    config,
    "status=waiting&per_page=100",
  )) {
    if (id >= before) continue;
    const path = `actions/runs/${id}`;
    const pending = await github.get<{ environment: { name?: string } }[]>(
      `${path}/pending_deployments`,
    );
    if (!pending.some((p) => p.environment.name === name)) continue;
    try {
      await github.call("POST", `${path}/cancel`);
      cancelled.push(id);
    } catch (error) {
      // Somebody else may have been quicker.
      if (!(error instanceof ApiError && error.status === CONFLICT))
        throw error;
    }
  }
  return cancelled;
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

interface BranchPolicy {
  id: number;
  name: string;
  type?: "branch" | "tag";
}

export const hasReviewer = ({
  protection_rules: rules = [],
}: EnvironmentRules): boolean =>
  rules.some(
    ({ type, reviewers = [] }) =>
      type === "required_reviewers" && reviewers.length > 0,
  );

/** What may deploy to an environment: names of branches, and of what is none; undefined for every branch. */
export async function allowedBranches(
  github: GitHub,
  environment: string,
  { deployment_branch_policy: policy }: EnvironmentRules,
): Promise<string[] | undefined> {
  if (!policy) return undefined;
  if (!policy.custom_branch_policies) return ["protected branches"];
  return (await branchPolicies(github, environment)).map(policyName);
}

/** Tags have policies, too: one for a tag called main says nothing about the branch. */
export const policyName = ({ name, type }: BranchPolicy): string =>
  type === "tag" ? `tag ${name}` : name;

export async function branchPolicies(github: GitHub, environment: string) {
  const path = `environments/${environment}/deployment-branch-policies?per_page=100`;
  const { branch_policies } = await github.get<{
    branch_policies: BranchPolicy[];
  }>(path);
  return branch_policies;
}
