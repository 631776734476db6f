/**
 * Makes GitHub's environments what the promotion relies on:
 *
 *   bun run environments plan     says what `apply` would change
 *   bun run environments apply    changes it; running it again is safe
 *   bun run environments check    exits 1 when something is missing
 *
 *   --reviewer NAME    who may approve: a login, or organisation/team (repeatable, up to six; default: you)
 *   --renew NAME       write this secret again, though GitHub has one (repeatable)
 *
 * Needs a token that may administer the repository: GITHUB_TOKEN, GH_TOKEN, or the GitHub CLI's (`gh auth login`).
 */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFileSync, chmodSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { parseArgs } from "node:util";
import written from "../../alchemy.config.ts";
import {
  type Config,
  type Profile,
  Refusal,
  UsageError,
  type Variables,
  appRoot,
  git,
  githubEnvironment,
  isPromoted,
  promotionVariable,
  readVariables,
  repositoryOf,
  validateConfig,
} from "./config.ts";
import {
  type EnvironmentRules,
  GitHub,
  GitHubError,
  MAIN,
  branchPolicies,
} from "./github.ts";
import { reportError } from "./main.ts";

// A config without `defineConfig` has wider types; validateConfig checks what they leave open.
const config = written as Config;

/** One thing that GitHub should have. */
export interface Step {
  title: string;
  /** "hidden": this token may not see it. */
  state: "ok" | "change" | "hidden" | "warning";
  apply?: () => Promise<void>;
}

export interface Options {
  reviewers: string[];
  renew: string[];
  /** Gives the value of a secret that is neither in .env.<environment> nor made here. */
  ask: (environment: string, secret: string) => Promise<string>;
  env: Variables;
}

interface Reviewer {
  type: "User" | "Team";
  id: number;
}

interface Rule {
  type: string;
  wait_timer?: number;
  prevent_self_review?: boolean;
  reviewers?: { type: "User" | "Team"; reviewer: { id: number } }[];
}

const MOST_REVIEWERS = 6;

/** Secrets that nobody has to think up. */
const GENERATED = ["ALCHEMY_STATE_TOKEN", "ALCHEMY_PASSWORD"];

/** Compares GitHub with what alchemy.config.ts asks for, in the order in which it can be mended. */
export async function survey(
  github: GitHub,
  configuration: Config,
  options: Options,
): Promise<Step[]> {
  const steps = [
    ...(await planWarnings(github, options)),
    ...accountWarnings(configuration),
  ];
  for (const [name, profile] of Object.entries(configuration.profiles)) {
    steps.push(
      ...(isPromoted(configuration, name)
        ? await protectedEnvironment(github, configuration, name, options)
        : await openEnvironment(github, configuration, name)),
      ...(await secretSteps(github, configuration, name, profile, options)),
    );
  }
  if (options.env.PROD_APPROVAL === "none") {
    steps.push(await variableStep(github, "PROD_APPROVAL", "none"));
  }
  // Last: with it on, the next push deploys.
  steps.push(
    await variableStep(github, promotionVariable(configuration), "on"),
  );
  return steps;
}

/** What the plan of a private repository may lack is said before anything is changed. */
async function planWarnings(github: GitHub, options: Options): Promise<Step[]> {
  const repository = await github.optional<{ private: boolean }>(
    github.inRepository(""),
  );
  if (repository === undefined) {
    throw new Refusal(
      `GitHub shows this token no repository ${github.repository}.`,
    );
  }
  if (!repository.private || options.env.PROD_APPROVAL === "none") return [];
  return [
    {
      state: "warning",
      title:
        "the repository is private: environments need a paid plan, required reviewers need GitHub Enterprise (docs/PROMOTION.md)",
    },
  ];
}

/** The approval protects prod only when staging's token cannot deploy it. */
function accountWarnings(configuration: Config): Step[] {
  const accounts = Object.values(configuration.profiles).map((p) => p.account);
  if (accounts.includes(undefined)) {
    return [
      {
        state: "warning",
        title:
          "alchemy.config.ts names no Cloudflare `account` for some profile: the workflows cannot deploy it",
      },
    ];
  }
  if (new Set(accounts).size === accounts.length) return [];
  return [
    {
      state: "warning",
      title:
        "the profiles share a Cloudflare account: limit staging's token to staging's Workers, or it can deploy prod without approval",
    },
  ];
}

async function openEnvironment(
  github: GitHub,
  configuration: Config,
  name: string,
): Promise<Step[]> {
  const environment = githubEnvironment(configuration, name);
  const path = github.inRepository(`/environments/${environment}`);
  const rules = await github.optional<EnvironmentRules>(path);
  return [
    {
      title: `environment ${environment}, without approval`,
      state: rules === undefined ? "change" : "ok",
      apply: () => github.call("PUT", path, { deployment_branch_policy: null }),
    },
  ];
}

