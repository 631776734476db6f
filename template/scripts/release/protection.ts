{%- if compiler_settings == "app" -%}
// @ts-nocheck The flags in tsconfig.json are the app's.
{% endif -%}
/**
 * What protects an environment on GitHub, the secrets and variables that a promotion needs, and how each of them comes to
 * be as alchemy.config.ts asks for it. environments.ts is the command that tells and changes it.
 */
import {
  type Config,
  type Profile,
  Refusal,
  UsageError,
  githubEnvironment,
  isPromoted,
  promotionVariable,
} from "./config.ts";
import {
  type BranchPolicy,
  type EnvironmentRules,
  type GitHub,
  GitHubError,
  branchPolicies,
  branchesOf,
  samePolicies,
} from "./github.ts";

/** "hidden": this token may not see it. "problem": nothing that GitHub could mend. */
export type State = "ok" | "missing" | "differs" | "hidden" | "problem";

/** One thing that GitHub should have. */
export interface Setting {
  /** The environment's name on GitHub, or undefined for what belongs to the repository. */
  environment: string | undefined;
  name: string;
  state: State;
  now: string | null;
  wanted: string | null;
}

/** One step of `apply`. */
export interface Change {
  title: string;
  /** The secret whose value it wants. */
  needs?: Secret;
  mend: (value: string) => Promise<void>;
}

export interface Survey {
  settings: Setting[];
  /** In the order in which they are made. */
  changes: Change[];
  /** Why nothing can be changed: the token may not, or nobody said who approves. */
  obstacle: Error | undefined;
}

export interface Secret {
  profile: string;
  name: string;
}

/** What the command line asks for. */
export interface Wish {
  /** Whose rules count in place of those in alchemy.config.ts. */
  rules: Pick<Profile, "reviewers" | "preventSelfReview" | "waitMinutes">;
  /** Secrets to write again. */
  renew: string[];
  /** The repository's plan offers no required reviewers, and its owner says that they know. */
  noApproval: boolean;
  sharedAccount: boolean;
}

interface Reviewer {
  type: "User" | "Team";
  id: number;
  name: string;
}

/** What protects an environment. */
interface Rules {
  reviewers: Reviewer[];
  preventSelfReview: boolean;
  waitMinutes: number;
  /** undefined: every branch may deploy. */
  branches: string[] | undefined;
}

/** What a look at GitHub needs to know. */
interface View {
  github: GitHub;
  config: Config;
  wish: Wish;
  private: boolean;
  settings: Setting[];
  obstacles: Error[];
}

const HIDDEN = Symbol("hidden");

/** Stands for the id of a team that this token may not look up. */
const UNSEEN = 0;

/** Secrets that nobody has to think up. */
export const GENERATED = ["ALCHEMY_STATE_TOKEN", "ALCHEMY_PASSWORD"];

/**
 * Compares GitHub with what alchemy.config.ts and the command line ask for. The changes come in an order in which no
 * environment is open for a moment: the rules of all, then the secrets, and at last what makes a push deploy.
 *
 * @throws UsageError for a reviewer that GitHub does not know, Refusal where the repository cannot be seen
 */
