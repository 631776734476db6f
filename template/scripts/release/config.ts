{%- if compiler_settings == "app" -%}
// @ts-nocheck The flags in tsconfig.json are the app's.
{% endif -%}
/**
 * The shape of alchemy.config.ts, and the names that follow from it. Everything else in this folder asks here what an
 * environment is called, where it lives and which release the working tree is.
 *
 * Nothing in scripts/release/ needs `bun install`: a rollback works in a fresh clone.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";

export interface WorkerResource {
  type: "worker";
  /** The module that exports the Worker. */
  script: string;
}

export interface DataResource {
  type: "kv" | "d1" | "r2";
}

export type Resource = WorkerResource | DataResource;

/** What a release may cost and still count as good. */
export interface Thresholds {
  /** Highest 95th percentile of the response time, in milliseconds. */
  p95Ms: number;
  /** Highest share of failed requests, from 0 to 1. */
  errorRate: number;
  /** How many requests are measured. */
  samples: number;
  /** How long the check may take, in milliseconds; an environment's first release has five minutes at least. */
  deadlineMs: number;
}

export interface Profile {
  /** The custom domain; without one the environment lives on workers.dev. */
  domain?: string;
  /** The Cloudflare account; without one CLOUDFLARE_ACCOUNT_ID says it. */
  account?: string;
  /** Plain-text bindings. */
  vars?: Record<string, string>;
  /** Names of secret bindings. Their values come from variables of the same name when the app is deployed. */
  secrets?: readonly string[];
  /** Resources that exist already, by resource id: they are used as they are, and never replaced by empty ones. */
  names?: Record<string, string>;
  thresholds?: Partial<Thresholds>;
  /** Who may approve a promotion: logins and organisation/team, up to six. Without it whoever is set on GitHub. */
  reviewers?: string[];
  /** Whether whoever started a promotion is kept from approving it. Without it as it is set on GitHub. */
  preventSelfReview?: boolean;
  /** How long a promotion waits at least. Without it as it is set on GitHub. */
  waitMinutes?: number;
  /** The branches whose workflows may deploy, main among them: main alone, without it. */
  branches?: string[];
}

export interface Config {
  name: string;
  /** owner/name on GitHub; without it the `origin` remote says it. */
  repository?: string;
  /** Ends the names of this app's GitHub environments and workflows where a repository holds several apps. */
  suffix?: string;
  /** What the release check asks. A body without `version` is judged by its status alone. */
  health?: { path: string };
  resources: Record<string, Resource>;
  /** In the order of promotion: the first gets every push to main, the others are promoted from it. */
  profiles: Record<string, Profile>;
}

/** Checks the shape in the editor, and returns the configuration as it is. */
export const defineConfig = (config: Config): Config => config;

/** A mistake in a command or in alchemy.config.ts: told in one line, exit code 2. */
export class UsageError extends Error {}

/** A check that said no: told with what to do about it, exit code 1. */
export class Refusal extends Error {}

export type Variables = Record<string, string | undefined>;

/** Where a command acts. */
export interface Environment {
  name: string;
  profile: Profile;
  /** Somebody's own: local state, free to destroy, never in CI. */
  personal: boolean;
}

/** The branch that may be promoted. */
export const MAIN = "main";

export const appRoot = join(import.meta.dirname, "../..");

const DEFAULT_THRESHOLDS: Thresholds = {
  p95Ms: 1000,
  errorRate: 0,
  samples: 20,
  deadlineMs: 90_000,
};
const RESOURCE_TYPES = ["worker", "kv", "d1", "r2"];
/** One DNS label, since Cloudflare serves a Worker at <name>.<account>.workers.dev. */
const LONGEST_NAME = 63;