async function protectedEnvironment(
  github: GitHub,
  configuration: Config,
  name: string,
  options: Options,
): Promise<Step[]> {
  const environment = githubEnvironment(configuration, name);
  const path = github.inRepository(`/environments/${environment}`);
  const rules = await github.optional<
    EnvironmentRules & { protection_rules?: Rule[] }
  >(path);
  const rule = (rules?.protection_rules ?? []) as Rule[];
  const approval = rule.find((r) => r.type === "required_reviewers");
  const present = (approval?.reviewers ?? []).map(
    ({ type, reviewer }): Reviewer => ({ type, id: reviewer.id }),
  );
  const wanted = await Promise.all(
    options.reviewers.map((reviewer) => findReviewer(github, reviewer)),
  );
  const none = options.env.PROD_APPROVAL === "none";
  const missing = wanted.filter(
    (w) => !present.some((p) => p.type === w.type && p.id === w.id),
  );
  const custom = rules?.deployment_branch_policy?.custom_branch_policies;
  const complete =
    custom === true && missing.length === 0 && (none || present.length > 0);

  const policies =
    custom === true ? await branchPolicies(github, environment) : [];
  const policyPath = `${path}/deployment-branch-policies`;
  return [
    {
      title: none
        ? `environment ${environment}, from ${MAIN} only (PROD_APPROVAL=none: nobody approves)`
        : `environment ${environment}, from ${MAIN} only, with a required reviewer`,
      state: complete ? "ok" : "change",
      apply: async () => {
        const chosen = [...present, ...missing];
        const reviewers =
          chosen.length > 0 || none ? chosen : [await signedInUser(github)];
        const timer = rule.find((r) => r.type === "wait_timer")?.wait_timer;
        if (reviewers.length > MOST_REVIEWERS) {
          throw new UsageError(
            `GitHub takes up to ${MOST_REVIEWERS} reviewers`,
          );
        }
        // GitHub takes this as the whole of the rules: what is not repeated is gone.
        await github
          .call("PUT", path, {
            ...(reviewers.length > 0 && {
              reviewers,
              prevent_self_review: approval?.prevent_self_review ?? false,
            }),
            ...(timer !== undefined && { wait_timer: timer }),
            deployment_branch_policy: {
              protected_branches: false,
              custom_branch_policies: true,
            },
          })
          .catch(explainPlan);
      },
    },
    {
      title: `branch policy of ${environment}: ${MAIN}, nothing else`,
      state:
        policies.map((policy) => policy.name).join() === MAIN ? "ok" : "change",
      apply: async () => {
        const now = await branchPolicies(github, environment);
        if (!now.some((policy) => policy.name === MAIN)) {
          await github.call("POST", policyPath, { name: MAIN, type: "branch" });
        }
        for (const { id, name: other } of now) {
          if (other === MAIN) continue;
          await github.call("DELETE", `${policyPath}/${id}`);
        }
      },
    },
  ];
}

function explainPlan(error: unknown): never {
  if (error instanceof GitHubError && error.status === 422) {
    throw new Refusal(
      `${error.message}. Where the plan offers no required reviewers: PROD_APPROVAL=none bun run environments apply (docs/PROMOTION.md)`,
    );
  }
  throw error;
}

async function findReviewer(github: GitHub, name: string): Promise<Reviewer> {
  const [owner, team] = name.split("/");
  const found = await github.optional<{ id: number }>(
    team === undefined ? `/users/${owner}` : `/orgs/${owner}/teams/${team}`,
  );
  if (found === undefined) {
    throw new UsageError(`GitHub knows no reviewer "${name}"`);
  }
  return { type: team === undefined ? "User" : "Team", id: found.id };
}

async function signedInUser(github: GitHub): Promise<Reviewer> {
  const { id } = await github.get<{ id: number }>("/user");
  return { type: "User", id };
}

async function secretSteps(
  github: GitHub,
  configuration: Config,
  name: string,
  profile: Profile,
  options: Options,
): Promise<Step[]> {
  const environment = githubEnvironment(configuration, name);
  const path = github.inRepository(`/environments/${environment}/secrets`);
  const own = profile.secrets ?? [];
  const wanted = [
    "CLOUDFLARE_API_TOKEN",
    "ALCHEMY_STATE_TOKEN",
    ...(own.length > 0 ? ["ALCHEMY_PASSWORD", ...own] : []),
  ];
  const exists =
    (await github.optional(
      github.inRepository(`/environments/${environment}`),
    )) !== undefined;
  const listed = exists
    ? await github.optional<{ secrets: { name: string }[] }>(
        `${path}?per_page=100`,
      )
    : { secrets: [] };
  return wanted.map((secret): Step => {
    const title = `secret ${secret} of ${environment}`;
    if (listed === undefined) return { title, state: "hidden" };
    const present =
      listed.secrets.some((s) => s.name === secret) &&
      !options.renew.includes(secret);
    return {
      title,
      state: present ? "ok" : "change",
      apply: async () => {
        const value = await secretValue(name, secret, options);
        await github.call(
          "PUT",
          `${path}/${secret}`,
          await sealed(github, path, value),
        );
      },
    };
  });
}

