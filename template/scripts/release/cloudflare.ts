{%- if compiler_settings == "app" -%}
// @ts-nocheck The flags in tsconfig.json are the app's.
{% endif -%}
/**
 * The few calls of Cloudflare's API that releases need, and what follows from their answers: which release is live, and
 * which ones came before. Cloudflare's own list of deployments is the ledger; nothing is kept anywhere else.
 */
import {
  type Config,
  type Environment,
  Refusal,
  UNPUBLISHED,
  UsageError,
  type Variables,
  appId,
  resourceName,
  workerId,
  workerName,
} from "./config.ts";

export interface Share {
  version_id: string;
  /** Of the requests, 0 to 100. */
  percentage: number;
}

export interface Deployment {
  id: string;
  created_on: string;
  author_email?: string;
  annotations?: Record<string, string>;
  versions: Share[];
}

interface Binding {
  type: string;
  name: string;
  text?: string;
}

/** An uploaded version of the Worker, and what it is bound to. */
export interface Version {
  id: string;
  number?: number;
  resources: { bindings?: Binding[] };
}

/** One release: a Cloudflare version and the commit it was built from. */
export interface Release {
  versionId: string;
  commit: string;
}

/** A release, and since when and by whom it is, or was, the live one. */
export interface LiveSince extends Release {
  when: string;
  who: string;
}

/** A line of the ledger. */
export interface LedgerEntry extends LiveSince {
  /** What `rollback` calls it: live, previous, latest-N; or "rolled back", which only its commit or version names. */
  state: string;
}

interface Answer<T> {
  success: boolean;
  result: T;
  errors?: { code: number; message: string }[];
}

export class CloudflareError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly codes: readonly number[],
  ) {
    super(message);
  }
}

/** A secret of the Worker changed after the version was uploaded; Cloudflare asks for `force`. */
export const SECRET_CHANGED = 10220;

/** Cloudflare lists a Worker's latest deployments, at least as many as these. */
const LISTED = 10;

const ATTEMPTS = 4;
/** Stands for a status where there was none. */
const NO_ANSWER = 0;

export class Cloudflare {
  private readonly versions = new Map<string, Promise<Version>>();

  constructor(
    private readonly account: string,
    private readonly token: string,
    private readonly baseUrl: string,
    private readonly pauseMs = 1000,
  ) {}

  /** All deployments that Cloudflare still tells, newest first; empty when the Worker does not exist. */
  async deployments(worker: string): Promise<Deployment[]> {
    const answer = await this.optional<{ deployments: Deployment[] }>(
      `/workers/scripts/${worker}/deployments`,
    );
    return answer?.deployments ?? [];
  }

  version(worker: string, id: string): Promise<Version> {
    const key = `${worker}/${id}`;
    const known = this.versions.get(key);
    if (known !== undefined) return known;
    const asked = this.get<Version>(
      `/workers/scripts/${worker}/versions/${id}`,
    );
    this.versions.set(key, asked);
    return asked;
  }

  async release(worker: string, versionId: string): Promise<Release> {
    return releaseOf(await this.version(worker, versionId));
  }

  /** The versions that can be deployed, newest first. */
  async deployableVersions(worker: string): Promise<{ id: string }[]> {
    const { items } = await this.get<{ items: { id: string }[] }>(
      `/workers/scripts/${worker}/versions?deployable=true`,
    );
    return items;
  }

  /** The newest deployable version that was built from a commit, given in full or by its beginning. */
  async findCommit(
    worker: string,
    commit: string,
  ): Promise<Release | undefined> {
    for (const { id } of await this.deployableVersions(worker)) {
      const release = await this.release(worker, id);
      if (release.commit.startsWith(commit)) return release;
    }
    return undefined;
  }

  /** Decides, in one atomic step, which versions get which share of the requests. */
  deploy(
    worker: string,
    versions: readonly Share[],
    message: string,
    force = false,
  ): Promise<Deployment> {
    return this.call<Deployment>(
      "POST",
      `/workers/scripts/${worker}/deployments${force ? "?force=true" : ""}`,
      {
        strategy: "percentage",
        versions,
        annotations: { "workers/message": message.slice(0, 100) },
      },
    );
  }

  /** The bindings of a Worker as it is now, or undefined when there is none of that name. */
  async bindings(worker: string): Promise<Binding[] | undefined> {
    const settings = await this.optional<{ bindings?: Binding[] }>(
      `/workers/scripts/${worker}/settings`,
    );
    return settings && (settings.bindings ?? []);
  }