export async function survey(
  github: GitHub,
  config: Config,
  wish: Wish,
): Promise<Survey> {
  const repository = await github
    .get<{ private: boolean; permissions?: { admin: boolean } }>(
      github.inRepository(""),
    )
    .catch((error: unknown) => {
      if (!(error instanceof GitHubError && error.status === 404)) throw error;
      throw new Refusal(
        `GitHub shows this token no repository ${github.repository}${error.lacks}.`,
      );
    });
  const view: View = {
    github,
    config,
    wish,
    private: repository.private,
    settings: [],
    obstacles:
      repository.permissions?.admin === false
        ? [mayNot(github, " (its owner does not administer the repository)")]
        : [],
  };
  const names = Object.keys(config.profiles);
  const reviewers = await findReviewers(view);
  const rules: Change[] = [];
  const secrets: Change[] = [];
  for (const name of names) {
    const found = await surveyRules(view, name, reviewers);
    if (isPromoted(config, name)) rules.unshift(...found.changes);
    else rules.push(...found.changes);
    secrets.push(...(await surveySecrets(view, name, found.exists)));
  }
  const approval = wish.noApproval ? "none" : undefined;
  const variables = [
    ...(await surveyVariable(view, "PROD_APPROVAL", approval)),
    // Last: with it on, the next push deploys.
    ...(await surveyVariable(view, promotionVariable(config), "on")),
  ];
  view.settings.push(...accountProblems(view));
  return {
    settings: view.settings,
    changes: [...rules, ...secrets, ...variables],
    obstacle: view.obstacles[0],
  };
}

/** Adds a line to what is told. */
function tell(
  view: View,
  environment: string | undefined,
  name: string,
  now: string | null | typeof HIDDEN,
  wanted: string | null,
  same = now === wanted,
): State {
  const setting = { environment, name, wanted };
  const add = (state: State, is: string | null) => {
    view.settings.push({ ...setting, state, now: is });
    return state;
  };
  if (now === HIDDEN) return add("hidden", null);
  if (same) return add("ok", wanted);
  return add(now === null ? "missing" : "differs", now);
}

/** What GitHub answers: nothing where there is none, HIDDEN where this token may not look. */
async function look<T>(
  view: View,
  path: string,
): Promise<T | undefined | typeof HIDDEN> {
  try {
    return await view.github.get<T>(path);
  } catch (error) {
    if (!(error instanceof GitHubError)) throw error;
    // For want of a scope GitHub says 404 as well.
    if (error.status === 404 && !error.lacks) return undefined;
    if (error.status !== 404 && error.status !== 403) throw error;
    view.obstacles.push(mayNot(view.github, error.lacks));
    return HIDDEN;
  }
}

const mayNot = ({ repository }: GitHub, lacks: string): Error =>
  new Refusal(
    `This token may not change ${repository}${lacks}. It takes one of somebody who administers it: a classic one with the scope repo (and read:org for teams), or a fine-grained one that may write Administration, Environments, Secrets and Variables. Nothing was changed.`,
  );

/** The approval protects prod only when staging's token cannot deploy it. */
function accountProblems({ config, wish }: View): Setting[] {
  const problem = (name: string): Setting => ({
    environment: undefined,
    name,
    state: "problem",
    now: null,
    wanted: null,
  });
  const found: Setting[] = [];
  const owners = new Map<string, string>();
  for (const [name, { account }] of Object.entries(config.profiles)) {
    if (account === undefined) {
      found.push(
        problem(
          `alchemy.config.ts names no Cloudflare \`account\` for ${name}: the workflows cannot deploy it`,
        ),
      );
      continue;
    }
    const owner = owners.get(account);
    if (owner === undefined) {
      owners.set(account, name);
    } else if (!wish.sharedAccount) {
      found.push(
        problem(
          `${owner} and ${name} share a Cloudflare account: limit the token of ${owner} to its own Workers, or it can deploy ${name} without approval (--shared-account: that is done)`,
        ),
      );
    }
  }
  return found;
}

// --- who may deploy --------------------------------------------------------------------------------------------------

/** All reviewers that anything asks for, by name: an unknown one is an error before anything is changed. */
async function findReviewers(view: View): Promise<Map<string, Reviewer>> {
  const { config, wish } = view;
  const found = new Map<string, Reviewer>();
  for (const profile of Object.values(config.profiles)) {
    for (const name of wish.rules.reviewers ?? profile.reviewers ?? []) {
      if (!found.has(name)) found.set(name, await findReviewer(view, name));
    }
  }
  return found;
}