/** Refuses what TypeScript cannot see, or would only have seen in an editor. */
export function validateConfig(config: Config): Config {
  const fail = (message: string): never => {
    throw new UsageError(`alchemy.config.ts: ${message}`);
  };
  for (const [id, { type }] of Object.entries(config.resources)) {
    if (!RESOURCE_TYPES.includes(type)) {
      fail(
        `resource "${id}" has type "${type}"; known: ${RESOURCE_TYPES.join(", ")}`,
      );
    }
  }
  const workers = Object.values(config.resources).filter(isWorker);
  if (workers.length !== 1) {
    fail(
      `one resource must be a worker, not ${workers.length}: a second Worker is a second app`,
    );
  }
  const names = Object.keys(config.profiles);
  if (names.length === 0) fail("no profile: define at least staging");

  const owners = new Map<string, string>();
  for (const [name, profile] of Object.entries(config.profiles)) {
    if (!/^[a-z][a-z0-9-]*$/.test(name) || name.startsWith("dev-")) {
      fail(`"${name}" is no name for a profile: lower case, not dev-…`);
    }
    for (const id of Object.keys(profile.names ?? {})) {
      if (!(id in config.resources)) {
        fail(`profile "${name}" names "${id}", which is no resource`);
      }
    }
    const { domain } = profile;
    if (domain !== undefined && owners.has(domain)) {
      fail(
        `profiles "${owners.get(domain)}" and "${name}" share the domain ${domain}`,
      );
    }
    if (domain !== undefined) owners.set(domain, name);
    const protection = checkProtectionOf(config, name, profile);
    if (protection !== undefined) fail(`profile "${name}" ${protection}`);
    for (const worker of [
      workerName(config, { name, profile, personal: false }),
      stateService(config, name),
    ]) {
      if (worker.length > LONGEST_NAME) {
        fail(
          `the Worker name ${worker} is longer than ${LONGEST_NAME} characters`,
        );
      }
    }
  }
  return config;
}

const MOST_REVIEWERS = 6;
/** Thirty days. */
const LONGEST_WAIT_MINUTES = 43_200;

/** What GitHub takes. */
const SECRET_NAME = /^(?!GITHUB_)[A-Z_][A-Z0-9_]*$/i;

/** What is wrong with the secrets and rules that a profile wants on GitHub. */
function checkProtectionOf(
  config: Config,
  name: string,
  profile: Profile,
): string | undefined {
  const { preventSelfReview, branches, secrets = [] } = profile;
  const odd = secrets.find((secret) => !SECRET_NAME.test(secret));
  if (odd !== undefined) {
    return `has a secret "${odd}"; GitHub takes letters, digits and _, first no digit, and not GITHUB_`;
  }
  const rules = checkRules(profile);
  if (rules !== undefined) return rules;
  if (branches !== undefined && !branches.includes(MAIN)) {
    return `has \`branches\` without ${MAIN}, the only one that is ever promoted`;
  }
  if (new Set(branches).size < (branches?.length ?? 0)) {
    return "names a branch twice";
  }
  const approval =
    profile.reviewers ?? preventSelfReview ?? profile.waitMinutes ?? branches;
  return approval !== undefined && !isPromoted(config, name)
    ? "gets every push to main, so it takes no reviewers, preventSelfReview, waitMinutes or branches"
    : undefined;
}

/** What is wrong with the reviewers or the wait, wherever they were given. */
export function checkRules({
  reviewers,
  waitMinutes = 0,
}: Pick<Profile, "reviewers" | "waitMinutes">): string | undefined {
  return wrongReviewers(reviewers) ?? wrongWait(waitMinutes);
}

function wrongReviewers(
  reviewers: readonly string[] | undefined,
): string | undefined {
  if (reviewers === undefined) return undefined;
  if (reviewers.length === 0) {
    return "has `reviewers` with nobody in it: leave it out to keep whoever is set on GitHub";
  }
  const odd = reviewers.find((r) => !/^\w[\w.-]*(\/\w[\w.-]*)?$/.test(r));
  if (odd !== undefined) {
    return `has a reviewer "${odd}", which is neither a login nor organisation/team`;
  }
  const known = new Set(reviewers.map((reviewer) => reviewer.toLowerCase()));
  if (known.size < reviewers.length) return "names a reviewer twice";
  if (reviewers.length > MOST_REVIEWERS) {
    return `has ${reviewers.length} reviewers; GitHub takes up to ${MOST_REVIEWERS}`;
  }
  return undefined;
}