  /** The account's part of workers.dev. */
  async subdomain(): Promise<string> {
    return (await this.get<{ subdomain: string }>("/workers/subdomain"))
      .subdomain;
  }

  async dataResourceExists(
    type: "kv" | "d1" | "r2",
    name: string,
  ): Promise<boolean> {
    const encoded = encodeURIComponent(name);
    switch (type) {
      case "kv":
        return this.namespaceExists(name);
      case "d1": {
        const found = await this.get<{ name: string }[]>(
          `/d1/database?name=${encoded}&per_page=100`,
        );
        return found.some((database) => database.name === name);
      }
      case "r2":
        return (await this.optional(`/r2/buckets/${encoded}`)) !== undefined;
    }
  }

  private async namespaceExists(title: string): Promise<boolean> {
    for (let page = 1; ; page++) {
      const namespaces = await this.get<{ title: string }[]>(
        `/storage/kv/namespaces?per_page=100&page=${page}`,
      );
      if (namespaces.some((namespace) => namespace.title === title)) {
        return true;
      }
      if (namespaces.length < 100) return false;
    }
  }

  private get<T>(path: string): Promise<T> {
    return this.call<T>("GET", path);
  }

  private optional<T>(path: string): Promise<T | undefined> {
    return this.get<T>(path).catch((error: unknown) => {
      if (error instanceof CloudflareError && error.status === 404) {
        return undefined;
      }
      throw error;
    });
  }

  /** Repeats what Cloudflare may have dropped: each of these calls says what shall be, so twice is as good as once. */
  private async call<T>(
    method: "GET" | "POST",
    path: string,
    body?: unknown,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.once<T>(method, path, body);
      } catch (error) {
        const passing =
          error instanceof CloudflareError &&
          (error.status === NO_ANSWER ||
            error.status === 429 ||
            error.status >= 500);
        if (!passing || attempt === ATTEMPTS) throw error;
        await Bun.sleep(this.pauseMs * attempt);
      }
    }
  }

  private async once<T>(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<T> {
    const response = await fetch(
      `${this.baseUrl}/accounts/${this.account}${path}`,
      {
        method,
        signal: AbortSignal.timeout(30_000),
        headers: {
          authorization: `Bearer ${this.token}`,
          "content-type": "application/json",
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      },
    ).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new CloudflareError(`no answer (${why})`, NO_ANSWER, []);
    });
    const answer = (await response.json().catch(() => undefined)) as
      Answer<T> | undefined;
    if (response.ok && answer?.success) return answer.result;
    const errors = answer?.errors ?? [];
    const refused = [401, 403].includes(response.status)
      ? ` (CLOUDFLARE_API_TOKEN is wrong, or may not do this in the account ${this.account})`
      : "";
    throw new CloudflareError(
      (errors.map((e) => `[${e.code}] ${e.message}`).join("; ") ||
        `HTTP ${response.status}`) + refused,
      response.status,
      errors.map((e) => e.code),
    );
  }
}

/** The account of an environment: from its profile, or CLOUDFLARE_ACCOUNT_ID; both must not disagree. */
export function accountOf(environment: Environment, env: Variables): string {
  const { account } = environment.profile;
  const given = env.CLOUDFLARE_ACCOUNT_ID;
  if (account && given && account !== given) {
    throw new UsageError(
      `CLOUDFLARE_ACCOUNT_ID is not the account of ${environment.name} in alchemy.config.ts`,
    );
  }
  const id = account ?? given;
  if (!id) {
    throw new UsageError(
      `no Cloudflare account for ${environment.name}: set \`account\` in its profile in alchemy.config.ts`,
    );
  }
  return id;
}

/** A client for an environment's account. CLOUDFLARE_BASE_URL is the variable that Alchemy reads, too. */
export function cloudflareFor(
  environment: Environment,
  env: Variables,
): Cloudflare {
  const account = accountOf(environment, env);
  if (!env.CLOUDFLARE_API_TOKEN) {
    throw new UsageError(
      `no CLOUDFLARE_API_TOKEN for ${environment.name}: set it, or write it into .env.${environment.name}`,
    );
  }
  const baseUrl =
    env.CLOUDFLARE_BASE_URL ?? "https://api.cloudflare.com/client/v4";
  return new Cloudflare(account, env.CLOUDFLARE_API_TOKEN, baseUrl);
}