/** From .env.<environment>, where a generated one is kept, too: GitHub never gives a secret back. */
async function secretValue(
  name: string,
  secret: string,
  { ask, env }: Options,
): Promise<string> {
  const given =
    env[`${name.toUpperCase().replaceAll("-", "_")}_${secret}`] ||
    readVariables(`.env.${name}`)[secret];
  if (given) return given;
  if (!GENERATED.includes(secret)) return ask(name, secret);
  const value = randomBytes(32).toString("hex");
  keep(name, secret, value);
  return value;
}

/** Writes a secret into .env.<environment>, readable by its owner alone, unless git would see it. */
function keep(name: string, secret: string, value: string): void {
  const file = `.env.${name}`;
  if (
    git("rev-parse", "--git-dir") !== undefined &&
    git("check-ignore", file) === undefined
  ) {
    throw new Refusal(
      `git does not ignore ${file}: add it to .gitignore first.`,
    );
  }
  const path = join(appRoot, file);
  appendFileSync(path, `${secret}=${value}\n`, { mode: 0o600 });
  chmodSync(path, 0o600);
  console.log(
    `  ${secret} of ${name} is kept in ${file}; store a copy in your password manager`,
  );
}

/** GitHub takes secrets only in a box that its own key opens. */
async function sealed(github: GitHub, path: string, value: string) {
  const { key, key_id } = await github.get<{ key: string; key_id: string }>(
    `${path}/public-key`,
  );
  const { default: sodium } = await import("libsodium-wrappers").catch(() => {
    throw new UsageError("sealing a secret needs `bun install` first");
  });
  await sodium.ready;
  const box = sodium.crypto_box_seal(
    value,
    sodium.from_base64(key, sodium.base64_variants.ORIGINAL),
  );
  return {
    encrypted_value: sodium.to_base64(box, sodium.base64_variants.ORIGINAL),
    key_id,
  };
}

async function variableStep(
  github: GitHub,
  name: string,
  value: string,
): Promise<Step> {
  const path = github.inRepository("/actions/variables");
  const variable = await github.optional<{ value: string }>(`${path}/${name}`);
  return {
    title: `variable ${name}=${value}`,
    state: variable?.value === value ? "ok" : "change",
    apply: () =>
      variable === undefined
        ? github.call("POST", path, { name, value })
        : github.call("PATCH", `${path}/${name}`, { name, value }),
  };
}

function token(env: Variables): string | undefined {
  if (env.GITHUB_TOKEN || env.GH_TOKEN) return env.GITHUB_TOKEN || env.GH_TOKEN;
  try {
    return execFileSync("gh", ["auth", "token"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return undefined;
  }
}

function connect(configuration: Config, env: Variables): GitHub {
  const repository = repositoryOf(configuration, env);
  if (repository === undefined) {
    throw new UsageError(
      'which repository? Add `repository: "owner/name"` to alchemy.config.ts, or an `origin` remote on GitHub',
    );
  }
  const found = token(env);
  if (!found) {
    throw new UsageError(
      "no GitHub token: run `gh auth login`, or set GITHUB_TOKEN to one that may administer the repository",
    );
  }
  return new GitHub(repository, found, env.GITHUB_API_URL);
}

/** Asks without an echo. Without a terminal the value must be in the file. */
async function askHidden(name: string, secret: string): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new UsageError(`no value for ${secret}: write it into .env.${name}`);
  }
  process.stdout.write(`  ${secret} of ${name} (not shown): `);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({
    input: process.stdin,
    output: silent,
    terminal: true,
  });
  const answer = (await terminal.question("")).trim();
  terminal.close();
  process.stdout.write("\n");
  if (!answer) throw new UsageError(`${secret} of ${name} must not be empty`);
  return answer;
}

const MARKS = {
  ok: "ok     ",
  change: "change ",
  hidden: "hidden ",
  warning: "warning",
};

async function main(argv: readonly string[], env: Variables): Promise<number> {
  const { positionals, values } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      reviewer: { type: "string", multiple: true, default: [] },
      renew: { type: "string", multiple: true, default: [] },
    },
  });
  const [command] = positionals;
  if (!["plan", "apply", "check"].includes(command ?? "")) {
    throw new UsageError("commands: plan, apply, check");
  }
  const github = connect(validateConfig(config), env);
  console.log(`${github.repository}:`);
  const steps = await survey(github, config, {
    reviewers: values.reviewer,
    renew: values.renew,
    ask: askHidden,
    env,
  });
  for (const { state, title, apply } of steps) {
    console.log(`${MARKS[state]} ${title}`);
    if (command === "apply" && state === "change") await apply?.();
  }
  return command === "check" && steps.some((s) => s.state === "change") ? 1 : 0;
}

if (import.meta.main) {
  try {
    process.exitCode = await main(process.argv.slice(2), process.env);
  } catch (error) {
    process.exitCode = reportError(error);
  }
}
