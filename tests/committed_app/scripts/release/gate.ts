/** Whether a commit may go to an environment: asked before the approval, again after it, and of a laptop. */
import { git, isAncestor } from "./checkout.ts";
import {
  type Config,
  MAIN,
  type Variables,
  branchesOf,
  environmentNamed,
  firstProfile,
  githubEnvironment,
  healthPath,
  isPromoted,
  misuse,
  refusal,
  variablesOf,
} from "./config.ts";
import {
  type EnvironmentRules,
  type GitHub,
  type Job,
  allowedBranches,
  cancelWaiting,
  deployJob,
  ended,
  githubFor,
  hasReviewer,
  promotionJobs,
} from "./github.ts";
import { history, releaseStack, stood, wasRolledBack } from "./ledger.ts";
import {
  type Place,
  type Target,
  environmentUrl,
  workerFor,
} from "./target.ts";
import { messageOf, sameMembers, shortCommit } from "./tell.ts";
import { commitFromHealth } from "./verify.ts";

/** How long GitHub may take to answer all that the gate asks. */
const PATIENCE_MS = 180_000;

/** What the gate is asked. */
export interface Question {
  /** The commit that was asked for; else the one that staging runs or, for staging itself, the pushed one. */
  wanted: string | undefined;
  /** After the approval. */
  recheck: boolean;
  /** Whether a commit that was rolled back may go out again. */
  again: boolean;
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

/** What all of the gate's questions are about. */
interface Case extends Place {
  github: GitHub;
  commit: string;
}

/**
 * Chooses the commit for an environment, or refuses. Before the approval only the first environment's Cloudflare token
 * is at hand; after it (`recheck`) the target's is, and Cloudflare says what is live.
 *
 * @throws Refusal with what to do
 */
export async function gate(
  config: Config,
  name: string,
  { wanted, recheck, again }: Question,
  env: Variables,
): Promise<Pass> {
  const environment = environmentNamed(config, name);
  const github = githubFor(config, env)?.within(PATIENCE_MS);
  if (github === undefined)
    throw misuse`the gate needs GITHUB_TOKEN and GITHUB_REPOSITORY`;
  if (env.GITHUB_REF !== `refs/heads/${MAIN}`)
    throw refusal`Start this workflow on ${MAIN}, not on ${env.GITHUB_REF ?? "nothing"}.`;
  const commit = wanted
    ? await resolveCommit(github, wanted)
    : await defaultCommit(config, name, env);
  const asked: Case = { config, environment, env, github, commit };
  await checkOnMain(asked);

  const promoted = isPromoted(config, name);
  const live =
    promoted && !recheck ? await publicCommit(asked) : await liveCommit(asked);
  const ahead =
    live === undefined ? undefined : await compare(github, live, commit);
  const pass: Pass = {
    commit,
    live,
    warnings: [],
    commits: ahead && titles(ahead),
    superseded: [],
  };
  checkOrder(asked, ahead, live ?? "");
  if (!promoted) return pass;

  const unseen = await checkProtection(asked);
  const jobs = await promotionJobs(github, config, commit);
  const failed = checkProof(asked, jobs);
  // What it would get and has run before was rolled back, by whichever means.
  const shas = ahead?.commits.map(({ sha }) => sha) ?? [];
  const left = new Set(shas.filter((sha) => ended(jobs, sha, name, "success")));
  // Cloudflare lists rollbacks from a laptop and the dashboard, too.
  if (recheck && wasRolledBack(await history(workerFor(asked)), commit))
    left.add(commit);
  pass.warnings = [
    ...unseen,
    ...failed,
    ...checkRolledBack(asked, left, again),
  ];
  if (!recheck) {
    const run = Number(env.GITHUB_RUN_ID ?? "0");
    pass.superseded = await cancelWaiting(github, config, name, run);
  }
  return pass;
}

/** A commit on main, given in full, by its beginning, or as a branch or tag. */
async function resolveCommit(github: GitHub, wanted: string): Promise<string> {
  if (!/^[0-9a-zA-Z._/-]{1,200}$/.test(wanted) || wanted.includes(".."))
    throw misuse`the commit is not written like one`;
  const path = `commits/${encodeURIComponent(wanted)}`;
  const found = await github.optional<{ sha: string }>(path);
  if (found !== undefined) return found.sha;
  throw refusal`"${wanted}" is not a commit of ${github.repository}.`;
}

async function defaultCommit(config: Config, name: string, env: Variables) {
  const first = environmentNamed(config, firstProfile(config));
  if (name === first.name) {
    if (env.GITHUB_SHA) return env.GITHUB_SHA;
    throw misuse`GITHUB_SHA is not set`;
  }
  const commit = await liveCommit({ config, environment: first, env });
  if (commit !== undefined) return commit;
  throw refusal`Nothing to promote: ${first.name} runs no commit. Let the Promote workflow deploy it there first.`;
}

async function liveCommit(place: Place) {
  const live = await workerFor(place).live();
  return live && /^[0-9a-f]{40}$/.test(live.commit) ? live.commit : undefined;
}

/** What the environment says of itself to everybody; undefined where that is not to be had. */
async function publicCommit(place: Place) {
  const url = await environmentUrl(place).catch(() => undefined);
  return url && commitFromHealth(url + healthPath(place.config), place.env);
}

interface Comparison {
  status: "ahead" | "behind" | "identical" | "diverged";
  commits: { sha: string; commit: { message: string } }[];
}

/** How `head` stands to `base`: "ahead" when it has commits that `base` has not. */
async function compare(github: GitHub, base: string, head: string) {
  const path = `compare/${base}...${head}`;
  // A commit that GitHub never saw, as after a deploy from a laptop, stands in no order to the others.
  return (
    (await github.optional<Comparison>(path)) ?? {
      status: "diverged",
      commits: [],
    }
  );
}

const titles = ({ commits }: Comparison): string[] =>
  commits
    .map(
      ({ sha, commit }) =>
        `${shortCommit(sha)} ${commit.message.split("\n")[0] ?? ""}`,
    )
    .reverse();

/** Refuses a commit that main does not contain: nobody reviewed it. */
async function checkOnMain({ github, commit }: Case): Promise<void> {
  const { status } = await compare(github, commit, MAIN);
  if (status === "identical" || status === "ahead") return;
  throw refusal`${shortCommit(commit)} is not on ${MAIN}. Merge it first; to leave a bad release use the Rollback workflow.`;
}

/** Refuses to go back, which is what a rollback is for. */
function checkOrder(
  { config, environment: { name }, env, commit }: Case,
  ahead: Comparison | undefined,
  live: string,
): void {
  if (ahead?.status !== "behind") return;
  if (isPromoted(config, name))
    throw refusal`${name} already runs ${shortCommit(live)}, which is newer than ${shortCommit(commit)}. To go back use the Rollback workflow.`;
  // Two pushes close together may get here in the other order; going back on purpose is started by hand.
  if (env.GITHUB_EVENT_NAME === "push")
    throw refusal`${name} already runs ${shortCommit(live)}, which a later push brought.`;
}

/** Refuses a commit that the first environment did not verify, and warns of one that failed in this one before. */
function checkProof(
  { config, environment: { name }, commit }: Case,
  jobs: readonly Job[],
) {
  const first = firstProfile(config);
  const short = shortCommit(commit);
  if (!ended(jobs, commit, first, "success"))
    throw refusal`${short} was not verified in ${first}: no job "${deployJob(commit, first)}" succeeded on ${MAIN}. Run the Promote workflow with environment ${first} and this commit first.`;
  return ended(jobs, commit, name, "failure")
    ? [
        `${short} failed in ${name} before. Approve it only if you know what changed since.`,
      ]
    : [];
}

/** Refuses a commit that was rolled back, unless somebody insists, and warns of one among those that it brings along. */
function checkRolledBack(
  { environment: { name }, commit }: Case,
  left: ReadonlySet<string>,
  again: boolean,
): string[] {
  if (left.has(commit) && !again)
    throw refusal`${shortCommit(commit)} was rolled back in ${name}. Promote a commit that repairs it; to release this one all the same, tick “again”.`;
  return [...left].map((sha) =>
    sha === commit
      ? `${shortCommit(sha)} was rolled back in ${name}, and goes out again because “again” was ticked.`
      : `This brings ${shortCommit(sha)} along, which was rolled back in ${name}: see that a later commit reverts or repairs it.`,
  );
}

/**
 * GitHub makes an environment that a workflow names and that does not exist, without any rule: unless somebody looks,
 * a missing approval is never noticed.
 *
 * @returns what the owner weakened, and says so
 */
async function checkProtection({ github, config, environment, env }: Case) {
  const name = githubEnvironment(config, environment.name);
  const remedy = "Run `bun run environments apply`.";
  const rules = await github.optional<EnvironmentRules>(`environments/${name}`);
  if (rules === undefined)
    throw refusal`GitHub has no environment ${name}. ${remedy}`;
  const branches = branchesOf(environment.profile);
  if (!sameMembers(await allowedBranches(github, name, rules), branches))
    throw refusal`Other branches than ${branches.join(", ")} may deploy to ${name}. ${remedy}`;
  const warnings: string[] = [];
  if (!hasReviewer(rules)) {
    // The plan of the repository offers no required reviewers, and its owner says that they know.
    if (env.PROD_APPROVAL !== "none")
      throw refusal`The environment ${name} has no required reviewer. ${remedy} A private repository needs GitHub Enterprise for that: docs/PROMOTION.md says what the other plans can do.`;
    warnings.push(
      `Nobody has to approve ${name}: PROD_APPROVAL=none is set. Whoever may run the workflow may deploy.`,
    );
  }
  if (config.health?.reports === "status") {
    warnings.push(
      '`health.reports` is "status" in alchemy.config.ts: the check does not see whether it is the new version that answers.',
    );
  }
  return warnings;
}

/**
 * What the gate asks in a workflow, asked of this clone and of Cloudflare: a release from a laptop is as strict.
 *
 * @returns why the working tree should not go to a promoted environment; undefined where nothing speaks against it
 */
export async function objection(
  { config, worker, environment: { name } }: Target,
  commit: string,
  env: Variables,
): Promise<string | undefined> {
  if (!isPromoted(config, name)) return undefined;
  const short = shortCommit(commit);
  if (commit.endsWith("-dirty"))
    return "the working tree has uncommitted changes";
  const branch = [`origin/${MAIN}`, MAIN].find((ref) =>
    git("rev-parse", "--verify", "--quiet", ref),
  );
  if (branch === undefined || !isAncestor(commit, branch)) {
    return `${short} is not on ${branch ?? MAIN}, as this clone knows it`;
  }
  const past = await history(worker);
  const live = releaseStack(past).at(-1);
  if (live && live.commit !== commit && isAncestor(commit, live.commit)) {
    return `${name} already runs ${shortCommit(live.commit)}, which is newer than ${short}`;
  }
  if (wasRolledBack(past, commit)) return `${short} was rolled back in ${name}`;
  const first = environmentNamed(config, firstProfile(config));
  const own = variablesOf(first.name, env);
  try {
    const place = { config, environment: first, env: own };
    const staged = await history(workerFor(place));
    return stood(staged, commit)
      ? undefined
      : `${short} never ran in ${first.name}`;
  } catch (error) {
    return `nothing says whether ${short} ever ran in ${first.name} (${messageOf(error)})`;
  }
}