/** Where the environment is reached; APP_URL stands in for it, as when a test serves the app somewhere else. */
export async function environmentUrl(
  config: Config,
  environment: Environment,
  env: Variables,
): Promise<string> {
  if (env.APP_URL) return env.APP_URL.replace(/\/$/, "");
  const { domain } = environment.profile;
  if (domain !== undefined) return `https://${domain}`;
  const subdomain = await cloudflareFor(environment, env).subdomain();
  return `https://${workerName(config, environment)}.${subdomain}.workers.dev`;
}

const bindingText = (bindings: readonly Binding[], name: string) =>
  bindings.find((binding) => binding.name === name)?.text;

export const releaseOf = (version: Version): Release => ({
  versionId: version.id,
  commit:
    bindingText(version.resources.bindings ?? [], "APP_VERSION") ?? "unknown",
});

/** The version that most users meet. */
export function majority(deployment: Deployment): string {
  const [most] = deployment.versions.toSorted(
    (a, b) => b.percentage - a.percentage,
  );
  if (most === undefined) throw new Error(`${deployment.id} has no version`);
  return most.version_id;
}

/** Whether users meet more than one version, as in somebody's gradual deployment. */
export const isSplit = (deployment: Deployment): boolean =>
  deployment.versions.filter((share) => share.percentage > 0).length > 1;

/** What makes two releases the same one: the commit, as far as it says everything. */
const identity = ({ commit, versionId }: Release): string =>
  /^[0-9a-f]{40}$/.test(commit) ? commit : versionId;

/**
 * Replays releases, oldest first, as a stack: a new one is pushed, and going back to an earlier one pops everything
 * above it. So the release before the live one is never one that was itself rolled back, whoever did that and with
 * which tool.
 */
export function releaseStack<R extends Release>(
  oldestFirst: readonly R[],
): R[] {
  const stack: R[] = [];
  for (const release of oldestFirst) {
    const at = stack.findIndex((s) => identity(s) === identity(release));
    if (at >= 0) stack.length = at;
    stack.push(release);
  }
  return stack;
}

/** What was live, oldest first, as far as Cloudflare still tells. A step that left the majority as it was is none. */
async function history(
  cloudflare: Cloudflare,
  worker: string,
): Promise<LiveSince[]> {
  const deployments = (await cloudflare.deployments(worker)).toReversed();
  const past = await Promise.all(
    deployments.map(async (deployment) => ({
      ...(await cloudflare.release(worker, majority(deployment))),
      when: deployment.created_on,
      who: authorOf(deployment),
    })),
  );
  return past.filter((entry, at) => {
    const before = past[at - 1];
    return before === undefined || identity(before) !== identity(entry);
  });
}

/** Whoever started it, by the message that these scripts leave; else the owner of the token. */
function authorOf({ annotations, author_email }: Deployment): string {
  const message = annotations?.["workers/message"] ?? "";
  return / by ([^ ]+)$/.exec(message)?.[1] ?? author_email ?? "";
}

/** The stack of a Worker's releases, the live one last. */
export const releases = async (
  cloudflare: Cloudflare,
  worker: string,
): Promise<Release[]> => releaseStack(await history(cloudflare, worker));

/** Every release that Cloudflare still tells, once, the one that became live last first. */
export async function ledger(
  cloudflare: Cloudflare,
  worker: string,
): Promise<LedgerEntry[]> {
  const past = await history(cloudflare, worker);
  const names = new Map(
    releaseStack(past)
      .toReversed()
      .map((release, back) => [
        identity(release),
        ["live", "previous"][back] ?? `latest-${back}`,
      ]),
  );
  const latest = new Map(past.map((entry) => [identity(entry), entry]));
  return past
    .filter((entry) => latest.get(identity(entry)) === entry)
    .map((entry) => ({
      ...entry,
      state: names.get(identity(entry)) ?? "rolled back",
    }))
    .toReversed();
}

/** Whether there may be deployments that Cloudflare does not tell any more. */
export const isCut = async (
  cloudflare: Cloudflare,
  worker: string,
): Promise<boolean> => (await cloudflare.deployments(worker)).length >= LISTED;

/**
 * Finds a release by what a person calls it: previous, latest-N (counted back from the live one), a commit, or a
 * Cloudflare version id.
 */