async function findReviewer(view: View, name: string): Promise<Reviewer> {
  const [owner, team] = name.split("/");
  const path =
    team === undefined ? `/users/${owner}` : `/orgs/${owner}/teams/${team}`;
  const type = team === undefined ? "User" : "Team";
  try {
    const { id } = await view.github.get<{ id: number }>(path);
    return { type, id, name };
  } catch (error) {
    if (!(error instanceof GitHubError)) throw error;
    if (![403, 404].includes(error.status)) throw error;
    const unknown = new UsageError(
      `GitHub knows no ${type.toLowerCase()} "${name}"${error.lacks}`,
    );
    // A workflow's token may look up no team.
    if (type === "User" || error.status === 404) throw unknown;
    view.obstacles.push(unknown);
    return { type, id: UNSEEN, name };
  }
}

/** A team that this token may not look up is known all the same where it is a reviewer already. */
function recognised(reviewer: Reviewer, now: Rules | undefined): Reviewer {
  const [, team = ""] = reviewer.name.toLowerCase().split("/");
  return reviewer.id === UNSEEN
    ? (now?.reviewers.find(({ name }) => name === teamName(team)) ?? reviewer)
    : reviewer;
}

/** What a team is called that GitHub tells without its organisation. */
const teamName = (slug: string): string => `team ${slug}`;

/** Whoever the token belongs to; undefined for one that belongs to nobody, as in a workflow. */
async function signedIn(view: View): Promise<Reviewer | undefined> {
  const user = await view.github.optional<{ id: number; login: string }>(
    "/user",
  );
  return user && { type: "User", id: user.id, name: user.login };
}

async function surveyRules(
  view: View,
  profile: string,
  known: Map<string, Reviewer>,
): Promise<{ exists: boolean | typeof HIDDEN; changes: Change[] }> {
  const environment = githubEnvironment(view.config, profile);
  const path = environmentPath(view, environment);
  const answer = await look<EnvironmentRules>(view, path);
  if (answer === HIDDEN) {
    tell(view, environment, "rules", HIDDEN, null);
    return { exists: HIDDEN, changes: [] };
  }
  const now = answer && rulesOf(answer);
  const custom = answer?.deployment_branch_policy?.custom_branch_policies;
  const policies = custom ? await branchPolicies(view.github, environment) : [];
  if (now && custom) now.branches = policies.map(policyName);
  const wanted = await wantedRules(view, profile, now, known);
  if (unsaid(view, wanted)) {
    view.obstacles.push(
      new UsageError(`who approves ${environment}? Add --reviewer NAME`),
    );
  }
  if (!tellRules(view, environment, now, wanted, policies)) {
    return { exists: answer !== undefined, changes: [] };
  }
  const title = wanted.branches
    ? `${environment}: ${describe(wanted)}`
    : `${environment}: open to every branch, without approval`;
  const mend = async () => {
    await putRules(view, environment, now, wanted);
    if (wanted.branches) await mendPolicies(view, environment, wanted.branches);
  };
  return { exists: answer !== undefined, changes: [{ title, mend }] };
}

const environmentPath = ({ github }: View, environment: string): string =>
  github.inRepository(`/environments/${environment}`);

function rulesOf(answer: EnvironmentRules): Rules {
  const rules = answer.protection_rules ?? [];
  const approval = rules.find((rule) => rule.type === "required_reviewers");
  const policy = answer.deployment_branch_policy;
  return {
    reviewers: (approval?.reviewers ?? []).map(({ type, reviewer }) => ({
      type,
      id: reviewer.id,
      name: reviewer.login ?? teamName(reviewer.slug ?? String(reviewer.id)),
    })),
    preventSelfReview: approval?.prevent_self_review ?? false,
    waitMinutes:
      rules.find((rule) => rule.type === "wait_timer")?.wait_timer ?? 0,
    branches: policy
      ? policy.custom_branch_policies
        ? []
        : ["protected branches"]
      : undefined,
  };
}

