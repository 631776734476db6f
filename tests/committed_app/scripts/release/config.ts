/**
 * The shape of alchemy.config.ts, and the names that follow from it.
 *
 * Nothing that releases or rolls back needs `bun install`: both work in a fresh clone.
 */
import { existsSync, readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";

export interface WorkerResource {
  type: "worker";
  /** The module that exports the Worker. */
  script: string;
}

export interface Database {
  type: "d1";
  /** A folder of SQL files: each deploy applies those that are new, in the order of their names. */
  migrations?: string;
}

export type Resource = WorkerResource | Database | { type: "kv" | "r2" };

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

/** A path that is asked beside the health check. */
export interface Smoke {
  path: string;
  /** 200, if none is given. */
  status?: number;
  /** A text that the answer must hold. */
  contains?: string;
}

export interface Profile {
  /** The custom domain; without one the environment lives on workers.dev. */
  domain?: string;
  /** The Cloudflare account; without one CLOUDFLARE_ACCOUNT_ID says it. */
  account?: string;
  /** Whether Cloudflare Access stands in front of it: the release check needs a service token there. */
  access?: boolean;
  /** Plain-text bindings. */
  vars?: Record<string, string>;
  /** Names of secret bindings. Their values come from variables of the same name when the app is deployed. */
  secrets?: readonly string[];
  /** Resources that exist already, by resource id: they are used as they are, and never replaced by empty ones. */
  names?: Record<string, string>;
  thresholds?: Partial<Thresholds>;
  /** How long the check goes on after the switch, as in "10m" or "90s", up to 30 minutes; a release that fails then is rolled back. */
  watch?: string;
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
  /**
   * What the release check asks. The answer names the release, as JSON: `version` is APP_VERSION, or `worker` the id in
   * CF_VERSION_METADATA. With `reports: "status"` an answer that names none is enough.
   */
  health?: { path?: string; reports?: "version" | "status" };
  /** What else must answer, before the switch and after it. */
  smoke?: readonly Smoke[];
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

type Told<E> = (text: TemplateStringsArray, ...values: unknown[]) => E;

export const misuse: Told<UsageError> = (text, ...values) =>
  new UsageError(String.raw({ raw: text }, ...values));

export const refusal: Told<Refusal> = (text, ...values) =>
  new Refusal(String.raw({ raw: text }, ...values));

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

/** The environment of that name; only the names in alchemy.config.ts exist. */
export function environmentNamed({ profiles }: Config, name: string) {
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (profile !== undefined) return { name, profile, personal: false };
  throw misuse`unknown environment "${name}"; alchemy.config.ts defines: ${Object.keys(profiles).join(", ")}`;
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
  if (stage !== undefined && profile !== undefined && stage !== profile)
    throw misuse`--stage ${stage} and --profile ${profile} are two different environments`;
  const own = personalEnvironment(config, env);
  const name = stage ?? profile;
  if (argv.includes("--dev") || (name === own.name && !env.CI)) return own;
  if (name !== undefined) return environmentNamed(config, name);
  if (!env.CI) return own;
  throw misuse`which environment? Add --profile ${Object.keys(config.profiles).join(" or --profile ")}`;
}

/** The first profile's variables and secrets, without its domain, account and existing resources. */
function personalEnvironment(config: Config, env: Variables): Environment {
  const user = (env.USER ?? env.USERNAME ?? userInfo().username)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 12);
  const { vars, secrets } = config.profiles[firstProfile(config)] ?? {};
  return {
    name: `dev-${user || "local"}`,
    profile: { ...(vars && { vars }), ...(secrets && { secrets }) },
    personal: true,
  };
}

function option(argv: readonly string[], name: string): string | undefined {
  const at = argv.findIndex((a) => a === name || a.startsWith(`${name}=`));
  if (at < 0) return undefined;
  const value =
    argv[at] === name ? argv[at + 1] : argv[at]?.slice(name.length + 1);
  if (!value) throw misuse`${name} needs the name of an environment`;
  return value;
}

/** The profile that every push to main goes to, and that the others are promoted from. */
export function firstProfile(config: Config): string {
  const [first] = Object.keys(config.profiles);
  if (first !== undefined) return first;
  throw misuse`alchemy.config.ts: no profile`;
}

/** Whether an environment needs a proof, a reviewer and a release without exposure. */
export const isPromoted = (config: Config, name: string): boolean =>
  name !== firstProfile(config);

/**
 * The variables of an environment: those that are set, then .env.<name>. What bun has loaded from .env, which is for
 * the personal environment, does not count as set: its token must not deploy prod.
 */
export function variablesOf(name: string, env: Variables, folder = appRoot) {
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

/** The names of an environment's secrets on GitHub. */
export const secretsOf = ({ secrets = [], access }: Profile): string[] => [
  "CLOUDFLARE_API_TOKEN",
  "ALCHEMY_STATE_TOKEN",
  ...(access ? ["CF_ACCESS_CLIENT_ID", "CF_ACCESS_CLIENT_SECRET"] : []),
  ...(secrets.length > 0 ? ["ALCHEMY_PASSWORD"] : []),
  ...secrets,
];

/** The branches that may deploy to a promoted environment. */
export const branchesOf = ({ branches = [MAIN] }: Profile): string[] =>
  branches;

export const healthPath = (config: Config): string =>
  config.health?.path ?? "/health";

export const workerId = (config: Config): string => theWorker(config).id;

export const workerScript = (config: Config): string =>
  theWorker(config).script;

/** The one Worker. */
function theWorker({ resources }: Config): { id: string; script: string } {
  for (const [id, resource] of Object.entries(resources)) {
    if (resource.type === "worker") return { id, script: resource.script };
  }
  throw misuse`alchemy.config.ts: no resource is a worker`;
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

/** What makes a database apply its migrations. */
export function migrationsOf({ resources }: Config, id: string) {
  const resource = resources[id];
  if (resource?.type !== "d1" || !resource.migrations) return {};
  const migrationsDir = resource.migrations;
  if (existsSync(join(appRoot, migrationsDir))) return { migrationsDir };
  throw misuse`alchemy.config.ts: "${id}" has migrations in ${migrationsDir}, where there is no folder`;
}

/** The Worker that keeps Alchemy's state: one for each app and environment, since each has its own token. */
export const stateService = (config: Config, name: string): string =>
  `${config.name}-state-${name}`.toLowerCase();

/** The name that the Worker sees: cacheStore → CACHE_STORE. */
export const bindingName = (id: string): string =>
  id
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[^A-Za-z0-9]+/g, "_")
    .toUpperCase();

export const githubEnvironment = (
  { suffix = "" }: Config,
  name: string,
): string => name + suffix;

export const workflowFile = (
  { suffix = "" }: Config,
  workflow: string,
): string => `${workflow}${suffix}.yml`;

/** The variable of the repository that turns promotion on push on. */
export const promotionVariable = ({ suffix = "" }: Config): string =>
  `PROMOTION${suffix.toUpperCase().replaceAll("-", "_")}`;
