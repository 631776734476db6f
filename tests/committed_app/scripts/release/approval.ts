/** Who may deploy to an environment, and after whose approval. */
import {
  UsageError,
  branchesOf,
  githubEnvironment,
  isPromoted,
  refusal,
} from "./config.ts";
import {
  type EnvironmentRules,
  allowedBranches,
  branchPolicies,
  policyName,
} from "./github.ts";
import { ApiError, unlessMissing } from "./http.ts";
import { sameMembers } from "./tell.ts";
import { HIDDEN, type View } from "./view.ts";

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

/** What the first environment has, which gets each push. */
const OPEN: Rules = {
  reviewers: [],
  preventSelfReview: false,
  waitMinutes: 0,
  branches: undefined,
};

export async function surveyRules(view: View, profile: string) {
  const environment = githubEnvironment(view.config, profile);
  const answer = await view.look<EnvironmentRules>(view.pathOf(environment));
  if (answer === HIDDEN) {
    view.tell(environment, "rules", HIDDEN, null);
    return { exists: true, changes: [] };
  }
  const exists = answer !== undefined;
  const now = answer && {
    ...rulesOf(answer),
    branches: await allowedBranches(view.github, environment, answer),
  };
  const wanted = await wantedRules(view, profile, now);
  if (unsaid(view, wanted)) {
    view.obstacles.push(
      new UsageError(`who approves ${environment}? Add --reviewer NAME`),
    );
  }
  if (!tellRules(view, environment, now, wanted))
    return { exists, changes: [] };
  const { branches } = wanted;
  const change = {
    title: `${environment}: ${branches ? describe(wanted) : "open to every branch, without approval"}`,
    fix: async () => {
      await putRules(view, environment, now, wanted);
      if (branches) await mendPolicies(view, environment, branches);
    },
  };
  return { exists, changes: [change] };
}

/** What GitHub tells, but for the names of branches. */
function rulesOf({
  protection_rules: rules = [],
  deployment_branch_policy: policy,
}: EnvironmentRules): Rules {
  const approval = rules.find(({ type }) => type === "required_reviewers");
  const timer = rules.find(({ type }) => type === "wait_timer");
  return {
    reviewers: (approval?.reviewers ?? []).map(
      ({ type, reviewer: { id, login, slug } }) => ({
        type,
        id,
        name: login ?? teamName(slug ?? String(id)),
      }),
    ),
    preventSelfReview: approval?.prevent_self_review ?? false,
    waitMinutes: timer?.wait_timer ?? 0,
    branches: policy ? [] : undefined,
  };
}

/** What is asked for; what nobody asks about stays as somebody set it on GitHub. */
async function wantedRules(view: View, name: string, now = OPEN) {
  const { config, wish, github } = view;
  if (!isPromoted(config, name)) return OPEN;
  const profile = config.profiles[name] ?? {};
  const asked = { ...profile, ...wish.rules };
  let { reviewers } = now;
  if (asked.reviewers) {
    const find = (reviewer: string) => findReviewer(view, reviewer, now);
    reviewers = await Promise.all(asked.reviewers.map(find));
  } else if (reviewers.length === 0 && !wish.noApproval) {
    // Nobody, for a token that belongs to nobody, as in a workflow.
    const self = await github.optional<{ id: number; login: string }>("/user");
    if (self) reviewers = [{ type: "User", id: self.id, name: self.login }];
  }
  return {
    reviewers,
    preventSelfReview: asked.preventSelfReview ?? now.preventSelfReview,
    waitMinutes: asked.waitMinutes ?? now.waitMinutes,
    branches: branchesOf(profile),
  };
}

/** What a team is called that GitHub tells without its organisation. */
const teamName = (slug: string): string => `team ${slug}`;

/** An unknown reviewer is an error before anything is changed. */
async function findReviewer(
  view: View,
  name: string,
  now: Rules,
): Promise<Reviewer> {
  const [owner, team] = name.split("/");
  const type = team === undefined ? "User" : "Team";
  const path =
    team === undefined ? `/users/${owner}` : `/orgs/${owner}/teams/${team}`;
  try {
    const { id } = await view.github.get<{ id: number }>(path);
    return { type, id, name };
  } catch (error) {
    if (!(error instanceof ApiError) || ![403, 404].includes(error.status))
      throw error;
    const unknown = new UsageError(
      `GitHub knows no ${type.toLowerCase()} "${name}"${error.lacks}`,
    );
    if (team === undefined || error.status === 404) throw unknown;
    // A workflow's token may look up no team; one that is a reviewer already is known all the same.
    view.obstacles.push(unknown);
    const known = now.reviewers.find(
      (r) => r.name === teamName(team.toLowerCase()),
    );
    return known ?? { type, id: 0, name };
  }
}