/** What is asked for; what nobody asks about stays as somebody set it on GitHub. */
async function wantedRules(
  view: View,
  name: string,
  now: Rules | undefined,
  known: Map<string, Reviewer>,
): Promise<Rules> {
  const { config, wish } = view;
  const profile = config.profiles[name] ?? {};
  if (!isPromoted(config, name)) {
    return {
      reviewers: [],
      preventSelfReview: false,
      waitMinutes: 0,
      branches: undefined,
    };
  }
  const named = wish.rules.reviewers ?? profile.reviewers;
  let reviewers = named
    ?.flatMap((reviewer) => known.get(reviewer) ?? [])
    .map((reviewer) => recognised(reviewer, now));
  reviewers ??= now?.reviewers ?? [];
  if (reviewers.length === 0 && !wish.noApproval) {
    const self = await signedIn(view);
    if (self) reviewers = [self];
  }
  return {
    reviewers,
    preventSelfReview:
      wish.rules.preventSelfReview ??
      profile.preventSelfReview ??
      now?.preventSelfReview ??
      false,
    waitMinutes:
      wish.rules.waitMinutes ?? profile.waitMinutes ?? now?.waitMinutes ?? 0,
    branches: branchesOf(profile),
  };
}

/** Tells of each rule; whether one of them is not as it should be. */
function tellRules(
  view: View,
  environment: string,
  now: Rules | undefined,
  wanted: Rules,
  policies: BranchPolicy[],
): boolean {
  const states: State[] = [];
  const compare = (
    name: string,
    show: (rules: Rules) => string,
    same = now !== undefined && show(now) === show(wanted),
  ) => {
    const is = now ? show(now) : null;
    states.push(tell(view, environment, name, is, show(wanted), same));
  };
  const asks = wanted.branches !== undefined;
  const nobody =
    asks && view.wish.noApproval ? "nobody (PROD_APPROVAL=none)" : "nobody";
  if (asks || now?.reviewers.length) {
    compare(
      "reviewers",
      (rules) =>
        rules.reviewers.map(({ name }) => name).join(", ") ||
        (rules === wanted && unsaid(view, wanted) ? "somebody" : nobody),
      sameReviewers(now?.reviewers, wanted.reviewers) && !unsaid(view, wanted),
    );
  }
  if (asks && wanted.reviewers.length > 0) {
    compare("self-review", ({ preventSelfReview }) =>
      preventSelfReview ? "prevented" : "allowed",
    );
  }
  if (now?.waitMinutes || wanted.waitMinutes) {
    compare("wait timer", ({ waitMinutes }) => `${waitMinutes} min`);
  }
  compare(
    "branches",
    ({ branches }) =>
      branches ? branches.join(", ") || "none" : "every branch",
    wanted.branches
      ? now?.branches && samePolicies(policies, wanted.branches)
      : now && !now.branches,
  );
  return states.some((state) => state !== "ok");
}

/** Whether an approval is wanted, and nothing says by whom. */
const unsaid = ({ wish }: View, { branches, reviewers }: Rules): boolean =>
  branches !== undefined && reviewers.length === 0 && !wish.noApproval;

const sameReviewers = (
  now: readonly Reviewer[] | undefined,
  wanted: readonly Reviewer[],
): boolean =>
  now?.length === wanted.length &&
  wanted.every((reviewer) => now.some((other) => isSame(reviewer, other)));

const isSame = (one: Reviewer, other: Reviewer): boolean =>
  one.type === other.type && one.id === other.id;

const policyName = ({ name, type }: BranchPolicy): string =>
  type === "tag" ? `tag ${name}` : name;

const describe = (rules: Rules): string =>
  [
    rules.reviewers.length > 0
      ? `approval by ${rules.reviewers.map((r) => r.name).join(" or ")}`
      : "no approval",
    ...(rules.waitMinutes > 0 ? [`after ${rules.waitMinutes} minutes`] : []),
    `from ${(rules.branches ?? []).join(", ")} only`,
  ].join(", ");

