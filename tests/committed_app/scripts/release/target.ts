/** One environment, with everything that a command on it needs. */
import { userInfo } from "node:os";
import { join } from "node:path";
import { Cloudflare, Worker } from "./cloudflare.ts";
import {
  type Config,
  type Environment,
  type Variables,
  appRoot,
  environmentNamed,
  misuse,
  refusal,
  variablesOf,
  workerName,
} from "./config.ts";
import { type GitHub, githubFor } from "./github.ts";
import { summary } from "./tell.ts";

/** An environment with its variables. */
export interface Place {
  config: Config;
  environment: Environment;
  env: Variables;
}

export interface Target extends Place {
  worker: Worker;
  url: string;
  github: GitHub | undefined;
  /** Between two requests of the check, and between two rounds of the watch after a switch. */
  pauses: { checkMs: number; watchMs: number };
  reportFolder: string;
  /** Builds and uploads the working tree; `uploadOnly` leaves the requests where they are. */
  build: (uploadOnly: boolean, stop: AbortSignal) => Promise<void>;
  /** Where what happens is told; a test listens here. */
  tell: (...paragraphs: string[]) => void;
}

export async function targetNamed(
  config: Config,
  name: string,
  variables: Variables,
): Promise<Target> {
  const environment = environmentNamed(config, name);
  const env = variablesOf(name, variables);
  const place = { config, environment, env };
  return {
    ...place,
    worker: workerFor(place),
    url: await environmentUrl(place),
    github: githubFor(config, env),
    pauses: { checkMs: 1000, watchMs: 5000 },
    reportFolder: join(appRoot, "release-report"),
    build: (uploadOnly, stop) => deployWorkingTree(name, env, uploadOnly, stop),
    tell: summary,
  };
}

/** Who acts, as the messages of deployments tell it. */
export const actor = (env: Variables): string =>
  env.GITHUB_ACTOR ?? userInfo().username;

/** The account of an environment: from its profile, or CLOUDFLARE_ACCOUNT_ID; both must not disagree. */
export function accountOf({ name, profile }: Environment, env: Variables) {
  const { account } = profile;
  const given = env.CLOUDFLARE_ACCOUNT_ID;
  if (account && given && account !== given)
    throw misuse`CLOUDFLARE_ACCOUNT_ID is not the account of ${name} in alchemy.config.ts`;
  const id = account ?? given;
  if (id) return id;
  throw misuse`no Cloudflare account for ${name}: set \`account\` in its profile in alchemy.config.ts`;
}

/** A client for an environment's account. CLOUDFLARE_BASE_URL is the variable that Alchemy reads, too. */
export function cloudflareFor(environment: Environment, env: Variables) {
  const account = accountOf(environment, env);
  const { CLOUDFLARE_API_TOKEN: token, CLOUDFLARE_BASE_URL: url } = env;
  if (token) return new Cloudflare(account, token, url);
  throw misuse`no CLOUDFLARE_API_TOKEN for ${environment.name}: set it, or write it into .env.${environment.name}`;
}

/** An environment's Worker. */
export const workerFor = ({ config, environment, env }: Place): Worker =>
  new Worker(cloudflareFor(environment, env), workerName(config, environment));

/** Where the environment is reached; APP_URL stands in for it, as when a test serves the app somewhere else. */
export async function environmentUrl({ config, environment, env }: Place) {
  if (env.APP_URL) return env.APP_URL.replace(/\/$/, "");
  const { domain } = environment.profile;
  if (domain !== undefined) return `https://${domain}`;
  const subdomain = await cloudflareFor(environment, env).subdomain();
  return `https://${workerName(config, environment)}.${subdomain}.workers.dev`;
}

/** Runs the deploy command of the app. */
async function deployWorkingTree(
  stage: string,
  env: Variables,
  uploadOnly: boolean,
  stop: AbortSignal,
): Promise<void> {
  const { GITHUB_TOKEN: _, GH_TOKEN: __, ...inherited } = env;
  const child = Bun.spawn(
    [process.execPath, "run", "deploy", "--stage", stage],
    {
      cwd: appRoot,
      env: { ...inherited, RELEASE_UPLOAD_ONLY: uploadOnly ? "1" : "0" },
      stdout: "inherit",
      stderr: "inherit",
      signal: stop,
    },
  );
  const code = await child.exited;
  stop.throwIfAborted();
  if (code !== 0) throw refusal`The deploy command failed (exit ${code}).`;
}