/** Tells of each rule; whether one of them is not as it should be. */
function tellRules(
  view: View,
  environment: string,
  now: Rules | undefined,
  wanted: Rules,
): boolean {
  const changed: boolean[] = [];
  const compare = (
    name: string,
    show: (rules: Rules) => string,
    same?: boolean,
  ) => {
    const is = now ? show(now) : null;
    changed.push(view.tell(environment, name, is, show(wanted), same));
  };
  const asks = wanted.branches !== undefined;
  const nobody =
    asks && view.wish.noApproval ? "nobody (PROD_APPROVAL=none)" : "nobody";
  const missing = unsaid(view, wanted);
  if (asks || now?.reviewers.length) {
    compare(
      "reviewers",
      (rules) =>
        rules.reviewers.map(({ name }) => name).join(", ") ||
        (missing && rules === wanted ? "somebody" : nobody),
      now &&
        sameMembers(now.reviewers.map(keyOf), wanted.reviewers.map(keyOf)) &&
        !missing,
    );
  }
  if (asks && wanted.reviewers.length > 0) {
    compare("self-review", (rules) =>
      rules.preventSelfReview ? "prevented" : "allowed",
    );
  }
  if (now?.waitMinutes || wanted.waitMinutes) {
    compare("wait timer", ({ waitMinutes }) => `${waitMinutes} min`);
  }
  compare(
    "branches",
    ({ branches }) =>
      branches ? branches.join(", ") || "none" : "every branch",
    now &&
      !now.branches === !asks &&
      sameMembers(now.branches, wanted.branches),
  );
  return changed.includes(true);
}

/** Whether an approval is wanted, and nothing says by whom. */
const unsaid = ({ wish }: View, { branches, reviewers }: Rules): boolean =>
  branches !== undefined && reviewers.length === 0 && !wish.noApproval;

const keyOf = ({ type, id }: Reviewer): string => `${type} ${id}`;

const describe = ({ reviewers, waitMinutes, branches = [] }: Rules): string =>
  [
    reviewers.length > 0
      ? `approval by ${reviewers.map(({ name }) => name).join(" or ")}`
      : "no approval",
    ...(waitMinutes > 0 ? [`after ${waitMinutes} minutes`] : []),
    `from ${branches.join(", ")} only`,
  ].join(", ");

/** GitHub takes this as the whole of the rules: what is not repeated may be gone. */
async function putRules(
  view: View,
  environment: string,
  now: Rules | undefined,
  wanted: Rules,
): Promise<void> {
  const { github } = view;
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
  const answer = await github
    .call<EnvironmentRules>("PUT", view.pathOf(environment), body)
    .catch((error: unknown) => explainPlan(view, error));
  // Nothing else may rest on rules that are not there.
  const kept = rulesOf(answer);
  const keys = kept.reviewers.map(keyOf);
  const gone = wanted.reviewers.filter(
    (reviewer) => !keys.includes(keyOf(reviewer)),
  );
  if (gone.length > 0)
    throw refusal`GitHub did not take ${gone.map(({ name }) => name).join(", ")} as reviewer of ${environment}: a reviewer needs read access to ${github.repository}. Give it, and run \`bun run environments apply\` again.`;
  if (!kept.branches !== !wanted.branches)
    throw refusal`GitHub did not take the branches of ${environment}. Its page is https://github.com/${github.repository}/settings/environments`;
}

/** Closes what is open before it opens what is closed. A POST without an answer may have been heard: look again. */
async function mendPolicies(
  view: View,
  environment: string,
  branches: string[],
): Promise<void> {
  const { github } = view;
  const path = `${view.pathOf(environment)}/deployment-branch-policies`;
  const fix = async () => {
    const now = await branchPolicies(github, environment);
    for (const policy of now) {
      if (branches.includes(policyName(policy))) continue;
      await github.call("DELETE", `${path}/${policy.id}`).catch(unlessMissing);
    }
    for (const name of branches) {
      if (now.some((policy) => policyName(policy) === name)) continue;
      await github.call("POST", path, { name, type: "branch" });
    }
  };
  await github
    .patiently(fix)
    .catch((error: unknown) => explainPlan(view, error));
}

/** What the repository's plan does not offer is told with what it does. */
function explainPlan(view: View, error: unknown): never {
  if (!(error instanceof ApiError)) throw error;
  const { status, message, lacks } = error;
  const plan = view.isPrivate || /billing plan|upgrade/i.test(message);
  if (![402, 403, 404, 422].includes(status) || lacks || !plan) throw error;
  const advice =
    status === 422 && !view.wish.noApproval
      ? "A private repository has required reviewers and wait timers only on GitHub Enterprise. On Pro or Team go without, and say so: PROD_APPROVAL=none bun run environments apply."
      : "A private repository has environments only on a paid plan. Make it public, or get Pro or Team; until then `bun run release staging` and `bun run release prod` deploy from a laptop.";
  throw refusal`${message}\n${advice} See docs/PROMOTION.md, “What GitHub's plans can do”.`;
}