function wrongWait(waitMinutes: number): string | undefined {
  const possible =
    Number.isInteger(waitMinutes) &&
    waitMinutes >= 0 &&
    waitMinutes <= LONGEST_WAIT_MINUTES;
  return possible
    ? undefined
    : `waits ${waitMinutes} minutes; GitHub takes 0 to ${LONGEST_WAIT_MINUTES}`;
}

export const isWorker = (resource: Resource): resource is WorkerResource =>
  resource.type === "worker";

/** The environment of that name; only the names in alchemy.config.ts exist. */
export function environmentNamed(config: Config, name: string): Environment {
  const profile = Object.hasOwn(config.profiles, name)
    ? config.profiles[name]
    : undefined;
  if (profile === undefined) {
    throw new UsageError(
      `unknown environment "${name}"; alchemy.config.ts defines: ${Object.keys(config.profiles).join(", ")}`,
    );
  }
  return { name, profile, personal: false };
}

/**
 * The environment that an `alchemy` command line means. To Alchemy, --profile chooses credentials and --stage the set
 * of resources; here both mean the environment, so that `alchemy deploy --profile staging` cannot end in another one.
 */
export function environmentFromArguments(
  config: Config,
  argv: readonly string[],
  env: Variables,
): Environment {
  const stage = option(argv, "--stage");
  const profile = option(argv, "--profile");
  if (stage !== undefined && profile !== undefined && stage !== profile) {
    throw new UsageError(
      `--stage ${stage} and --profile ${profile} are two different environments`,
    );
  }
  const own = personalEnvironment(config, env);
  const name = stage ?? profile;
  if (argv.includes("--dev")) return own;
  if (name !== undefined) {
    return name === own.name && !env.CI ? own : environmentNamed(config, name);
  }
  if (env.CI) {
    throw new UsageError(
      `which environment? Add --profile ${Object.keys(config.profiles).join(" or --profile ")}`,
    );
  }
  return own;
}

/** The first profile's variables and secrets, without its domain, account and existing resources. */
function personalEnvironment(config: Config, env: Variables): Environment {
  const user = (env.USER ?? env.USERNAME ?? userInfo().username)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 12);
  const { vars, secrets } = environmentNamed(
    config,
    firstProfile(config),
  ).profile;
  return {
    name: `dev-${user || "local"}`,
    profile: {
      ...(vars !== undefined && { vars }),
      ...(secrets !== undefined && { secrets }),
    },
    personal: true,
  };
}

function option(argv: readonly string[], name: string): string | undefined {
  const at = argv.findIndex((a) => a === name || a.startsWith(`${name}=`));
  const found = argv[at];
  if (found === undefined) return undefined;
  const value = found === name ? argv[at + 1] : found.slice(name.length + 1);
  if (!value) throw new UsageError(`${name} needs the name of an environment`);
  return value;
}

/** The profile that every push to main goes to, and that the others are promoted from. */
export function firstProfile(config: Config): string {
  const [first] = Object.keys(config.profiles);
  if (first === undefined) {
    throw new UsageError("alchemy.config.ts: no profile");
  }
  return first;
}

/** Whether an environment needs a proof, a reviewer and a release without exposure. */
export const isPromoted = (config: Config, name: string): boolean =>
  name !== firstProfile(config);

/**
 * The variables of an environment: those that are set, then .env.<name>. What bun has loaded from .env, which is for
 * the personal environment, does not count as set: its token must not deploy prod.
 */
