/**
 * What `alchemy deploy`, `alchemy dev` and `alchemy destroy` run. It makes what alchemy.config.ts describes; touch it
 * when you add a type of resource.
 */
import alchemy, { Scope } from "alchemy";
import {
  type Bindings,
  D1Database,
  KVNamespace,
  R2Bucket,
  VersionMetadata,
  Worker,
  createCloudflareApi,
} from "alchemy/cloudflare";
import { CloudflareStateStore } from "alchemy/state";
import written from "./alchemy.config.ts";
import { appId, currentVersion } from "./scripts/release/checkout.ts";
import {
  type Config,
  type Environment,
  Refusal,
  UsageError,
  bindingName,
  environmentFromArguments,
  migrationsOf,
  resourceName,
  stateService,
  variablesOf,
  workerId,
  workerName,
  workerScript,
} from "./scripts/release/config.ts";
import {
  mayAdoptData,
  ownsExistingWorker,
} from "./scripts/release/ownership.ts";
import { accountOf, cloudflareFor } from "./scripts/release/target.ts";
import { validateConfig } from "./scripts/release/validate.ts";

// A config without `defineConfig` has wider types; validateConfig checks what they leave open.
const config = written as Config;

/** What Alchemy says with a stack, and what to do about it here. */
const KNOWN: readonly (readonly [string, string])[] = [
  [
    "[CloudflareStateStore] The token is invalid",
    "ALCHEMY_STATE_TOKEN is not the one of this environment's state: docs/PROMOTION.md, “The state token”, says where to get it.",
  ],
  [
    "Cannot deserialize secret without password",
    "ALCHEMY_PASSWORD is not set, and the state of this environment still holds secrets that it encrypts: keep it set after the last secret is gone.",
  ],
];

const dev = process.argv.includes("--dev");
const destroying = process.argv.includes("--destroy");

// On the command line --profile means the environment; the credentials come from variables or `alchemy login`.
const profile = process.env.ALCHEMY_PROFILE ?? "default";

const environment = await prepare().catch(explain);
const adopt = await ownsWorker().catch(explain);

const app = await alchemy(config.name, {
  stage: environment.name,
  profile,
  adopt: false,
  noTrack: true,
  ...(!environment.personal && {
    stateStore: (scope: Scope) =>
      new CloudflareStateStore(scope, {
        scriptName: stateService(config, environment.name),
      }),
  }),
}).catch(explain);

const version = currentVersion(process.env);
const bindings: Bindings = {
  ...(await dataBindings().catch(explain)),
  ...environment.profile.vars,
  ...secretBindings(),
  ENVIRONMENT: environment.name,
  APP_ID: appId(config, process.env),
  APP_VERSION: version,
  CF_VERSION_METADATA: VersionMetadata(),
};

// `release` uploads first and switches after its check. Not with Durable Objects: Alchemy leaves their migrations out
// of an uploaded version.
const uploadOnly =
  process.env.RELEASE_UPLOAD_ONLY === "1" && !hasDurableObjects(bindings);

const { domain } = environment.profile;
const worker = await Worker(workerId(config), {
  name: workerName(config, environment),
  entrypoint: workerScript(config),
  // The behaviour of the Workers runtime that the app was tested with; left out, it would change unasked.
  compatibilityDate: "2026-07-01",
  bindings,
  adopt,
  delete: environment.personal,
  dev: { port: Number(process.env.PORT ?? 8787) },
  ...(domain === undefined ? { url: true } : { url: false, domains: [domain] }),
  ...(uploadOnly && { version: version.slice(0, 12) }),
}).catch(explain);

await app.finalize();
console.log(
  `${environment.name}: ${uploadOnly ? "uploaded, not live" : (worker.url ?? `https://${domain}`)}`,
);

/** Which environment this is about, with everything checked that can be checked without Cloudflare. */
async function prepare(): Promise<Environment> {
  const found = environmentFromArguments(
    validateConfig(config),
    process.argv.slice(2),
    process.env,
  );
  Object.assign(process.env, variablesOf(found.name, process.env));
  if (dev) allowDevWithoutAccount();
  else if (found.personal) await checkCredentials(found);
  else checkNamedEnvironment(found);
  checkSecrets(found);
  return found;
}

/** Asked before the state store is opened, whose Worker is named after the app, too. */
async function ownsWorker(): Promise<boolean> {
  const cloudflare = client();
  return cloudflare === undefined
    ? false
    : ownsExistingWorker(config, environment, cloudflare, process.env);
}