/** GitHub takes this as the whole of the rules: what is not repeated may be gone. */
async function putRules(
  view: View,
  environment: string,
  now: Rules | undefined,
  wanted: Rules,
): Promise<void> {
  const approval = wanted.reviewers.length > 0 || now?.reviewers.length;
  const body = {
    ...(approval && {
      reviewers: wanted.reviewers.map(({ type, id }) => ({ type, id })),
      prevent_self_review: wanted.preventSelfReview,
    }),
    ...((approval || wanted.waitMinutes || now?.waitMinutes) && {
      wait_timer: wanted.waitMinutes,
    }),
    deployment_branch_policy: wanted.branches
      ? { protected_branches: false, custom_branch_policies: true }
      : null,
  };
  const answer = await view.github
    .call<EnvironmentRules>("PUT", environmentPath(view, environment), body)
    .catch((error: unknown) => explainPlan(view, error));
  // Nothing else may rest on rules that are not there.
  const kept = rulesOf(answer);
  const gone = wanted.reviewers.filter(
    (reviewer) => !kept.reviewers.some((other) => isSame(reviewer, other)),
  );
  if (gone.length > 0) {
    throw new Refusal(
      `GitHub did not take ${gone.map((r) => r.name).join(", ")} as reviewer of ${environment}: a reviewer needs read access to ${view.github.repository}. Give it, and run \`bun run {{script_prefix}}environments apply\` again.`,
    );
  }
  if ((kept.branches === undefined) !== (wanted.branches === undefined)) {
    throw new Refusal(
      `GitHub did not take the branches of ${environment}. Its page is https://github.com/${view.github.repository}/settings/environments`,
    );
  }
}

/** Closes what is open before it opens what is closed. A POST without an answer may have been heard: look again. */
async function mendPolicies(
  view: View,
  environment: string,
  branches: string[],
): Promise<void> {
  const { github } = view;
  const path = `${environmentPath(view, environment)}/deployment-branch-policies`;
  const mend = async () => {
    const now = await branchPolicies(github, environment);
    const right = (policy: BranchPolicy) =>
      policy.type !== "tag" && branches.includes(policy.name);
    for (const { id } of now.filter((policy) => !right(policy))) {
      await github.call("DELETE", `${path}/${id}`).catch(unlessGone);
    }
    for (const name of branches) {
      if (now.some((policy) => right(policy) && policy.name === name)) continue;
      await github.call("POST", path, { name, type: "branch" });
    }
  };
  await github
    .patiently(true, mend)
    .catch((error: unknown) => explainPlan(view, error));
}

function unlessGone(error: unknown): void {
  if (!(error instanceof GitHubError && error.status === 404)) throw error;
}

/** What the repository's plan does not offer is told with what it does. */
function explainPlan(view: View, error: unknown): never {
  if (!(error instanceof GitHubError)) throw error;
  const refused = [402, 403, 404, 422].includes(error.status);
  const plan = /billing plan|upgrade/i.test(error.message);
  if (!refused || error.lacks || !(plan || view.private)) throw error;
  const more = "docs/PROMOTION.md, “What GitHub's plans can do”.";
  if (error.status === 422 && !view.wish.noApproval) {
    throw new Refusal(
      `${error.message}\nA private repository has required reviewers and wait timers only on GitHub Enterprise. On Pro or Team go without, and say so: PROD_APPROVAL=none bun run {{script_prefix}}environments apply. See ${more}`,
    );
  }
  throw new Refusal(
    `${error.message}\nA private repository has environments only on a paid plan. Make it public, or get Pro or Team; until then \`bun run {{script_prefix}}release staging\` and \`bun run {{script_prefix}}release prod\` deploy from a laptop. See ${more}`,
  );
}

// --- secrets and variables -------------------------------------------------------------------------------------------