export function variablesOf(
  name: string,
  env: Variables,
  folder = appRoot,
): Variables {
  const personal = readVariables(".env", folder);
  const own = Object.entries(readVariables(`.env.${name}`, folder)).filter(
    ([key, value]) => value && (!env[key] || env[key] === personal[key]),
  );
  return { ...env, ...Object.fromEntries(own) };
}

/** What a file of variables in the app's folder holds; nothing where there is none. */
export function readVariables(file: string, folder = appRoot): Variables {
  const path = join(folder, file);
  return existsSync(path) ? parseEnv(readFileSync(path, "utf8")) : {};
}

export const thresholdsOf = (profile: Profile): Thresholds => ({
  ...DEFAULT_THRESHOLDS,
  ...profile.thresholds,
});

export const healthPath = (config: Config): string =>
  config.health?.path ?? "/health";

/** The id of the one Worker. */
export const workerId = (config: Config): string => theWorker(config).id;

/** The module of the one Worker. */
export const workerScript = (config: Config): string =>
  theWorker(config).script;

function theWorker(config: Config): { id: string; script: string } {
  for (const [id, resource] of Object.entries(config.resources)) {
    if (isWorker(resource)) return { id, script: resource.script };
  }
  throw new UsageError("alchemy.config.ts: no resource is a worker");
}

export const workerName = (config: Config, environment: Environment): string =>
  resourceName(config, workerId(config), environment);

/** The name of a resource on Cloudflare: one for each environment. */
export const resourceName = (
  config: Config,
  id: string,
  { name, profile }: Environment,
): string =>
  profile.names?.[id] ?? `${config.name}-${id}-${name}`.toLowerCase();

/** The Worker that keeps Alchemy's state: one for each app and environment, since each has its own token. */
export const stateService = (config: Config, name: string): string =>
  `${config.name}-state-${name}`.toLowerCase();

/** The name that the Worker sees: cacheStore → CACHE_STORE. */
export const bindingName = (id: string): string =>
  id
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[^A-Za-z0-9]+/g, "_")
    .toUpperCase();

export const githubEnvironment = (config: Config, name: string): string =>
  `${name}${config.suffix ?? ""}`;

export const workflowFile = (config: Config, workflow: string): string =>
  `${workflow}${config.suffix ?? ""}.yml`;

/** The variable of the repository that turns promotion on push on. */
export const promotionVariable = (config: Config): string =>
  `PROMOTION${(config.suffix ?? "").toUpperCase().replaceAll("-", "_")}`;

/** owner/name on GitHub, or undefined before the app has a repository there. */
export function repositoryOf(
  config: Config,
  env: Variables,
): string | undefined {
  const remote = git("remote", "get-url", "origin")?.match(
    /[/:]([^/:]+\/[^/]+?)(?:\.git)?\/?$/,
  );
  return env.GITHUB_REPOSITORY || config.repository || remote?.[1];
}

/** An app that is in no repository yet; any later owner of that name may claim its Worker. */
export const UNPUBLISHED = "unpublished";

/**
 * Which app a Worker belongs to, as owner/repo:folder. Every Worker carries it as the binding APP_ID, so that a deploy
 * notices when a Worker of the same name is somebody else's.
 */
export function appId(config: Config, env: Variables): string {
  const repository =
    config.repository ?? repositoryOf(config, env) ?? UNPUBLISHED;
  const folder = git("rev-parse", "--show-prefix")?.replace(/\/$/, "");
  return `${repository.toLowerCase()}:${folder || "."}`;
}

/** The release that the working tree is: the commit, with -dirty when files differ from it. */
export function currentVersion(env: Variables): string {
  if (env.APP_VERSION) return env.APP_VERSION;
  const commit = git("rev-parse", "HEAD");
  if (commit === undefined) return "unversioned";
  return git("status", "--porcelain", "--", ".") ? `${commit}-dirty` : commit;
}

/** What git prints in the app's folder, or undefined where it fails (no git, no repository, no commit). */
export function git(...args: string[]): string | undefined {
  try {
    return execFileSync("git", args, {
      cwd: appRoot,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return undefined;
  }
}