export async function findRelease(
  cloudflare: Cloudflare,
  worker: string,
  stack: readonly Release[],
  wanted: string,
): Promise<Release> {
  const steps = stepsBack(wanted);
  if (steps !== undefined) {
    const found = stack.at(-1 - steps);
    if (found !== undefined) return found;
    const earlier = ["no earlier release", "one earlier release"];
    const known = `${worker} has ${earlier[stack.length - 1] ?? `${stack.length - 1} earlier releases`}`;
    throw new Refusal(
      (await isCut(cloudflare, worker))
        ? `${known} among the deployments that Cloudflare still lists. Name an older one by its commit or version id.`
        : `${known}.`,
    );
  }
  if (VERSION_ID.test(wanted)) return cloudflare.release(worker, wanted);
  if (!COMMIT.test(wanted)) {
    throw new UsageError(
      `"${wanted}" is none of: previous, latest-N, a commit (7 to 40 hex digits), a Cloudflare version id`,
    );
  }
  const found = await cloudflare.findCommit(worker, wanted);
  if (found !== undefined) return found;
  throw new Refusal(
    `No version of ${worker} that can still be deployed was built from ${wanted}. docs/PROMOTION.md has the way back without one.`,
  );
}

const VERSION_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const COMMIT = /^[0-9a-f]{7,40}$/;

/** Whether `findRelease` would understand it. */
export const isReleaseName = (text: string): boolean =>
  stepsBack(text) !== undefined || VERSION_ID.test(text) || COMMIT.test(text);

function stepsBack(wanted: string): number | undefined {
  if (wanted === "previous") return 1;
  const match = /^latest(?:-(\d{1,3}))?$/.exec(wanted);
  return match ? Number(match[1] ?? 0) : undefined;
}

/** The live release, or undefined before the first one. */
export async function liveRelease(
  cloudflare: Cloudflare,
  worker: string,
): Promise<Release | undefined> {
  const [newest] = await cloudflare.deployments(worker);
  return newest && cloudflare.release(worker, majority(newest));
}

/**
 * Finds out whether the Worker exists and is this app's. Alchemy would take over any Worker of the right name, somebody
 * else's too; this app's own one it must take over, since a first deploy may have stopped half-way.
 *
 * @returns whether there is one to take over
 * @throws UsageError when it belongs to another app
 */
export async function ownsExistingWorker(
  config: Config,
  environment: Environment,
  cloudflare: Cloudflare,
  env: Variables,
): Promise<boolean> {
  const worker = workerName(config, environment);
  const bindings = await cloudflare.bindings(worker);
  if (bindings === undefined) return false;
  const id = workerId(config);
  const owner = bindingText(bindings, "APP_ID");
  const ours =
    owner === appId(config, env) ||
    owner?.startsWith(`${UNPUBLISHED}:`) ||
    environment.profile.names?.[id] !== undefined;
  if (ours) return true;
  throw new UsageError(
    `the Worker ${worker} exists and ${owner ? `belongs to "${owner}"` : "was not made by this app"}. ` +
      `To take it over, add \`names: { ${id}: "${worker}" }\` to the profile ${environment.name} in alchemy.config.ts; ` +
      "if this app's repository was renamed, keep the old name there as `repository`; otherwise change the app's `name`",
  );
}

/**
 * The same question for a KV namespace, database or bucket, which cannot carry an owner: one that is not in Alchemy's
 * state is used only when `names` says so, and one that `names` speaks of must be there.
 *
 * @returns whether there is one to take over
 */
export async function mayAdoptData(
  config: Config,
  id: string,
  environment: Environment,
  cloudflare: Cloudflare,
): Promise<boolean> {
  const resource = config.resources[id];
  if (resource === undefined || resource.type === "worker") return false;
  const name = resourceName(config, id, environment);
  const named = environment.profile.names?.[id] !== undefined;
  const exists = await cloudflare.dataResourceExists(resource.type, name);
  if (exists === named) return exists;
  throw new UsageError(
    exists
      ? `${resource.type} "${name}" exists and is not known to be this app's. To use it, add \`names: { ${id}: "${name}" }\` to the profile ${environment.name} in alchemy.config.ts`
      : `${resource.type} "${name}", which \`names\` of ${environment.name} speaks of, does not exist in this account`,
  );
}