/** The names of an environment's secrets. */
export function secretsOf({ secrets = [] }: Profile): string[] {
  const password = secrets.length > 0 ? ["ALCHEMY_PASSWORD"] : [];
  return [
    "CLOUDFLARE_API_TOKEN",
    "ALCHEMY_STATE_TOKEN",
    ...password,
    ...secrets,
  ];
}

async function surveySecrets(
  view: View,
  profile: string,
  exists: boolean | typeof HIDDEN,
): Promise<Change[]> {
  const environment = githubEnvironment(view.config, profile);
  const path = `${environmentPath(view, environment)}/secrets`;
  const answer = exists
    ? await look<{ secrets: { name: string }[] }>(view, `${path}?per_page=100`)
    : { secrets: [] };
  // An environment that exists has a list of secrets: GitHub hides it with a 404 as well.
  const listed = answer ?? HIDDEN;
  if (answer === undefined) view.obstacles.push(mayNot(view.github, ""));
  // GitHub tells their names in capitals.
  const set = new Set(
    listed === HIDDEN ? [] : listed.secrets.map(({ name }) => name),
  );
  const key = once(() =>
    view.github.get<{ key: string; key_id: string }>(`${path}/public-key`),
  );
  const changes: Change[] = [];
  for (const name of secretsOf(view.config.profiles[profile] ?? {})) {
    const renew = view.wish.renew.includes(name);
    const present =
      listed === HIDDEN
        ? HIDDEN
        : set.has(name.toUpperCase())
          ? renew
            ? "an older one"
            : "set"
          : null;
    const state = tell(view, environment, `secret ${name}`, present, "set");
    if (state === "ok" || state === "hidden") continue;
    changes.push({
      title: `${environment}: secret ${name}`,
      needs: { profile, name },
      mend: async (value) => {
        const body = await sealed(await key(), value);
        await view.github.call("PUT", `${path}/${name}`, body);
      },
    });
  }
  return changes;
}

/** Asks once, at the first call. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => (answer ??= ask());
}

/** GitHub takes secrets only in a box that its own key opens. */
async function sealed(
  { key, key_id }: { key: string; key_id: string },
  value: string,
) {
  const sodium = await libsodium();
  const box = sodium.crypto_box_seal(
    value,
    sodium.from_base64(key, sodium.base64_variants.ORIGINAL),
  );
  return {
    encrypted_value: sodium.to_base64(box, sodium.base64_variants.ORIGINAL),
    key_id,
  };
}

/** What seals a secret. @throws UsageError before `bun install` */
export async function libsodium() {
  const { default: sodium } = await import("libsodium-wrappers").catch(() => {
    throw new UsageError("sealing a secret needs `bun install` first");
  });
  await sodium.ready;
  return sodium;
}

/** A variable of the repository, or with undefined the wish that there be none. */
async function surveyVariable(
  view: View,
  name: string,
  wanted: string | undefined,
): Promise<Change[]> {
  const { github } = view;
  const path = github.inRepository("/actions/variables");
  const read = () => look<{ value: string }>(view, `${path}/${name}`);
  const found = await read();
  // Nobody wants it, and nobody may look: nothing to say.
  if (wanted === undefined && (found === HIDDEN || !found)) return [];
  const now = found === HIDDEN ? HIDDEN : (found?.value ?? null);
  const state = tell(view, undefined, `variable ${name}`, now, wanted ?? null);
  if (state === "ok" || state === "hidden") return [];
  if (wanted === undefined) {
    const mend = () =>
      github.call("DELETE", `${path}/${name}`).catch(unlessGone);
    return [
      { title: `no variable ${name}`, mend: async () => void (await mend()) },
    ];
  }
  // A POST without an answer may have been heard: look again.
  const mend = () =>
    github.patiently(true, async () => {
      const body = { name, value: wanted };
      if ((await read()) === undefined) await github.call("POST", path, body);
      else await github.call("PATCH", `${path}/${name}`, body);
    });
  return [{ title: `variable ${name}=${wanted}`, mend }];
}