async function dataBindings(): Promise<Bindings> {
  const found: Bindings = {};
  for (const [id, { type }] of Object.entries(config.resources)) {
    if (type === "worker") continue;
    const name = resourceName(config, id, environment);
    const common = {
      adopt: await ownsData(id),
      // A resource that leaves the config, or an old commit that never had it, must not take users' data along.
      delete: environment.personal,
    };
    const binding = bindingName(id);
    if (type === "kv") {
      found[binding] = await KVNamespace(id, { title: name, ...common });
    } else if (type === "d1") {
      const migrations = migrationsOf(config, id);
      found[binding] = await D1Database(id, { name, ...migrations, ...common });
    } else {
      found[binding] = await R2Bucket(id, { name, ...common });
    }
  }
  return found;
}

/**
 * Only a resource that Alchemy's state does not know yet raises the question whether it is this app's. One that Alchemy
 * began to make is: a deploy that was interrupted there is repeated.
 */
async function ownsData(id: string): Promise<boolean> {
  const cloudflare = client();
  if (cloudflare === undefined) return false;
  const known = await Scope.current.state.get(id);
  return known === undefined
    ? mayAdoptData(config, id, environment, cloudflare)
    : known.status === "creating";
}

function secretBindings(): Bindings {
  const names = environment.profile.secrets ?? [];
  return Object.fromEntries(
    names.map((name) => [name, alchemy.secret(process.env[name])]),
  );
}

function checkNamedEnvironment(named: Environment): void {
  if (destroying) {
    throw new UsageError(
      `${named.name} is not destroyed by a command: remove its Worker and data in Cloudflare's dashboard`,
    );
  }
  cloudflareFor(named, process.env);
  process.env.CLOUDFLARE_ACCOUNT_ID = accountOf(named, process.env);
  // With an API key Alchemy would ignore the token, and CLOUDFLARE_BASE_URL.
  delete process.env.CLOUDFLARE_API_KEY;
  if (!process.env.ALCHEMY_STATE_TOKEN) {
    throw new UsageError(
      `no ALCHEMY_STATE_TOKEN for ${named.name}: write it into .env.${named.name} (docs/PROMOTION.md, “The state token”)`,
    );
  }
}

/** Alchemy itself would say it with a stack, in the middle of the deploy. */
async function checkCredentials({ name }: Environment): Promise<void> {
  await createCloudflareApi({ profile }).catch((error: unknown) => {
    if (!String(error).includes("No credentials found")) throw error;
    throw new UsageError(
      `no Cloudflare credentials for ${name}: run \`bun run alchemy login\`, or copy .env.example to .env and fill it in. \`bun run dev\` needs none`,
    );
  });
}

function checkSecrets({ name, profile }: Environment): void {
  const secrets = profile.secrets ?? [];
  if (secrets.length === 0 || destroying) return;
  const missing = [...secrets, "ALCHEMY_PASSWORD"].filter(
    (secret) => !process.env[secret],
  );
  if (missing.length > 0) {
    throw new UsageError(`not set for ${name}: ${missing.join(", ")}`);
  }
}

/** Alchemy makes a Cloudflare client even where everything runs locally, and wants a state store in CI. */
function allowDevWithoutAccount(): void {
  process.env.ALCHEMY_CI_STATE_STORE_CHECK ??= "false";
  process.env.CLOUDFLARE_API_TOKEN ||= "local";
  process.env.CLOUDFLARE_ACCOUNT_ID ||= "local";
}

/** Cloudflare, where there is a token to ask it with: not in `alchemy dev`, nor after a mere `alchemy login`. */
function client() {
  const { CLOUDFLARE_API_TOKEN, CLOUDFLARE_ACCOUNT_ID } = process.env;
  return dev || !CLOUDFLARE_API_TOKEN || !CLOUDFLARE_ACCOUNT_ID
    ? undefined
    : cloudflareFor(environment, process.env);
}

function hasDurableObjects(all: Bindings): boolean {
  return Object.values(all).some(
    (binding) =>
      typeof binding === "object" &&
      "type" in binding &&
      binding.type === "durable_object_namespace",
  );
}

/** A mistake in the command or the config, and what Cloudflare refuses, is told in one sentence. */
function explain(error: unknown): never {
  if (error instanceof Refusal || error instanceof UsageError) {
    console.error(error.message);
    process.exit(error instanceof UsageError ? 2 : 1);
  }
  const { message } = error instanceof Error ? error : new Error(String(error));
  const known = KNOWN.find(([part]) => message.includes(part))?.[1];
  if (known === undefined) throw error;
  console.error(known);
  process.exit(2);
}
